/* The server's side: listen and accept. One listener serves all sockets on its port, in turn. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "application.h"
#include "kernel_poll.h"
#include "network.h"
#include "tcp.h"
#include "tcp_events.h"

static tcp_listener_t* listeners; /* under tcp_lock */

void tcp_listener_drop_locked(tcp_listener_t* listener) {
    if (--listener->references > 0) {
        return;
    }
    tcp_listener_t** link = &listeners;
    while (*link != listener) {
        link = &(*link)->next;
    }
    *link = listener->next;
    close(listener->fd);
    free(listener);
}

static tcp_listener_t* open_listener(uint16_t port) {
    tcp_listener_t* listener = calloc(1, sizeof(*listener));
    int fd = tcp_open_bound(network_listening_address(), port);
    if (listener == NULL || fd < 0 || listen(fd, WICED_DEFAULT_TCP_LISTEN_QUEUE_SIZE) != 0) {
        fprintf(stderr, "tcp: listen on port %u: %s\n", port, strerror(errno));
        free(listener);
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    listener->fd = fd;
    listener->port = port;
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
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    wiced_result_t result = state != NULL ? listen_locked(state, port) : WICED_TCPIP_INVALID_SOCKET;
    pthread_mutex_unlock(&tcp_lock);
    tcp_events_changed();
    return result;
}

static wiced_result_t await_peer(tcp_socket_t* state, int listener_fd, uint32_t timeout_ms,
                                 int* accepted) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    for (;;) {
        *accepted = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (*accepted >= 0) {
            return WICED_SUCCESS;
        }
        struct pollfd descriptors[2] = {{.fd = listener_fd, .events = POLLIN},
                                        {.fd = state->cancel_fd, .events = POLLIN}};
        kernel_wait_result_t waited = kernel_poll(descriptors, 2, deadline_ns);
        if (waited == KERNEL_ABORTED) {
            return WICED_TCPIP_WAIT_ABORTED;
        }
        if (waited == KERNEL_TIMED_OUT || descriptors[1].revents != 0) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
}

static wiced_result_t accept_peer(tcp_socket_t* state, tcp_listener_t* listener,
                                  bool is_in_callback) {
    int fd = -1;
    wiced_result_t result = await_peer(
        state, listener->fd, is_in_callback ? 0 : application_settings.accept_timeout_ms, &fd);
    if (result != WICED_SUCCESS) {
        return is_in_callback ? WICED_ERROR : result;
    }
    tcp_connection_t* connection = tcp_connection_make(fd);
    if (connection == NULL) {
        close(fd);
        return WICED_OUT_OF_HEAP_SPACE;
    }
    if (!tcp_socket_adopt(state, connection, state->tls_context == NULL)) {
        tcp_connection_drop(connection);
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    pthread_mutex_lock(&tcp_lock);
    if (listener->current == state) {
        listener->current = NULL;
    }
    state->is_connect_posted = false;
    pthread_mutex_unlock(&tcp_lock);
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
    pthread_mutex_lock(&tcp_lock);
    tcp_listener_t* listener = state->listener;
    bool is_next = listener != NULL && (listener->current == NULL || listener->current == state);
    if (is_next) {
        listener->current = state;
        ++listener->references;
    }
    pthread_mutex_unlock(&tcp_lock);
    if (!is_next) {
        return WICED_ERROR;
    }
    wiced_result_t result = accept_peer(state, listener, is_in_callback);
    pthread_mutex_lock(&tcp_lock);
    tcp_listener_drop_locked(listener);
    pthread_mutex_unlock(&tcp_lock);
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
