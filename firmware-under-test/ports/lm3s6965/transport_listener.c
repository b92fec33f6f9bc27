#include "lwip/tcp.h"
#include "transport.h"
#include "transport_connection.h"

static unsigned waiting_count(const tcp_listener_t* listener) {
    unsigned count = 0;
    for (const tcp_connection_t* each = listener->transport.waiting; each != NULL;
         each = each->transport.next) {
        ++count;
    }
    return count;
}

/* A peer that has gone again while it waited makes room for one that is there. */
static bool has_room(tcp_listener_t* listener) {
    if (waiting_count(listener) < WICED_DEFAULT_TCP_LISTEN_QUEUE_SIZE) {
        return true;
    }
    for (tcp_connection_t** link = &listener->transport.waiting; *link != NULL;
         link = &(*link)->transport.next) {
        tcp_connection_t* waiting = *link;
        if (transport_connection_has_ended(waiting)) {
            *link = waiting->transport.next;
            tcp_connection_drop(waiting);
            return true;
        }
    }
    return false;
}

/* What lwIP is told not to take it resets. */
static err_t peer_arrived(void* arg, struct tcp_pcb* pcb, err_t error) {
    tcp_listener_t* listener = arg;
    if (error != ERR_OK || pcb == NULL || listener == NULL || !has_room(listener)) {
        return ERR_MEM;
    }
    tcp_connection_t* connection = transport_connection_make(pcb);
    if (connection == NULL) {
        return ERR_MEM;
    }
    connection->transport.is_established = true;
    tcp_connection_t** link = &listener->transport.waiting;
    while (*link != NULL) {
        link = &(*link)->transport.next;
    }
    *link = connection;
    kernel_lock();
    kernel_wake_all(&listener->transport.arrived);
    kernel_unlock();
    return ERR_OK;
}

static tcp_connection_t* take_waiting(tcp_listener_t* listener) {
    tcp_connection_t* connection = listener->transport.waiting;
    if (connection != NULL) {
        listener->transport.waiting = connection->transport.next;
        connection->transport.next = NULL;
    }
    return connection;
}

void transport_stop_listening(tcp_listener_t* listener) {
    (void)tcp_close(listener->transport.pcb);
    for (tcp_connection_t* left; (left = take_waiting(listener)) != NULL;) {
        tcp_connection_drop(left);
    }
}

bool transport_listen(tcp_listener_t* listener) {
    struct tcp_pcb* pcb = tcp_new();
    if (pcb == NULL) {
        return false;
    }
    ip_set_option(pcb, SOF_REUSEADDR); /* connections that have ended do not hold the port */
    struct tcp_pcb* listening = NULL;
    if (tcp_bind(pcb, IP4_ADDR_ANY, listener->port) == ERR_OK) {
        listening = tcp_listen_with_backlog(pcb, WICED_DEFAULT_TCP_LISTEN_QUEUE_SIZE);
    }
    if (listening == NULL) {
        (void)tcp_close(pcb);
        return false;
    }
    tcp_arg(listening, listener);
    tcp_accept(listening, peer_arrived);
    listener->transport.pcb = listening;
    return true;
}

wiced_result_t transport_accept(tcp_socket_t* socket, tcp_listener_t* listener,
                                uint64_t deadline_ns, tcp_connection_t** connection) {
    while ((*connection = take_waiting(listener)) == NULL) {
        kernel_lock();
        kernel_wait_result_t waited = kernel_wait(&listener->transport.arrived, deadline_ns);
        kernel_unlock();
        if (waited == KERNEL_ABORTED) {
            return WICED_TCPIP_WAIT_ABORTED;
        }
        if (waited == KERNEL_TIMED_OUT || socket->owner == NULL) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
    return WICED_SUCCESS;
}
