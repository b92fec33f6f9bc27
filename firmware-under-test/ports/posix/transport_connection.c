#include "transport_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel_poll.h"
#include "tcpip_wait.h"
#include "transport.h"

tcp_connection_t* transport_connection_make(int fd) {
    tcp_connection_t* connection = calloc(1, sizeof(*connection));
    if (connection != NULL) {
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        connection->references = 1;
        connection->transport.fd = fd;
    }
    return connection;
}

wiced_result_t transport_read(tcp_connection_t* connection, uint8_t* buffer, size_t size,
                              size_t* count) {
    ssize_t got = recv(connection->transport.fd, buffer, size, MSG_DONTWAIT);
    if (got > 0) {
        *count = (size_t)got;
        return WICED_SUCCESS;
    }
    bool is_empty = got < 0 && (errno == EAGAIN || errno == EINTR);
    return is_empty ? WICED_WOULD_BLOCK : WICED_TCPIP_SOCKET_CLOSED;
}

wiced_result_t transport_await_data(tcp_connection_t* connection, uint64_t deadline_ns) {
    struct pollfd descriptor = {.fd = connection->transport.fd, .events = POLLIN};
    return tcpip_wait_result(kernel_poll(&descriptor, 1, deadline_ns));
}

wiced_result_t transport_write(tcp_connection_t* connection, const uint8_t* data, size_t size,
                               uint64_t deadline_ns) {
    int fd = connection->transport.fd;
    size_t sent_size = 0;
    while (sent_size < size) {
        ssize_t sent = send(fd, data + sent_size, size - sent_size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            sent_size += (size_t)sent;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
        struct pollfd descriptor = {.fd = fd, .events = POLLOUT};
        if (kernel_poll(&descriptor, 1, deadline_ns) != KERNEL_WOKEN) {
            if (sent_size > 0) {
                /* Half a packet cannot be taken back, nor sent again: this connection is over. */
                (void)shutdown(fd, SHUT_RDWR);
            }
            return WICED_ERROR;
        }
    }
    return WICED_SUCCESS;
}

void transport_end(tcp_connection_t* connection, uint64_t deadline_ns) {
    int fd = connection->transport.fd;
    if (shutdown(fd, SHUT_WR) == 0) {
        uint8_t discarded[1024];
        for (;;) {
            ssize_t got = recv(fd, discarded, sizeof(discarded), MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
                break;
            }
            struct pollfd descriptor = {.fd = fd, .events = POLLIN};
            if (got < 0 && kernel_poll(&descriptor, 1, deadline_ns) != KERNEL_WOKEN) {
                break;
            }
        }
    }
    (void)shutdown(fd, SHUT_RDWR);
}

void transport_close(tcp_connection_t* connection) {
    close(connection->transport.fd);
}

wiced_socket_state_t transport_state(const tcp_connection_t* connection) {
    struct tcp_info info;
    socklen_t size = sizeof(info);
    if (getsockopt(connection->transport.fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
        return WICED_SOCKET_ERROR;
    }
    if (info.tcpi_state == TCP_ESTABLISHED) {
        return WICED_SOCKET_CONNECTED;
    }
    return info.tcpi_state == TCP_CLOSE ? WICED_SOCKET_CLOSED : WICED_SOCKET_CLOSING;
}

bool transport_peer(const tcp_connection_t* connection, uint32_t* address, uint16_t* port) {
    struct sockaddr_in in;
    socklen_t size = sizeof(in);
    if (getpeername(connection->transport.fd, (struct sockaddr*)&in, &size) != 0) {
        return false;
    }
    *address = ntohl(in.sin_addr.s_addr);
    *port = ntohs(in.sin_port);
    return true;
}

void transport_apply_options(const tcp_socket_t* socket) {
    int fd = socket->connection->transport.fd;
    int type_of_service = socket->type_of_service;
    (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &type_of_service, sizeof(type_of_service));
    if (socket->has_keepalive) {
        int one = 1;
        int count = socket->keepalive_probes;
        int idle_s = socket->keepalive_time_s;
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    }
}
