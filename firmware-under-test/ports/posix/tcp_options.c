/* What a program asks about a socket and sets on it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tcp.h"

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
    const tcp_socket_t* found = tcp_socket_find_locked(socket);
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

void tcp_options_apply_locked(const tcp_socket_t* socket) {
    if (socket->connection == NULL) {
        return;
    }
    int fd = socket->connection->fd;
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

/* interval is not used: the lab's stack ignores it as well. */
wiced_result_t wiced_tcp_enable_keepalive(wiced_tcp_socket_t* socket, uint16_t interval,
                                          uint16_t probes, uint16_t time) {
    (void)interval;
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL) {
        state->has_keepalive = true;
        state->keepalive_probes = probes;
        state->keepalive_time_s = time;
        tcp_options_apply_locked(state);
    }
    pthread_mutex_unlock(&tcp_lock);
    return WICED_SUCCESS;
}

void wiced_tcp_set_type_of_service(wiced_tcp_socket_t* socket, uint32_t tos) {
    pthread_mutex_lock(&tcp_lock);
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL) {
        state->type_of_service = (uint8_t)tos;
        tcp_options_apply_locked(state);
    }
    pthread_mutex_unlock(&tcp_lock);
}
