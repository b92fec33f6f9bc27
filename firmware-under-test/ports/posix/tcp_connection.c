#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "application.h"
#include "kernel_poll.h"
#include "tcp_events.h"

tcp_connection_t* tcp_connection_hold(wiced_tcp_socket_t* socket) {
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    tcp_connection_t* connection = state != NULL ? state->connection : NULL;
    if (connection != NULL) {
        ++connection->references;
    }
    pthread_mutex_unlock(&tcp_lock);
    return connection;
}

void tcp_connection_drop_locked(tcp_connection_t* connection) {
    if (--connection->references == 0) {
        tls_free(connection->tls);
        close(connection->fd);
        free(connection);
    }
}

void tcp_connection_drop(tcp_connection_t* connection) {
    pthread_mutex_lock(&tcp_lock);
    tcp_connection_drop_locked(connection);
    pthread_mutex_unlock(&tcp_lock);
}

tcp_security_t tcp_security(wiced_tcp_socket_t* socket) {
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection == NULL) {
        return TCP_NOT_CONNECTED;
    }
    tcp_security_t security =
        connection->is_ready && connection->tls != NULL ? TCP_SECURE : TCP_IN_THE_CLEAR;
    tcp_connection_drop(connection);
    return security;
}

struct sockaddr_in tcp_system_address(uint32_t address, uint16_t port) {
    struct sockaddr_in in;
    memset(&in, 0, sizeof(in));
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(address);
    in.sin_port = htons(port);
    return in;
}

int tcp_open_bound(uint32_t address, uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int one = 1;
    struct sockaddr_in in = tcp_system_address(address, port);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if ((address != 0 || port != 0) && bind(fd, (const struct sockaddr*)&in, sizeof(in)) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

tcp_connection_t* tcp_connection_make(int fd) {
    tcp_connection_t* connection = calloc(1, sizeof(*connection));
    if (connection != NULL) {
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        connection->references = 1;
        connection->fd = fd;
    }
    return connection;
}

void tcp_connection_end(tcp_connection_t* connection, uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    if (connection->tls != NULL) {
        tls_close_notify(connection->tls);
    }
    if (shutdown(connection->fd, SHUT_WR) == 0) {
        uint8_t discarded[1024];
        for (;;) {
            ssize_t got = recv(connection->fd, discarded, sizeof(discarded), MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
                break;
            }
            struct pollfd descriptor = {.fd = connection->fd, .events = POLLIN};
            if (got < 0 && kernel_poll(&descriptor, 1, deadline_ns) != KERNEL_WOKEN) {
                break;
            }
        }
    }
    (void)shutdown(connection->fd, SHUT_RDWR); /* wakes whoever still reads or writes */
    tcp_connection_drop(connection);
}

wiced_result_t tcp_handshake(tcp_socket_t* state, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification) {
    tls_session_t* tls = NULL;
    wiced_result_t result =
        tls_handshake(state->tls_context, type, verification, connection->fd, state->cancel_fd,
                      kernel_deadline_ns(application_settings.handshake_timeout_ms), &tls);
    pthread_mutex_lock(&tcp_lock);
    connection->tls = tls;
    connection->is_ready = result == WICED_SUCCESS;
    pthread_mutex_unlock(&tcp_lock);
    tcp_events_changed();
    return result;
}

bool tcp_socket_adopt(tcp_socket_t* state, tcp_connection_t* connection, bool is_ready) {
    pthread_mutex_lock(&tcp_lock);
    bool is_alive = state->owner != NULL && state->connection == NULL;
    if (is_alive) {
        connection->is_ready = is_ready;
        state->connection = connection;
        state->is_receive_posted = false;
        ++connection->references; /* the caller keeps its own */
        tcp_options_apply_locked(state);
    }
    pthread_mutex_unlock(&tcp_lock);
    tcp_events_changed();
    return is_alive;
}

tcp_connection_t* tcp_socket_detach(tcp_socket_t* state) {
    pthread_mutex_lock(&tcp_lock);
    tcp_connection_t* connection = state->connection;
    state->connection = NULL;
    pthread_mutex_unlock(&tcp_lock);
    return connection;
}
