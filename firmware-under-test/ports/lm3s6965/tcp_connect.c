/* The client's side: bind and connect. */
#include "application.h"
#include "lwip/tcp.h"
#include "network.h"
#include "tcp.h"

#define BIND_RETRY_PAUSE_MS 20

static wiced_result_t bind_socket(tcp_socket_t* state, uint16_t port) {
    uint64_t deadline_ns = kernel_deadline_ns(application_settings.bind_timeout_ms);
    if (state->is_bound || state->listener != NULL || state->connection != NULL) {
        return WICED_ERROR;
    }
    struct tcp_pcb* pcb = tcp_new();
    if (pcb == NULL) {
        return WICED_ERROR;
    }
    for (;;) {
        err_t error = tcp_bind(pcb, IP4_ADDR_ANY, port);
        if (error == ERR_OK) {
            state->bound = pcb;
            state->is_bound = true;
            return WICED_SUCCESS;
        }
        if (error != ERR_USE || kernel_now_ns() >= deadline_ns) {
            (void)tcp_close(pcb);
            return error == ERR_USE ? WICED_TCPIP_PORT_UNAVAILABLE : WICED_ERROR;
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

static err_t connection_established(void* arg, struct tcp_pcb* pcb, err_t error) {
    tcp_connection_t* connection = arg;
    (void)pcb;
    connection->is_established = error == ERR_OK;
    kernel_lock();
    kernel_wake_all(&connection->changed);
    kernel_unlock();
    return ERR_OK;
}

/* Refusal, time-out and every other failure are one code on the lab's stack: 7014. */
static wiced_result_t reach_peer(const tcp_socket_t* state, tcp_connection_t* connection,
                                 uint32_t address, uint16_t port, uint64_t deadline_ns) {
    ip_addr_t peer = IPADDR4_INIT(lwip_htonl(address));
    if (tcp_connect(connection->pcb, &peer, port, connection_established) != ERR_OK) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    while (!connection->is_established) {
        kernel_wait_result_t waited = tcp_connection_wait(connection, deadline_ns);
        if (waited == KERNEL_ABORTED) {
            return WICED_TCPIP_WAIT_ABORTED;
        }
        if (waited == KERNEL_TIMED_OUT || connection->pcb == NULL || state->owner == NULL) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
    return WICED_SUCCESS;
}

static wiced_result_t secure(tcp_socket_t* state, tcp_connection_t* connection) {
    if (state->tls_context == NULL) {
        return WICED_SUCCESS;
    }
    wiced_result_t result =
        tcp_handshake(state, connection, WICED_TLS_AS_CLIENT, WICED_TLS_DEFAULT_VERIFICATION);
    if (result != WICED_SUCCESS) {
        state->is_bound = false;
        tcp_connection_t* failed = tcp_socket_detach(state);
        if (failed != NULL) {
            tcp_connection_end(failed, 0);
        }
    }
    return result;
}

static wiced_result_t connect_socket(tcp_socket_t* state, uint32_t address, uint16_t port,
                                     uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    struct tcp_pcb* pcb = state->bound != NULL ? state->bound : tcp_new();
    state->bound = NULL;
    tcp_connection_t* connection = pcb != NULL ? tcp_connection_make(pcb) : NULL;
    if (connection == NULL) {
        if (pcb != NULL) {
            (void)tcp_close(pcb);
        }
        return WICED_OUT_OF_HEAP_SPACE;
    }
    state->is_connecting = true;
    wiced_result_t result = reach_peer(state, connection, address, port, deadline_ns);
    state->is_connecting = false;
    if (result != WICED_SUCCESS) {
        tcp_connection_abort(connection);
    } else if (!tcp_socket_adopt(state, connection, state->tls_context == NULL)) {
        result = WICED_TCPIP_SOCKET_CLOSED;
    } else {
        result = secure(state, connection);
    }
    tcp_connection_drop(connection);
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
    } else if (state->connection == NULL && state->listener == NULL && !state->is_connecting) {
        result = connect_socket(state, GET_IPV4_ADDRESS(*address), port, timeout_ms);
    }
    tcp_socket_drop(state);
    return result;
}
