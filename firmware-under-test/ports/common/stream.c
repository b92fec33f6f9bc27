#include <string.h>

#include "packet.h"
#include "wiced_tcpip.h"

wiced_result_t wiced_tcp_stream_init(wiced_tcp_stream_t* stream, wiced_tcp_socket_t* socket) {
    memset(stream, 0, sizeof(*stream));
    stream->socket = socket;
    return WICED_SUCCESS;
}

static void forget_tx_packet(wiced_tcp_stream_t* stream) {
    stream->tx_packet = NULL;
    stream->tx_packet_data = NULL;
    stream->tx_packet_data_length = 0;
    stream->tx_packet_space_available = 0;
}

wiced_result_t wiced_tcp_stream_flush(wiced_tcp_stream_t* stream) {
    wiced_packet_t* packet = stream->tx_packet;
    if (packet == NULL) {
        return WICED_SUCCESS;
    }
    packet->end = stream->tx_packet_data;
    forget_tx_packet(stream);
    wiced_result_t result = wiced_tcp_send_packet(stream->socket, packet);
    if (result != WICED_SUCCESS) {
        wiced_packet_delete(packet);
    }
    return result;
}

wiced_result_t wiced_tcp_stream_deinit(wiced_tcp_stream_t* stream) {
    (void)wiced_tcp_stream_flush(stream);
    if (stream->rx_packet != NULL) {
        wiced_packet_delete(stream->rx_packet);
    }
    memset(stream, 0, sizeof(*stream));
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_stream_write(wiced_tcp_stream_t* stream, const void* data,
                                      uint32_t data_length) {
    const uint8_t* from = data;
    while (data_length > 0) {
        if (stream->tx_packet == NULL) {
            wiced_result_t result = wiced_packet_create_tcp(stream->socket, 0, &stream->tx_packet,
                                                            &stream->tx_packet_data,
                                                            &stream->tx_packet_space_available);
            if (result == WICED_SUCCESS && stream->tx_packet_space_available == 0) {
                wiced_packet_delete(stream->tx_packet);
                result = WICED_TCPIP_SOCKET_CLOSED; /* no connection, no room */
            }
            if (result != WICED_SUCCESS) {
                forget_tx_packet(stream);
                return result;
            }
        }
        uint16_t part = data_length < stream->tx_packet_space_available
                            ? (uint16_t)data_length
                            : stream->tx_packet_space_available;
        memcpy(stream->tx_packet_data, from, part);
        from += part;
        data_length -= part;
        stream->tx_packet_data += part;
        stream->tx_packet_data_length = (uint16_t)(stream->tx_packet_data_length + part);
        stream->tx_packet_space_available = (uint16_t)(stream->tx_packet_space_available - part);
        if (stream->tx_packet_space_available == 0) {
            wiced_result_t result = wiced_tcp_stream_flush(stream);
            if (result != WICED_SUCCESS) {
                return result;
            }
        }
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_stream_write_resource(wiced_tcp_stream_t* stream,
                                               const resource_hnd_t* resource) {
    const void* data = NULL;
    uint32_t size = 0;
    wiced_result_t result = resource_get_readonly_buffer(resource, 0, UINT32_MAX, &size, &data);
    if (result == WICED_SUCCESS) {
        result = wiced_tcp_stream_write(stream, data, size);
        resource_free_readonly_buffer(resource, data);
    }
    return result;
}

/* Copies what is there or comes; *read_count tells how much, also with an error. */
static wiced_result_t fill(wiced_tcp_stream_t* stream, uint8_t* buffer, uint16_t buffer_length,
                           uint32_t timeout_ms, uint32_t* read_count) {
    *read_count = 0;
    while (*read_count < buffer_length) {
        if (stream->rx_packet == NULL) {
            wiced_result_t result =
                wiced_tcp_receive(stream->socket, &stream->rx_packet, timeout_ms);
            if (result != WICED_SUCCESS) {
                return result;
            }
        }
        wiced_packet_t* packet = stream->rx_packet;
        size_t there = (size_t)(packet->end - packet->start);
        size_t wanted = buffer_length - *read_count;
        size_t part = there < wanted ? there : wanted;
        memcpy(buffer + *read_count, packet->start, part);
        packet->start += part;
        *read_count += (uint32_t)part;
        if (part == there) {
            wiced_packet_delete(packet);
            stream->rx_packet = NULL;
        }
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_stream_read(wiced_tcp_stream_t* stream, void* buffer,
                                     uint16_t buffer_length, uint32_t timeout_ms) {
    uint32_t consumed = 0;
    return fill(stream, buffer, buffer_length, timeout_ms, &consumed);
}

wiced_result_t wiced_tcp_stream_read_with_count(wiced_tcp_stream_t* stream, void* buffer,
                                                uint16_t buffer_length, uint32_t timeout_ms,
                                                uint32_t* read_count) {
    wiced_result_t result = fill(stream, buffer, buffer_length, timeout_ms, read_count);
    return *read_count > 0 ? WICED_SUCCESS : result;
}
