#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "application.h"
#include "kernel.h"
#include "network.h"
#include "tcp_events.h"

#define BIND_RETRY_PAUSE_MS 20

pthread_mutex_t tcp_lock = PTHREAD_MUTEX_INITIALIZER;
tcp_socket_t* tcp_sockets;
static tcp_listener_t* listeners;

/* --- references ------------------------------------------------------------------------------ */

static tcp_socket_t* find(wiced_tcp_socket_t* socket) {
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
    tcp_socket_t* state = find(socket);
    if (state != NULL) {
        ++state->references;
    }
    pthread_mutex_unlock(&tcp_lock);
    return state;
}

tcp_connection_t* tcp_connection_hold(wiced_tcp_socket_t* socket) {
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_t* state = find(socket);
    tcp_connection_t* connection = state != NULL ? state->connection : NULL;
    if (connection != NULL) {
        ++connection->references;
    }
    pthread_mutex_unlock(&tcp_lock);
    return connection;
}

void tcp_socket_drop_locked(tcp_socket_t* socket) {
    if (--socket->references == 0) {
        close(socket->cancel_fd);
        free(socket);
    }
}

void tcp_connection_drop_locked(tcp_connection_t* connection) {
    if (--connection->references == 0) {
        tls_free(connection->tls);
        close(connection->fd);
        free(connection);
    }
}

void tcp_socket_drop(tcp_socket_t* socket) {
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_drop_locked(socket);
    pthread_mutex_unlock(&tcp_lock);
}

void tcp_connection_drop(tcp_connection_t* connection) {
    pthread_mutex_lock(&tcp_lock);
    tcp_connection_drop_locked(connection);
    pthread_mutex_unlock(&tcp_lock);
}

