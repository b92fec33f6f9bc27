#include <string.h>

#include "application.h"
#include "kernel.h"
#include "network.h"
#include "packet.h"
#include "tcp.h"
#include "tls.h"
#include "transport.h"

static wiced_result_t read_once(tcp_connection_t* connection, uint8_t* buffer, size_t size,
                                size_t* count) {
    return connection->tls != NULL ? tls_read(connection->tls, buffer, size, count)
                                   : transport_read(connection, buffer, size, count);
}

/* Until there may be something to read: data, or the end. */
static wiced_result_t await_data(tcp_connection_t* connection, uint64_t deadline_ns) {
    if (!connection->is_ready) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    if (connection->tls != NULL && tls_can_read(connection->tls)) {
        return WICED_SUCCESS;
    }
    return transport_await_data(connection, deadline_ns);
}

/* A thread that waits for data holds no packet: only what is there uses up the pool. */
static wiced_result_t receive(tcp_connection_t* connection, uint64_t deadline_ns,
                              wiced_packet_t** packet) {
    for (;;) {
        wiced_result_t result = await_data(connection, deadline_ns);
        if (result == WICED_SUCCESS) {
            result = packet_take(PACKET_POOL_RX, deadline_ns, packet);
        }
        if (result != WICED_SUCCESS) {
            return result;
        }
        size_t count = 0;
        result = read_once(connection, (*packet)->buffer, PACKET_PAYLOAD_MAX, &count);
        if (result == WICED_SUCCESS) {
            (*packet)->end = (*packet)->start + count;
            return result;
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
        result = tls_write(connection->tls, data, size, deadline_ns);
    } else if (connection->is_ready) {
        result = transport_write(connection, data, size, deadline_ns);
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
    wiced_result_t result = receive(connection, deadline_ns, packet);
    tcp_connection_drop(connection);

    /* Whoever asked may be told of more. */
    tcp_lock();
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL && result != WICED_TCPIP_SOCKET_CLOSED) {
        state->is_receive_posted = false;
    }
    tcp_unlock();
    tcp_changed();
    return result;
}
