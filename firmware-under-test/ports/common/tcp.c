#include "tcp.h"

#include <stdlib.h>

#include "application.h"
#include "kernel.h"
#include "network.h"
#include "tcp_events.h"
#include "tls.h"
#include "transport.h"

tcp_socket_t* tcp_sockets;

static tcp_socket_t* find_by_owner_locked(const wiced_tcp_socket_t* socket) {
    tcp_socket_t* known = tcp_sockets;
    while (known != NULL && known->owner != socket) {
        known = known->next;
    }
    return known;
}

tcp_socket_t* tcp_socket_find_locked(const wiced_tcp_socket_t* socket) {
    tcp_socket_t* known = socket != NULL ? find_by_owner_locked(socket) : NULL;
    return known != NULL && known == socket->state ? known : NULL;
}

tcp_socket_t* tcp_socket_hold(const wiced_tcp_socket_t* socket) {
    tcp_lock();
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL) {
        ++state->references;
    }
    tcp_unlock();
    return state;
}

void tcp_socket_drop_locked(tcp_socket_t* socket) {
    if (--socket->references == 0) {
        transport_dispose(socket);
        free(socket);
    }
}

void tcp_socket_drop(tcp_socket_t* socket) {
    tcp_lock();
    tcp_socket_drop_locked(socket);
    tcp_unlock();
}

void tcp_socket_unbind_locked(tcp_socket_t* socket) {
    transport_unbind(socket);
    socket->is_bound = false;
}

/* Gives up a turn at the port that the socket listens on. */
static void yield_turn_locked(tcp_socket_t* state) {
    if (state->listener != NULL && state->listener->current == state) {
        state->listener->current = NULL;
    }
}

/* Takes everything from a socket; the connection is handed back for a graceful end. */
static tcp_connection_t* retire_locked(tcp_socket_t* state) {
    tcp_connection_t* connection = state->connection;
    state->connection = NULL;
    state->owner = NULL;
    transport_cancel(state);
    yield_turn_locked(state);
    if (state->listener != NULL) {
        tcp_listener_drop_locked(state->listener);
        state->listener = NULL;
    }
    tcp_socket_unbind_locked(state);
    tcp_socket_t** link = &tcp_sockets;
    while (*link != state) {
        link = &(*link)->next;
    }
    *link = state->next;
    return connection;
}

wiced_result_t wiced_tcp_create_socket(wiced_tcp_socket_t* socket, wiced_interface_t interface) {
    (void)interface;
    if (socket == NULL) {
        return WICED_BADARG;
    }
    tcp_socket_t* state = calloc(1, sizeof(*state));
    if (state == NULL || !transport_prepare(state)) {
        free(state);
        return WICED_SOCKET_CREATE_FAIL;
    }
    state->references = 1;
    state->owner = socket;
    tcp_connection_t* connection = NULL;
    tcp_lock();
    tcp_socket_t* left_over = find_by_owner_locked(socket);
    if (left_over != NULL) {
        /* Created anew without a delete: what the memory held before is lost to the program. */
        connection = retire_locked(left_over);
        tcp_socket_drop_locked(left_over);
    }
    state->next = tcp_sockets;
    tcp_sockets = state;
    socket->state = state;
    tcp_unlock();
    if (connection != NULL) {
        tcp_connection_drop(connection);
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_delete_socket(wiced_tcp_socket_t* socket) {
    tcp_lock();
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state == NULL) {
        tcp_unlock();
        return WICED_SUCCESS;
    }
    wiced_tls_context_t* tls_context = state->tls_context;
    tcp_connection_t* connection = retire_locked(state);
    tcp_events_await_idle_locked(state);
    tcp_socket_drop_locked(state);
    tcp_unlock();
    tcp_changed();
    if (connection != NULL) {
        tcp_connection_end(connection, application_settings.disconnect_timeout_ms);
    }
    if (tls_context != NULL) {
        (void)wiced_tls_deinit_context(tls_context);
    }
    socket->state = NULL;
    return WICED_SUCCESS;
}

static wiced_result_t disconnect(tcp_socket_t* state, uint32_t timeout_ms) {
    tcp_lock();
    tcp_connection_t* connection = state->connection;
    bool is_end_reported = connection != NULL && connection->is_end_reported;
    bool was_idle =
        state->is_bound || (state->listener != NULL && state->listener->current == state);
    state->connection = NULL;
    state->is_connect_posted = false;
    yield_turn_locked(state);
    tcp_socket_unbind_locked(state);
    if (connection != NULL) {
        connection->is_end_reported = true;
    }
    tcp_unlock();
    if (connection == NULL) {
        return was_idle ? WICED_SUCCESS : WICED_TCPIP_SOCKET_CLOSED;
    }
    tcp_connection_end(connection, timeout_ms);
    if (!is_end_reported) {
        tcp_events_local_disconnect(state);
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_disconnect_with_timeout(wiced_tcp_socket_t* socket, uint32_t timeout_ms) {
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    tcp_socket_t* state = tcp_socket_hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_result_t result = disconnect(state, timeout_ms);
    tcp_socket_drop(state);
    return result;
}

wiced_result_t wiced_tcp_disconnect(wiced_tcp_socket_t* socket) {
    return wiced_tcp_disconnect_with_timeout(socket, application_settings.disconnect_timeout_ms);
}

bool tcp_socket_adopt(tcp_socket_t* state, tcp_connection_t* connection, bool is_ready) {
    tcp_lock();
    bool is_alive = state->owner != NULL && state->connection == NULL;
    if (is_alive) {
        connection->is_ready = is_ready;
        state->connection = connection;
        state->is_receive_posted = false;
        ++connection->references; /* the caller keeps its own */
        transport_apply_options(state);
    }
    tcp_unlock();
    tcp_changed();
    return is_alive;
}

tcp_connection_t* tcp_socket_detach(tcp_socket_t* state) {
    tcp_lock();
    tcp_connection_t* connection = state->connection;
    state->connection = NULL;
    tcp_unlock();
    return connection;
}