static void listener_drop_locked(tcp_listener_t* listener) {
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

/* --- sockets of the system ------------------------------------------------------------------- */

static struct sockaddr_in system_address(uint32_t address, uint16_t port) {
    struct sockaddr_in in;
    memset(&in, 0, sizeof(in));
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(address);
    in.sin_port = htons(port);
    return in;
}

static int open_bound(uint32_t address, uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int one = 1;
    struct sockaddr_in in = system_address(address, port);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if ((address != 0 || port != 0) && bind(fd, (const struct sockaddr*)&in, sizeof(in)) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static tcp_connection_t* make_connection(int fd) {
    tcp_connection_t* connection = calloc(1, sizeof(*connection));
    if (connection != NULL) {
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        connection->references = 1;
        connection->fd = fd;
    }
    return connection;
}

/* Says goodbye, waits for the peer's side, and drops the caller's reference. */
static void close_gracefully(tcp_connection_t* connection, uint32_t timeout_ms) {
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

/* --- create and delete ----------------------------------------------------------------------- */

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
        listener_drop_locked(state->listener);
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
    tcp_socket_t* state = find(socket);
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
        close_gracefully(connection, application_settings.disconnect_timeout_ms);
    }
    if (tls_context != NULL) {
        wiced_tls_deinit_context(tls_context);
    }
    socket->state = NULL;
    return WICED_SUCCESS;
}

/* --- the client's side ----------------------------------------------------------------------- */

static wiced_result_t bind_socket(tcp_socket_t* state, uint16_t port) {
    uint64_t deadline_ns = kernel_deadline_ns(application_settings.bind_timeout_ms);
    if (state->is_bound || state->listener != NULL || state->connection != NULL) {
        return WICED_ERROR;
    }
    for (;;) {
        int fd = open_bound(network_outgoing_address(), port);
        if (fd >= 0) {
            state->bound_fd = fd;
            state->bound_port = port;
            state->is_bound = true;
            return WICED_SUCCESS;
        }
        if (errno != EADDRINUSE) {
            return WICED_ERROR;
        }
        if (kernel_now_ns() >= deadline_ns) {
            return WICED_TCPIP_PORT_UNAVAILABLE;
        }
        (void)kernel_poll(NULL, 0, kernel_deadline_ns(BIND_RETRY_PAUSE_MS));
    }
}

wiced_result_t wiced_tcp_bind(wiced_tcp_socket_t* socket, uint16_t port) {
    tcp_socket_t* state = tcp_socket_hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_result_t result = bind_socket(state, port);
    tcp_socket_drop(state);
    return result;
}

/* Refusal, time-out and every other failure are one code on the lab's stack: 7014. */
static wiced_result_t connect_descriptor(int fd, int cancel_fd, uint32_t address, uint16_t port,
                                         uint64_t deadline_ns) {
    struct sockaddr_in in = system_address(network_route(address), port);
    if (connect(fd, (const struct sockaddr*)&in, sizeof(in)) == 0) {
        return WICED_SUCCESS;
    }
    if (errno != EINPROGRESS) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    struct pollfd descriptors[2] = {{.fd = fd, .events = POLLOUT},
                                    {.fd = cancel_fd, .events = POLLIN}};
    kernel_wait_result_t waited = kernel_poll(descriptors, 2, deadline_ns);
    if (waited == KERNEL_ABORTED) {
        return WICED_TCPIP_WAIT_ABORTED;
    }
    int failure = 0;
    socklen_t size = sizeof(failure);
    if (waited == KERNEL_TIMED_OUT || descriptors[1].revents != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure != 0) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    return WICED_SUCCESS;
}

static wiced_result_t handshake(tcp_socket_t* state, tcp_connection_t* connection,
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

/* Gives the socket its connection; false when it was deleted meanwhile. */
static bool adopt(tcp_socket_t* state, tcp_connection_t* connection, bool is_ready) {
    pthread_mutex_lock(&tcp_lock);
    bool is_alive = state->owner != NULL && state->connection == NULL;
    if (is_alive) {
        connection->is_ready = is_ready;
        state->connection = connection;
        state->is_receive_posted = false;
        ++connection->references; /* the caller keeps its own */
    }
    pthread_mutex_unlock(&tcp_lock);
    tcp_events_changed();
    return is_alive;
}

static tcp_connection_t* detach(tcp_socket_t* state) {
    pthread_mutex_lock(&tcp_lock);
    tcp_connection_t* connection = state->connection;
    state->connection = NULL;
    pthread_mutex_unlock(&tcp_lock);
    return connection;
}

static wiced_result_t connect_socket(tcp_socket_t* state, uint32_t address, uint16_t port,
                                     uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    int fd = state->bound_fd;
    state->bound_fd = -1;
    if (fd < 0) {
        fd = open_bound(network_outgoing_address(), state->bound_port);
    }
    if (fd < 0) {
        return WICED_TCPIP_PORT_UNAVAILABLE;
    }
    state->is_connecting = true;
    wiced_result_t result = connect_descriptor(fd, state->cancel_fd, address, port, deadline_ns);
    state->is_connecting = false;
    tcp_connection_t* connection = result == WICED_SUCCESS ? make_connection(fd) : NULL;
    if (connection == NULL) {
        close(fd);
        return result == WICED_SUCCESS ? WICED_OUT_OF_HEAP_SPACE : result;
    }
    if (!adopt(state, connection, state->tls_context == NULL)) {
        tcp_connection_drop(connection);
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    if (state->tls_context != NULL) {
        result = handshake(state, connection, WICED_TLS_AS_CLIENT, WICED_TLS_DEFAULT_VERIFICATION);
    }
    tcp_connection_drop(connection);
    if (result != WICED_SUCCESS) {
        state->is_bound = false;
        state->bound_port = 0;
        tcp_connection_t* failed = detach(state);
        if (failed != NULL) {
            close_gracefully(failed, 0);
        }
    }
    return result;
}

wiced_result_t wiced_tcp_connect(wiced_tcp_socket_t* socket, const wiced_ip_address_t* address,
                                 uint16_t port, uint32_t timeout_ms) {
    if (address == NULL) {
        return WICED_BADARG;
    }
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    tcp_socket_t* state = tcp_socket_hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_result_t result = WICED_ERROR;
    if (address->version != WICED_IPV4) {
        result = WICED_UNSUPPORTED;
    } else if (state->connection == NULL && state->listener == NULL) {
        result = connect_socket(state, GET_IPV4_ADDRESS(*address), port, timeout_ms);
    }
    tcp_socket_drop(state);
    return result;
}

/* --- the server's side ----------------------------------------------------------------------- */

static tcp_listener_t* open_listener(uint16_t port) {
    tcp_listener_t* listener = calloc(1, sizeof(*listener));
    int fd = open_bound(network_listening_address(), port);
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
    tcp_socket_t* state = find(socket);
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
    tcp_connection_t* connection = make_connection(fd);
    if (connection == NULL) {
        close(fd);
        return WICED_OUT_OF_HEAP_SPACE;
    }
    if (!adopt(state, connection, state->tls_context == NULL)) {
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
        result = handshake(state, connection, WICED_TLS_AS_SERVER, WICED_TLS_DEFAULT_VERIFICATION);
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
    tcp_connection_t* previous = detach(state);
    if (previous != NULL) {
        close_gracefully(previous, application_settings.disconnect_timeout_ms);
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
    listener_drop_locked(listener);
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

/* --- both sides ------------------------------------------------------------------------------ */

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
    close_gracefully(connection, timeout_ms);
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
        result = connection->tls == NULL ? handshake(state, connection, type, verification)
                                         : WICED_ERROR;
        tcp_connection_drop(connection);
    }
    tcp_socket_drop(state);
    return result;
}

static wiced_socket_state_t connection_state(int fd) {
    struct tcp_info info;
    socklen_t size = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
        return WICED_SOCKET_ERROR;
    }
    if (info.tcpi_state == TCP_ESTABLISHED) {
        return WICED_SOCKET_CONNECTED;
    }
    return info.tcpi_state == TCP_CLOSE ? WICED_SOCKET_CLOSED : WICED_SOCKET_CLOSING;
}

wiced_result_t wiced_tcp_get_socket_state(wiced_tcp_socket_t* socket, wiced_socket_state_t* state) {
    if (socket == NULL) {
        *state = WICED_SOCKET_ERROR;
        return WICED_BADARG;
    }
    *state = WICED_SOCKET_CLOSED;
    pthread_mutex_lock(&tcp_lock);
    const tcp_socket_t* found = find(socket);
    if (found != NULL && found->connection != NULL) {
        *state = connection_state(found->connection->fd);
    } else if (found != NULL && found->is_connecting) {
        *state = WICED_SOCKET_CONNECTING;
    } else if (found != NULL && found->listener != NULL && found->listener->current == found) {
        *state = WICED_SOCKET_LISTEN;
    }
    pthread_mutex_unlock(&tcp_lock);
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_server_peer(wiced_tcp_socket_t* socket, wiced_ip_address_t* address,
                                     uint16_t* port) {
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection == NULL) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    struct sockaddr_in in;
    socklen_t size = sizeof(in);
    bool is_known = getpeername(connection->fd, (struct sockaddr*)&in, &size) == 0;
    tcp_connection_drop(connection);
    if (!is_known) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    SET_IPV4_ADDRESS(*address, ntohl(in.sin_addr.s_addr));
    *port = ntohs(in.sin_port);
    return WICED_SUCCESS;
}

/* interval is not used: the lab's stack ignores it as well. */
wiced_result_t wiced_tcp_enable_keepalive(wiced_tcp_socket_t* socket, uint16_t interval,
                                          uint16_t probes, uint16_t time) {
    (void)interval;
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection != NULL) {
        int one = 1;
        int count = probes;
        int idle_s = time;
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
        (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
        (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
        tcp_connection_drop(connection);
    }
    return WICED_SUCCESS;
}

void wiced_tcp_set_type_of_service(wiced_tcp_socket_t* socket, uint32_t tos) {
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection != NULL) {
        int value = (int)(tos & 0xFFu);
        (void)setsockopt(connection->fd, IPPROTO_IP, IP_TOS, &value, sizeof(value));
        tcp_connection_drop(connection);
    }
}
