#include "tcp.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "application.h"
#include "network.h"
#include "tcp_events.h"

pthread_mutex_t tcp_lock = PTHREAD_MUTEX_INITIALIZER;
tcp_socket_t* tcp_sockets;

tcp_socket_t* tcp_socket_find_locked(wiced_tcp_socket_t* socket) {
    if (socket == NULL) {
        return NULL;
    }
    for (tcp_socket_t* known = tcp_sockets; known != NULL; known = known->next) {
        if (known->owner == socket) {
            return known == socket->state ? known : NULL;
        }
    }
    return NULL;
}

tcp_socket_t* tcp_socket_hold(wiced_tcp_socket_t* socket) {
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL) {
        ++state->references;
    }
    pthread_mutex_unlock(&tcp_lock);
    return state;
}

void tcp_socket_drop_locked(tcp_socket_t* socket) {
    if (--socket->references == 0) {
        close(socket->cancel_fd);
        free(socket);
    }
}

void tcp_socket_drop(tcp_socket_t* socket) {
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_drop_locked(socket);
    pthread_mutex_unlock(&tcp_lock);
}

static void forget(tcp_socket_t* state) {
    tcp_socket_t** link = &tcp_sockets;
    while (*link != state) {
        link = &(*link)->next;
    }
    *link = state->next;
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
        tcp_listener_drop_locked(state->listener);
        state->listener = NULL;
    }
    if (state->bound_fd >= 0) {
        close(state->bound_fd);
        state->bound_fd = -1;
    }
    uint64_t one = 1;
    (void)!write(state->cancel_fd, &one, sizeof(one));
    forget(state);
    return connection;
}

wiced_result_t wiced_tcp_create_socket(wiced_tcp_socket_t* socket, wiced_interface_t interface) {
    if (socket == NULL) {
        return WICED_BADARG;
    }
    (void)interface;
    tcp_socket_t* state = calloc(1, sizeof(*state));
    int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (state == NULL || cancel_fd < 0) {
        free(state);
        if (cancel_fd >= 0) {
            close(cancel_fd);
        }
        return WICED_SOCKET_CREATE_FAIL;
    }
    state->references = 1;
    state->owner = socket;
    state->cancel_fd = cancel_fd;
    state->bound_fd = -1;
    tcp_connection_t* left_over = NULL;
    pthread_mutex_lock(&tcp_lock);
    for (tcp_socket_t* known = tcp_sockets; known != NULL; known = known->next) {
        if (known->owner == socket) {
            /* Created anew without a delete: what the memory held before is lost to the program. */
            left_over = retire(known);
            tcp_socket_drop_locked(known);
            break;
        }
    }
    state->next = tcp_sockets;
    tcp_sockets = state;
    socket->state = state;
    pthread_mutex_unlock(&tcp_lock);
    if (left_over != NULL) {
        tcp_connection_drop(left_over);
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_delete_socket(wiced_tcp_socket_t* socket) {
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state == NULL) {
        pthread_mutex_unlock(&tcp_lock);
        return WICED_SUCCESS;
    }
    wiced_tls_context_t* tls_context = state->tls_context;
    tcp_connection_t* connection = retire(state);
    tcp_events_await_idle(state);
    tcp_socket_drop_locked(state);
    pthread_mutex_unlock(&tcp_lock);
    tcp_events_changed();
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
    pthread_mutex_lock(&tcp_lock);
    tcp_connection_t* connection = state->connection;
    bool is_end_reported = connection != NULL && connection->is_end_reported;
    bool was_idle =
        state->is_bound || (state->listener != NULL && state->listener->current == state);
    state->connection = NULL;
    state->is_connect_posted = false;
    if (state->listener != NULL && state->listener->current == state) {
        state->listener->current = NULL;
    }
    if (state->bound_fd >= 0) {
        close(state->bound_fd);
        state->bound_fd = -1;
    }
    state->is_bound = false;
    state->bound_port = 0;
    if (connection != NULL) {
        connection->is_end_reported = true;
    }
    pthread_mutex_unlock(&tcp_lock);
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

wiced_result_t wiced_tcp_enable_tls(wiced_tcp_socket_t* socket, void* context) {
    tcp_socket_t* state = tcp_socket_hold(socket);
    if (state != NULL) {
        state->tls_context = context;
        tcp_socket_drop(state);
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
