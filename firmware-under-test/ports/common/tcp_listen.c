/* The server's side: listen and accept. One listener serves all sockets on its port, in turn. */
#include <stdlib.h>

#include "application.h"
#include "kernel.h"
#include "network.h"
#include "tcp.h"
#include "transport.h"

static tcp_listener_t* listeners; /* under the lock */

void tcp_listener_drop_locked(tcp_listener_t* listener) {
    if (--listener->references > 0) {
        return;
    }
    tcp_listener_t** link = &listeners;
    while (*link != listener) {
        link = &(*link)->next;
    }
    *link = listener->next;
    transport_stop_listening(listener);
    free(listener);
}

static tcp_listener_t* open_listener_locked(uint16_t port) {
    tcp_listener_t* listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        return NULL;
    }
    listener->port = port;
    if (!transport_listen(listener)) {
        free(listener);
        return NULL;
    }
    listener->next = listeners;
    listeners = listener;
    return listener;
}

static wiced_result_t listen_locked(tcp_socket_t* state, uint16_t port) {
    tcp_listener_t* listener = state->listener;
    if (listener != NULL && listener->port != port) {
        return WICED_ERROR;
    }
    if (listener == NULL) {
        for (listener = listeners; listener != NULL && listener->port != port;) {
            listener = listener->next;
        }
        if (listener == NULL) {
            listener = open_listener_locked(port);
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
    tcp_lock();
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    wiced_result_t result = state != NULL ? listen_locked(state, port) : WICED_TCPIP_INVALID_SOCKET;
    tcp_unlock();
    tcp_changed();
    return result;
}

static wiced_result_t accept_peer(tcp_socket_t* state, tcp_listener_t* listener,
                                  bool is_in_callback) {
    tcp_connection_t* connection = NULL;
    uint32_t timeout_ms = is_in_callback ? 0 : application_settings.accept_timeout_ms;
    wiced_result_t result =
        transport_accept(state, listener, kernel_deadline_ns(timeout_ms), &connection);
    if (result != WICED_SUCCESS) {
        return is_in_callback ? WICED_ERROR : result;
    }
    if (!tcp_socket_adopt(state, connection, state->tls_context == NULL)) {
        tcp_connection_drop(connection);
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    tcp_lock();
    if (listener->current == state) {
        listener->current = NULL;
    }
    state->is_connect_posted = false;
    tcp_unlock();
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
    tcp_lock();
    tcp_listener_t* listener = state->listener;
    bool is_next = listener != NULL && (listener->current == NULL || listener->current == state);
    if (is_next) {
        listener->current = state;
        ++listener->references;
    }
    tcp_unlock();
    if (!is_next) {
        return WICED_ERROR;
    }
    wiced_result_t result = accept_peer(state, listener, is_in_callback);
    tcp_lock();
    tcp_listener_drop_locked(listener);
    tcp_unlock();
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
