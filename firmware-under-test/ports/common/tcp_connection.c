/* Connections: who holds one, and TLS over one. */
#include <stdlib.h>

#include "application.h"
#include "kernel.h"
#include "tcp.h"
#include "tls.h"
#include "transport.h"

tcp_connection_t* tcp_connection_hold(const wiced_tcp_socket_t* socket) {
    tcp_lock();
    const tcp_socket_t* state = tcp_socket_find_locked(socket);
    tcp_connection_t* connection = state != NULL ? state->connection : NULL;
    if (connection != NULL) {
        ++connection->references;
    }
    tcp_unlock();
    return connection;
}

void tcp_connection_drop_locked(tcp_connection_t* connection) {
    if (--connection->references == 0) {
        tls_free(connection->tls);
        transport_close(connection);
        free(connection);
    }
}

void tcp_connection_drop(tcp_connection_t* connection) {
    tcp_lock();
    tcp_connection_drop_locked(connection);
    tcp_unlock();
}

void tcp_connection_end(tcp_connection_t* connection, uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    if (connection->tls != NULL) {
        tls_close_notify(connection->tls);
    }
    transport_end(connection, deadline_ns);
    tcp_connection_drop(connection);
}

tcp_security_t tcp_security(const wiced_tcp_socket_t* socket) {
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection == NULL) {
        return TCP_NOT_CONNECTED;
    }
    tcp_security_t security =
        connection->is_ready && connection->tls != NULL ? TCP_SECURE : TCP_IN_THE_CLEAR;
    tcp_connection_drop(connection);
    return security;
}

wiced_result_t tcp_handshake(tcp_socket_t* state, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification) {
    tls_session_t* tls = NULL;
    wiced_result_t result =
        tls_handshake(state, connection, type, verification,
                      kernel_deadline_ns(application_settings.handshake_timeout_ms), &tls);
    tcp_lock();
    connection->tls = tls;
    connection->is_ready = result == WICED_SUCCESS;
    tcp_unlock();
    tcp_changed();
    return result;
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
        result = connection->tls == NULL ? tcp_handshake(state, connection, type, verification)
                                         : WICED_ERROR;
        tcp_connection_drop(connection);
    }
    tcp_socket_drop(state);
    return result;
}
