#include <string.h>

#include "application.h"
#include "network.h"
#include "packet.h"
#include "tcp.h"
#include "tls.h"
#include "wiced_utilities.h"

static wiced_result_t read_once(tcp_connection_t* connection, uint8_t* buffer, size_t size,
                                size_t* count) {
    if (connection->tls != NULL) {
        return tls_operations()->read(connection->tls, buffer, size, count);
    }
    int got = tcp_connection_take(connection, buffer, size);
    if (got > 0) {
        *count = (size_t)got;
        return WICED_SUCCESS;
    }
    return got < 0 ? WICED_WOULD_BLOCK : WICED_TCPIP_SOCKET_CLOSED;
}

static bool has_something(const tcp_connection_t* connection) {
    return connection->received != NULL || tcp_connection_has_ended(connection) ||
           (connection->tls != NULL && tls_operations()->has_decrypted_data(connection->tls));
}

static wiced_result_t await_something(tcp_connection_t* connection, uint64_t deadline_ns) {
    while (!has_something(connection)) {
        switch (tcp_connection_wait(connection, deadline_ns)) {
            case KERNEL_WOKEN:
                break;
            case KERNEL_TIMED_OUT:
                return WICED_TIMEOUT;
            case KERNEL_ABORTED:
                return WICED_TCPIP_WAIT_ABORTED;
        }
    }
    return WICED_SUCCESS;
}

/* A packet is taken once there is something to put into it: threads that wait hold none. */
static wiced_result_t read_packet(tcp_connection_t* connection, uint64_t deadline_ns,
                                  wiced_packet_t** packet) {
    if (!connection->is_ready) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    for (;;) {
        size_t count = 0;
        WICED_VERIFY(await_something(connection, deadline_ns));
        WICED_VERIFY(packet_take(PACKET_POOL_RX, deadline_ns, packet));
        wiced_result_t result =
            read_once(connection, (*packet)->buffer, PACKET_PAYLOAD_MAX, &count);
        if (result == WICED_SUCCESS) {
            (*packet)->end = (*packet)->start + count;
            return WICED_SUCCESS;
        }
        (void)packet_give(*packet);
        *packet = NULL;
        if (result != WICED_WOULD_BLOCK) {
            return result;
        }
    }
}

static wiced_result_t send_bytes(wiced_tcp_socket_t* socket, const uint8_t* data, size_t size) {
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection == NULL) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    uint64_t deadline_ns = kernel_deadline_ns(application_settings.send_timeout_ms);
    wiced_result_t result = WICED_TCPIP_SOCKET_CLOSED;
    if (connection->is_ready && connection->tls != NULL) {
        result = tls_operations()->write(connection->tls, data, size, deadline_ns);
    } else if (connection->is_ready) {
        result = tcp_connection_put(connection, data, size, deadline_ns);
    }
    tcp_connection_drop(connection);
    return result;
}

wiced_result_t wiced_tcp_send_packet(wiced_tcp_socket_t* socket, wiced_packet_t* packet) {
    if (!packet_is_allocated(packet)) {
        return WICED_TCPIP_INVALID_PACKET;
    }
    size_t size = packet->end > packet->start ? (size_t)(packet->end - packet->start) : 0;
    wiced_result_t result = send_bytes(socket, packet->start, size);
    if (result == WICED_SUCCESS) {
        (void)packet_give(packet);
    }
    return result;
}

wiced_result_t wiced_tcp_send_buffer(wiced_tcp_socket_t* socket, const void* buffer,
                                     uint16_t length) {
    const uint8_t* data = buffer;
    while (length > 0) {
        wiced_packet_t* packet = NULL;
        uint8_t* to = NULL;
        uint16_t space = 0;
        wiced_result_t result = wiced_packet_create_tcp(socket, length, &packet, &to, &space);
        if (result != WICED_SUCCESS) {
            return result;
        }
        uint16_t part = space != 0 && length > space ? space : length;
        part = part > PACKET_PAYLOAD_MAX ? PACKET_PAYLOAD_MAX : part;
        memcpy(to, data, part);
        packet->end = to + part;
        result = wiced_tcp_send_packet(socket, packet);
        if (result != WICED_SUCCESS) {
            (void)packet_give(packet);
            return result;
        }
        data += part;
        length = (uint16_t)(length - part);
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_receive(wiced_tcp_socket_t* socket, wiced_packet_t** packet,
                                 uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    *packet = NULL;
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    tcp_connection_t* connection = tcp_connection_hold(socket);
    if (connection == NULL) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    wiced_result_t result = read_packet(connection, deadline_ns, packet);
    tcp_connection_drop(connection);
    /* Whoever asked may be told of more. */
    tcp_socket_t* state = tcp_socket_find(socket);
    if (state != NULL && result != WICED_TCPIP_SOCKET_CLOSED) {
        state->is_receive_posted = false;
    }
    return result;
}
