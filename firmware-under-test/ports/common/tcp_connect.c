/* The client's side: bind and connect. */
#include "application.h"
#include "kernel.h"
#include "network.h"
#include "tcp.h"
#include "transport.h"

#define BIND_RETRY_PAUSE_MS 20

static wiced_result_t bind_socket(tcp_socket_t* state, uint16_t port) {
    uint64_t deadline_ns = kernel_deadline_ns(application_settings.bind_timeout_ms);
    if (state->is_bound || state->listener != NULL || state->connection != NULL) {
        return WICED_ERROR;
    }
    for (;;) {
        wiced_result_t result = transport_bind(state, port);
        state->is_bound = result == WICED_SUCCESS;
        if (result != WICED_TCPIP_PORT_UNAVAILABLE || kernel_now_ns() >= deadline_ns) {
            return result;
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

static void undo_connect(tcp_socket_t* state) {
    tcp_lock();
    tcp_socket_unbind_locked(state);
    tcp_unlock();
    tcp_connection_t* failed = tcp_socket_detach(state);
    if (failed != NULL) {
        tcp_connection_end(failed, 0);
    }
}

/* The caller has marked the socket as connecting. */
static wiced_result_t connect_socket(tcp_socket_t* state, uint32_t address, uint16_t port,
                                     uint32_t timeout_ms) {
    tcp_connection_t* connection = NULL;
    wiced_result_t result =
        transport_connect(state, address, port, kernel_deadline_ns(timeout_ms), &connection);
    state->is_connecting = false;
    if (result != WICED_SUCCESS) {
        return result;
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
        undo_connect(state);
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
    } else if (state->connection == NULL && state->listener == NULL &&
               !atomic_exchange(&state->is_connecting, true)) {
        result = connect_socket(state, GET_IPV4_ADDRESS(*address), port, timeout_ms);
    }
    tcp_socket_drop(state);
    return result;
}
