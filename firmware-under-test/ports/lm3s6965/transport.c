/* The sockets of common/tcp.h on lwIP's raw interface: what each keeps, bind and connect. */
#include "transport.h"

#include "lwip/tcp.h"
#include "transport_connection.h"

void transport_dispatched(tcp_socket_t* socket) {
    kernel_lock();
    kernel_wake_all(&socket->transport.dispatched);
    kernel_unlock();
}

void transport_await_dispatched(tcp_socket_t* socket) {
    kernel_lock();
    (void)kernel_wait(&socket->transport.dispatched, KERNEL_NO_DEADLINE);
    kernel_unlock();
}

bool transport_prepare(tcp_socket_t* socket) {
    (void)socket;
    return true;
}

void transport_cancel(tcp_socket_t* socket) {
    kernel_lock();
    if (socket->listener != NULL) {
        kernel_wake_all(&socket->listener->transport.arrived);
    }
    if (socket->transport.connecting != NULL) {
        kernel_wake_all(&socket->transport.connecting->transport.changed);
    }
    kernel_unlock();
}

void transport_dispose(tcp_socket_t* socket) {
    (void)socket;
}

void transport_unbind(tcp_socket_t* socket) {
    if (socket->transport.bound != NULL) {
        (void)tcp_close(socket->transport.bound);
        socket->transport.bound = NULL;
    }
}

wiced_result_t transport_bind(tcp_socket_t* socket, uint16_t port) {
    struct tcp_pcb* pcb = tcp_new();
    if (pcb == NULL) {
        return WICED_ERROR;
    }
    err_t error = tcp_bind(pcb, IP4_ADDR_ANY, port);
    if (error != ERR_OK) {
        (void)tcp_close(pcb);
        return error == ERR_USE ? WICED_TCPIP_PORT_UNAVAILABLE : WICED_ERROR;
    }
    socket->transport.bound = pcb;
    return WICED_SUCCESS;
}

static err_t connection_established(void* arg, struct tcp_pcb* pcb, err_t error) {
    tcp_connection_t* connection = arg;
    (void)pcb;
    connection->transport.is_established = error == ERR_OK;
    kernel_lock();
    kernel_wake_all(&connection->transport.changed);
    kernel_unlock();
    return ERR_OK;
}

/* Refusal, time-out and every other failure are one code on the lab's stack: 7014. */
static wiced_result_t reach_peer(const tcp_socket_t* socket, tcp_connection_t* connection,
                                 uint32_t address, uint16_t port, uint64_t deadline_ns) {
    const transport_connection_t* own = &connection->transport;
    ip_addr_t peer = IPADDR4_INIT(lwip_htonl(address));
    if (tcp_connect(own->pcb, &peer, port, connection_established) != ERR_OK) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    while (!own->is_established) {
        kernel_wait_result_t waited = transport_connection_wait(connection, deadline_ns);
        if (waited == KERNEL_ABORTED) {
            return WICED_TCPIP_WAIT_ABORTED;
        }
        if (waited == KERNEL_TIMED_OUT || own->pcb == NULL || socket->owner == NULL) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
    return WICED_SUCCESS;
}

wiced_result_t transport_connect(tcp_socket_t* socket, uint32_t address, uint16_t port,
                                 uint64_t deadline_ns, tcp_connection_t** connection) {
    struct tcp_pcb* pcb = socket->transport.bound != NULL ? socket->transport.bound : tcp_new();
    socket->transport.bound = NULL;
    tcp_connection_t* made = pcb != NULL ? transport_connection_make(pcb) : NULL;
    if (made == NULL) {
        if (pcb != NULL) {
            (void)tcp_close(pcb);
        }
        return WICED_OUT_OF_HEAP_SPACE;
    }
    socket->transport.connecting = made;
    wiced_result_t result = reach_peer(socket, made, address, port, deadline_ns);
    socket->transport.connecting = NULL;
    if (result != WICED_SUCCESS) {
        transport_connection_abort(made);
        tcp_connection_drop(made);
        return result;
    }
    *connection = made;
    return WICED_SUCCESS;
}
