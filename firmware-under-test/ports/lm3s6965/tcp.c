#include "tcp.h"

#include <stdlib.h>

#include "application.h"
#include "lwip/tcp.h"
#include "network.h"
#include "tls.h"

tcp_socket_t* tcp_sockets;

tcp_socket_t* tcp_socket_find(const wiced_tcp_socket_t* socket) {
    tcp_socket_t* known = tcp_sockets;
    while (known != NULL && (socket == NULL || known->owner != socket)) {
        known = known->next;
    }
    return known != NULL && known == socket->state ? known : NULL;
}

tcp_socket_t* tcp_socket_hold(const wiced_tcp_socket_t* socket) {
    tcp_socket_t* state = tcp_socket_find(socket);
    if (state != NULL) {
        ++state->references;
    }
    return state;
}

void tcp_socket_drop(tcp_socket_t* socket) {
    if (--socket->references == 0) {
        free(socket);
    }
}

static void release_bound(tcp_socket_t* state) {
    if (state->bound != NULL) {
        (void)tcp_close(state->bound);
        state->bound = NULL;
    }
    state->is_bound = false;
}

/* Takes everything from a socket; the connection is handed back for a graceful end. */
static tcp_connection_t* retire(tcp_socket_t* state) {
    tcp_connection_t* connection = state->connection;
    state->connection = NULL;
    state->owner = NULL;
    if (state->listener != NULL) {
        if (state->listener->current == state) {
            state->listener->current = NULL;
        }
        kernel_lock();
        kernel_wake_all(&state->listener->arrived);
        kernel_unlock();
        tcp_listener_drop(state->listener);
        state->listener = NULL;
    }
    release_bound(state);
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
    if (state == NULL) {
        return WICED_SOCKET_CREATE_FAIL;
    }
    state->references = 1;
    state->owner = socket;
    tcp_socket_t* left_over = tcp_sockets;
    while (left_over != NULL && left_over->owner != socket) {
        left_over = left_over->next;
    }
    if (left_over != NULL) {
        /* Created anew without a delete: what the memory held before is lost to the program. */
        tcp_connection_t* connection = retire(left_over);
        tcp_socket_drop(left_over);
        if (connection != NULL) {
            tcp_connection_drop(connection);
        }
    }
    state->next = tcp_sockets;
    tcp_sockets = state;
    socket->state = state;
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_delete_socket(wiced_tcp_socket_t* socket) {
    tcp_socket_t* state = tcp_socket_find(socket);
    if (state == NULL) {
        return WICED_SUCCESS;
    }
    wiced_tls_context_t* tls_context = state->tls_context;
    tcp_connection_t* connection = retire(state);
    tcp_events_await_idle(state);
    tcp_socket_drop(state);
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
    tcp_connection_t* connection = tcp_socket_detach(state);
    bool is_end_reported = connection != NULL && connection->is_end_reported;
    bool was_idle =
        state->is_bound || (state->listener != NULL && state->listener->current == state);
    state->is_connect_posted = false;
    if (state->listener != NULL && state->listener->current == state) {
        state->listener->current = NULL;
    }
    release_bound(state);
    if (connection == NULL) {
        return was_idle ? WICED_SUCCESS : WICED_TCPIP_SOCKET_CLOSED;
    }
    connection->is_end_reported = true;
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
    bool is_alive = state->owner != NULL && state->connection == NULL;
    if (is_alive) {
        connection->is_ready = is_ready;
        state->connection = connection;
        state->is_receive_posted = false;
        ++connection->references; /* the caller keeps its own */
        tcp_options_apply(state);
    }
    return is_alive;
}

tcp_connection_t* tcp_socket_detach(tcp_socket_t* state) {
    tcp_connection_t* connection = state->connection;
    state->connection = NULL;
    return connection;
}

tcp_security_t tcp_security(wiced_tcp_socket_t* socket) {
    const tcp_socket_t* state = tcp_socket_find(socket);
    if (state == NULL || state->connection == NULL) {
        return TCP_NOT_CONNECTED;
    }
    return state->connection->is_ready && state->connection->tls != NULL ? TCP_SECURE
                                                                         : TCP_IN_THE_CLEAR;
}

wiced_result_t wiced_tcp_enable_tls(wiced_tcp_socket_t* socket, void* context) {
    tcp_socket_t* state = tcp_socket_find(socket);
    if (state != NULL) {
        state->tls_context = context;
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_start_tls(wiced_tcp_socket_t* socket, wiced_tls_endpoint_type_t type,
                                   wiced_tls_certificate_verification_t verification) {
    tcp_socket_t* state = tcp_socket_hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_result_t result = WICED_TCPIP_SOCKET_CLOSED;
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection != NULL) {
        result = connection->tls == NULL ? tcp_handshake(state, connection, type, verification)
                                         : WICED_ERROR;
        tcp_connection_drop(connection);
    }
    tcp_socket_drop(state);
    return result;
}

wiced_result_t tcp_handshake(tcp_socket_t* state, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification) {
    wiced_result_t result = WICED_TLS_ERROR_UNITIALIZED_CONTEXT;
    const tls_operations_t* tls = tls_operations();
    if (tls != NULL) {
        uint64_t deadline_ns = kernel_deadline_ns(application_settings.handshake_timeout_ms);
        result = tls->handshake(state, connection, type, verification, deadline_ns);
    }
    connection->is_ready = result == WICED_SUCCESS;
    return result;
}
