/* What a program asks about a socket and sets on it. */
#include "lwip/tcp.h"
#include "tcp.h"

static wiced_socket_state_t connection_state(const tcp_connection_t* connection) {
    if (connection->pcb == NULL) {
        return WICED_SOCKET_CLOSED;
    }
    return connection->pcb->state == ESTABLISHED ? WICED_SOCKET_CONNECTED : WICED_SOCKET_CLOSING;
}

wiced_result_t wiced_tcp_get_socket_state(wiced_tcp_socket_t* socket, wiced_socket_state_t* state) {
    if (socket == NULL) {
        *state = WICED_SOCKET_ERROR;
        return WICED_BADARG;
    }
    const tcp_socket_t* found = tcp_socket_find(socket);
    *state = WICED_SOCKET_CLOSED;
    if (found != NULL && found->connection != NULL) {
        *state = connection_state(found->connection);
    } else if (found != NULL && found->is_connecting) {
        *state = WICED_SOCKET_CONNECTING;
    } else if (found != NULL && found->listener != NULL && found->listener->current == found) {
        *state = WICED_SOCKET_LISTEN;
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_server_peer(wiced_tcp_socket_t* socket, wiced_ip_address_t* address,
                                     uint16_t* port) {
    const tcp_socket_t* state = tcp_socket_find(socket);
    if (state == NULL || state->connection == NULL || state->connection->pcb == NULL) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    const struct tcp_pcb* pcb = state->connection->pcb;
    SET_IPV4_ADDRESS(*address, lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(&pcb->remote_ip))));
    *port = pcb->remote_port;
    return WICED_SUCCESS;
}

void tcp_options_apply(const tcp_socket_t* socket) {
    if (socket->connection == NULL || socket->connection->pcb == NULL) {
        return;
    }
    struct tcp_pcb* pcb = socket->connection->pcb;
    pcb->tos = socket->type_of_service;
    if (socket->has_keepalive) {
        ip_set_option(pcb, SOF_KEEPALIVE);
        pcb->keep_cnt = socket->keepalive_probes;
        pcb->keep_idle = socket->keepalive_time_s * 1000u;
    }
}

/* interval is not used: the lab's stack ignores it as well. */
wiced_result_t wiced_tcp_enable_keepalive(wiced_tcp_socket_t* socket, uint16_t interval,
                                          uint16_t probes, uint16_t time) {
    tcp_socket_t* state = tcp_socket_find(socket);
    (void)interval;
    if (state != NULL) {
        state->has_keepalive = true;
        state->keepalive_probes = probes;
        state->keepalive_time_s = time;
        tcp_options_apply(state);
    }
    return WICED_SUCCESS;
}

void wiced_tcp_set_type_of_service(wiced_tcp_socket_t* socket, uint32_t tos) {
    tcp_socket_t* state = tcp_socket_find(socket);
    if (state != NULL) {
        state->type_of_service = (uint8_t)tos;
        tcp_options_apply(state);
    }
}
