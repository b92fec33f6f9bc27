/* The client's side: bind and connect. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "application.h"
#include "kernel_poll.h"
#include "network.h"
#include "tcp.h"

#define BIND_RETRY_PAUSE_MS 20

static wiced_result_t bind_socket(tcp_socket_t* state, uint16_t port) {
    uint64_t deadline_ns = kernel_deadline_ns(application_settings.bind_timeout_ms);
    if (state->is_bound || state->listener != NULL || state->connection != NULL) {
        return WICED_ERROR;
    }
    for (;;) {
        int fd = tcp_open_bound(network_outgoing_address(), port);
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
        (void)kernel_sleep_until(kernel_deadline_ns(BIND_RETRY_PAUSE_MS));
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
    struct sockaddr_in in = tcp_system_address(network_route(address), port);
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

static wiced_result_t connect_socket(tcp_socket_t* state, uint32_t address, uint16_t port,
                                     uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    int fd = state->bound_fd;
    state->bound_fd = -1;
    if (fd < 0) {
        fd = tcp_open_bound(network_outgoing_address(), state->bound_port);
    }
    if (fd < 0) {
        return WICED_TCPIP_PORT_UNAVAILABLE;
    }
    state->is_connecting = true;
    wiced_result_t result = connect_descriptor(fd, state->cancel_fd, address, port, deadline_ns);
    state->is_connecting = false;
    tcp_connection_t* connection = result == WICED_SUCCESS ? tcp_connection_make(fd) : NULL;
    if (connection == NULL) {
        close(fd);
        return result == WICED_SUCCESS ? WICED_OUT_OF_HEAP_SPACE : result;
    }
    if (!tcp_socket_adopt(state, connection, state->tls_context == NULL)) {
        tcp_connection_drop(connection);
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    if (state->tls_context != NULL) {
        result =
            tcp_handshake(state, connection, WICED_TLS_AS_CLIENT, WICED_TLS_DEFAULT_VERIFICATION);
    }
    tcp_connection_drop(connection);
    if (result != WICED_SUCCESS) {
        state->is_bound = false;
        state->bound_port = 0;
        tcp_connection_t* failed = tcp_socket_detach(state);
        if (failed != NULL) {
            tcp_connection_end(failed, 0);
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
