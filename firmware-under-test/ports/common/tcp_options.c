/* What a program asks about a socket and sets on it. */
#include "tcp.h"
#include "transport.h"

wiced_result_t wiced_tcp_get_socket_state(wiced_tcp_socket_t* socket, wiced_socket_state_t* state) {
    if (socket == NULL) {
        *state = WICED_SOCKET_ERROR;
        return WICED_BADARG;
    }
    *state = WICED_SOCKET_CLOSED;
    tcp_lock();
    const tcp_socket_t* found = tcp_socket_find_locked(socket);
    if (found != NULL && found->connection != NULL) {
        *state = transport_state(found->connection);
    } else if (found != NULL && found->is_connecting) {
        *state = WICED_SOCKET_CONNECTING;
    } else if (found != NULL && found->listener != NULL && found->listener->current == found) {
        *state = WICED_SOCKET_LISTEN;
    }
    tcp_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_server_peer(wiced_tcp_socket_t* socket, wiced_ip_address_t* address,
                                     uint16_t* port) {
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection == NULL) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    uint32_t peer = 0;
    bool is_known = transport_peer(connection, &peer, port);
    tcp_connection_drop(connection);
    if (!is_known) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    SET_IPV4_ADDRESS(*address, peer);
    return WICED_SUCCESS;
}

static void apply_locked(const tcp_socket_t* state) {
    if (state->connection != NULL) {
        transport_apply_options(state);
    }
}

/* interval is not used: the lab's stack ignores it as well. */
wiced_result_t wiced_tcp_enable_keepalive(wiced_tcp_socket_t* socket, uint16_t interval,
                                          uint16_t probes, uint16_t time) {
    (void)interval;
    tcp_lock();
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL) {
        state->has_keepalive = true;
        state->keepalive_probes = probes;
        state->keepalive_time_s = time;
        apply_locked(state);
    }
    tcp_unlock();
    return WICED_SUCCESS;
}

void wiced_tcp_set_type_of_service(wiced_tcp_socket_t* socket, uint32_t tos) {
    tcp_lock();
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL) {
        state->type_of_service = (uint8_t)tos;
        apply_locked(state);
    }
    tcp_unlock();
}
