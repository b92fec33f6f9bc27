/* The server's side: listen and accept. One listener serves all sockets on its port, in turn. */
#include <stdbool.h>
#include <stdlib.h>

#include "application.h"
#include "lwip/tcp.h"
#include "network.h"
#include "tcp.h"

static tcp_listener_t* listeners;

static unsigned waiting_count(const tcp_listener_t* listener) {
    unsigned count = 0;
    for (const tcp_connection_t* each = listener->waiting; each != NULL; each = each->next) {
        ++count;
    }
    return count;
}

/* A peer that has gone again while it waited makes room for one that is there. */
static bool has_room(tcp_listener_t* listener) {
    if (waiting_count(listener) < WICED_DEFAULT_TCP_LISTEN_QUEUE_SIZE) {
        return true;
    }
    for (tcp_connection_t** link = &listener->waiting; *link != NULL; link = &(*link)->next) {
        tcp_connection_t* waiting = *link;
        if (tcp_connection_has_ended(waiting)) {
            *link = waiting->next;
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
    tcp_connection_t* connection = tcp_connection_make(pcb);
    if (connection == NULL) {
        return ERR_MEM;
    }
    connection->is_established = true;
    tcp_connection_t** link = &listener->waiting;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = connection;
    kernel_lock();
    kernel_wake_all(&listener->arrived);
    kernel_unlock();
    return ERR_OK;
}

static tcp_connection_t* take_waiting(tcp_listener_t* listener) {
    tcp_connection_t* connection = listener->waiting;
    if (connection != NULL) {
        listener->waiting = connection->next;
        connection->next = NULL;
    }
    return connection;
}

void tcp_listener_drop(tcp_listener_t* listener) {
    if (--listener->references > 0) {
        return;
    }
    tcp_listener_t** link = &listeners;
    while (*link != listener) {
        link = &(*link)->next;
    }
    *link = listener->next;
    (void)tcp_close(listener->pcb);
    for (tcp_connection_t* left; (left = take_waiting(listener)) != NULL;) {
        tcp_connection_drop(left);
    }
    free(listener);
}

static tcp_listener_t* open_listener(uint16_t port) {
    tcp_listener_t* listener = calloc(1, sizeof(*listener));
    struct tcp_pcb* pcb = tcp_new();
    if (listener == NULL || pcb == NULL) {
        free(listener);
        if (pcb != NULL) {
            (void)tcp_close(pcb);
        }
        return NULL;
    }
    ip_set_option(pcb, SOF_REUSEADDR); /* connections that have ended do not hold the port */
    struct tcp_pcb* listening = NULL;
    if (tcp_bind(pcb, IP4_ADDR_ANY, port) == ERR_OK) {
        listening = tcp_listen_with_backlog(pcb, WICED_DEFAULT_TCP_LISTEN_QUEUE_SIZE);
    }
    if (listening == NULL) {
        (void)tcp_close(pcb);
        free(listener);
        return NULL;
    }
    tcp_arg(listening, listener);
    tcp_accept(listening, peer_arrived);
    listener->pcb = listening;
    listener->port = port;
    listener->next = listeners;
    listeners = listener;
    return listener;
}

static wiced_result_t listen_on(tcp_socket_t* state, uint16_t port) {
    tcp_listener_t* listener = state->listener;
    if (listener != NULL && listener->port != port) {
        return WICED_ERROR;
    }
    if (listener == NULL) {
        for (listener = listeners; listener != NULL && listener->port != port;) {
            listener = listener->next;
        }
        if (listener == NULL) {
            listener = open_listener(port);
        }
        if (listener == NULL) {
            return WICED_TCPIP_PORT_UNAVAILABLE;
        }
        if (listener->current == NULL) {
            ++listener->references;
            state->listener = listener;
        }
    }
    if (listener->current != NULL || state->connection != NULL) {
        return WICED_ERROR;
    }
    listener->current = state;
    state->is_connect_posted = false;
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_listen(wiced_tcp_socket_t* socket, uint16_t port) {
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    tcp_socket_t* state = tcp_socket_find(socket);
    return state != NULL ? listen_on(state, port) : WICED_TCPIP_INVALID_SOCKET;
}

static wiced_result_t await_peer(const tcp_socket_t* state, tcp_listener_t* listener,
                                 uint32_t timeout_ms, tcp_connection_t** connection) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    for (;;) {
        *connection = take_waiting(listener);
        if (*connection != NULL) {
            return WICED_SUCCESS;
        }
        kernel_lock();
        kernel_wait_result_t waited = kernel_wait(&listener->arrived, deadline_ns);
        kernel_unlock();
        if (waited == KERNEL_ABORTED) {
            return WICED_TCPIP_WAIT_ABORTED;
        }
        if (waited == KERNEL_TIMED_OUT || state->owner == NULL) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
}

static wiced_result_t accept_peer(tcp_socket_t* state, tcp_listener_t* listener,
                                  bool is_in_callback) {
    tcp_connection_t* connection = NULL;
    wiced_result_t result = await_peer(
        state, listener, is_in_callback ? 0 : application_settings.accept_timeout_ms, &connection);
    if (result != WICED_SUCCESS) {
        return is_in_callback ? WICED_ERROR : result;
    }
    if (!tcp_socket_adopt(state, connection, state->tls_context == NULL)) {
        tcp_connection_drop(connection);
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    if (listener->current == state) {
        listener->current = NULL;
    }
    state->is_connect_posted = false;
    if (state->tls_context != NULL) {
        /* After a failure the connection stays, useless, until the next accept or disconnect. */
        result =
            tcp_handshake(state, connection, WICED_TLS_AS_SERVER, WICED_TLS_DEFAULT_VERIFICATION);
    }
    tcp_connection_drop(connection);
    return result;
}

static wiced_result_t accept_on(tcp_socket_t* state) {
    bool is_in_callback = state->connect_callback != NULL;
    if (is_in_callback && state->connection != NULL) {
        return WICED_SUCCESS;
    }
    if (state->listener == NULL) {
        return WICED_ERROR;
    }
    tcp_connection_t* previous = tcp_socket_detach(state);
    if (previous != NULL) {
        tcp_connection_end(previous, application_settings.disconnect_timeout_ms);
    }
    tcp_listener_t* listener = state->listener;
    if (listener == NULL || (listener->current != NULL && listener->current != state)) {
        return WICED_ERROR;
    }
    listener->current = state;
    ++listener->references;
    wiced_result_t result = accept_peer(state, listener, is_in_callback);
    tcp_listener_drop(listener);
    return result;
}

wiced_result_t wiced_tcp_accept(wiced_tcp_socket_t* socket) {
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    tcp_socket_t* state = tcp_socket_hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_result_t result = accept_on(state);
    tcp_socket_drop(state);
    return result;
}
