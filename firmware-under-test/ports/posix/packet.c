#include "packet.h"

#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "kernel.h"
#include "tcp.h"

/* What a TLS record may add: header, explicit nonce, MAC or tag, padding. */
#define TLS_OVERHEAD_MAX (5 + 16 + 48 + 16)

typedef struct {
    wiced_packet_t* packets;
    uint32_t size;
    /* First in, first out: a stale pointer to a packet stays harmless for as long as possible. */
    wiced_packet_t* first_free;
    wiced_packet_t* last_free;
    kernel_wait_list_t waiters;
} pool_t;

static pool_t pools[PACKET_POOL_COUNT]; /* under the kernel lock */

static void append_free(pool_t* pool, wiced_packet_t* packet) {
    packet->is_allocated = false;
    packet->next_free = NULL;
    if (pool->last_free != NULL) {
        pool->last_free->next_free = packet;
    } else {
        pool->first_free = packet;
    }
    pool->last_free = packet;
}

static bool boot_pool(packet_pool_id_t id, uint32_t size) {
    pool_t* pool = &pools[id];
    free(pool->packets);
    memset(pool, 0, sizeof(*pool));
    pool->packets = calloc(size, sizeof(wiced_packet_t));
    if (pool->packets == NULL) {
        return false;
    }
    pool->size = size;
    for (uint32_t i = 0; i < size; ++i) {
        pool->packets[i].pool = id;
        append_free(pool, &pool->packets[i]);
    }
    return true;
}

bool packet_boot(uint32_t tx_packets_max, uint32_t rx_packets_max) {
    kernel_lock();
    bool is_made =
        boot_pool(PACKET_POOL_TX, tx_packets_max) && boot_pool(PACKET_POOL_RX, rx_packets_max);
    kernel_unlock();
    return is_made;
}

wiced_result_t packet_take(packet_pool_id_t id, uint64_t deadline_ns, wiced_packet_t** packet) {
    pool_t* pool = &pools[id];
    wiced_result_t result = WICED_SUCCESS;
    *packet = NULL;
    kernel_lock();
    while (pool->first_free == NULL && result == WICED_SUCCESS) {
        switch (kernel_wait(&pool->waiters, deadline_ns)) {
            case KERNEL_WOKEN:
                break;
            case KERNEL_TIMED_OUT:
                result = WICED_TIMEOUT;
                break;
            case KERNEL_ABORTED:
                result = WICED_TCPIP_WAIT_ABORTED;
                break;
        }
    }
    if (result == WICED_SUCCESS) {
        wiced_packet_t* taken = pool->first_free;
        pool->first_free = taken->next_free;
        if (pool->first_free == NULL) {
            pool->last_free = NULL;
        }
        taken->is_allocated = true;
        taken->start = taken->buffer;
        taken->end = taken->buffer;
        *packet = taken;
    }
    kernel_unlock();
    return result;
}

static bool is_allocated(const wiced_packet_t* packet) {
    for (size_t id = 0; id < PACKET_POOL_COUNT; ++id) {
        for (uint32_t i = 0; i < pools[id].size; ++i) {
            if (packet == &pools[id].packets[i]) {
                return packet->is_allocated;
            }
        }
    }
    return false;
}

bool packet_is_allocated(const wiced_packet_t* packet) {
    kernel_lock();
    bool allocated = is_allocated(packet);
    kernel_unlock();
    return allocated;
}

bool packet_give(wiced_packet_t* packet) {
    kernel_lock();
    bool is_given = is_allocated(packet);
    if (is_given) {
        pool_t* pool = &pools[packet->pool];
        append_free(pool, packet);
        kernel_wake_one(&pool->waiters);
    }
    kernel_unlock();
    return is_given;
}

static wiced_result_t create(uint16_t space, wiced_packet_t** packet, uint8_t** data,
                             uint16_t* available_space) {
    wiced_result_t result = packet_take(
        PACKET_POOL_TX, kernel_deadline_ns(application_settings.packet_timeout_ms), packet);
    *data = *packet != NULL ? (*packet)->buffer : NULL;
    *available_space = *packet != NULL ? space : 0;
    return result;
}

wiced_result_t wiced_packet_create_tcp(wiced_tcp_socket_t* socket, uint16_t content_length,
                                       wiced_packet_t** packet, uint8_t** data,
                                       uint16_t* available_space) {
    uint16_t space = 0;
    (void)content_length;
    switch (tcp_security(socket)) {
        case TCP_NOT_CONNECTED:
            break;
        case TCP_IN_THE_CLEAR:
            space = PACKET_PAYLOAD_MAX;
            break;
        case TCP_SECURE:
            space = PACKET_PAYLOAD_MAX - TLS_OVERHEAD_MAX;
            break;
    }
    return create(space, packet, data, available_space);
}

wiced_result_t wiced_packet_create_udp(wiced_udp_socket_t* socket, uint16_t content_length,
                                       wiced_packet_t** packet, uint8_t** data,
                                       uint16_t* available_space) {
    (void)socket;
    (void)content_length;
    return create(PACKET_PAYLOAD_MAX, packet, data, available_space);
}

wiced_result_t wiced_packet_create(uint16_t content_length, wiced_packet_t** packet, uint8_t** data,
                                   uint16_t* available_space) {
    (void)content_length;
    return create(PACKET_PAYLOAD_MAX, packet, data, available_space);
}

wiced_result_t wiced_packet_delete(wiced_packet_t* packet) {
    return packet_give(packet) ? WICED_SUCCESS : WICED_ERROR;
}

static bool is_inside(const wiced_packet_t* packet, const uint8_t* position) {
    return position >= packet->buffer && position <= packet->buffer + sizeof(packet->buffer);
}

wiced_result_t wiced_packet_set_data_start(wiced_packet_t* packet, uint8_t* data_start) {
    if (!packet_is_allocated(packet) || !is_inside(packet, data_start)) {
        return WICED_TCPIP_INVALID_PACKET;
    }
    packet->start = data_start;
    return WICED_SUCCESS;
}

wiced_result_t wiced_packet_set_data_end(wiced_packet_t* packet, uint8_t* data_end) {
    if (!packet_is_allocated(packet) || !is_inside(packet, data_end)) {
        return WICED_TCPIP_INVALID_PACKET;
    }
    packet->end = data_end;
    return WICED_SUCCESS;
}

wiced_result_t wiced_packet_get_data(wiced_packet_t* packet, uint16_t offset, uint8_t** data,
                                     uint16_t* fragment_available_data_length,
                                     uint16_t* total_available_data_length) {
    *data = NULL;
    *fragment_available_data_length = 0;
    *total_available_data_length = 0;
    if (!packet_is_allocated(packet)) {
        return WICED_TCPIP_INVALID_PACKET;
    }
    if (packet->end <= packet->start) {
        return WICED_SUCCESS;
    }
    uint16_t length = (uint16_t)(packet->end - packet->start);
    if (offset >= length) {
        return WICED_ERROR;
    }
    *data = packet->start + offset;
    *fragment_available_data_length = (uint16_t)(length - offset);
    *total_available_data_length = (uint16_t)(length - offset);
    return WICED_SUCCESS;
}

/* Packets of this port are never chains. */
wiced_result_t wiced_packet_get_next_fragment(wiced_packet_t* packet,
                                              wiced_packet_t** next_fragment) {
    *next_fragment = NULL;
    return packet_is_allocated(packet) ? WICED_SUCCESS : WICED_TCPIP_INVALID_PACKET;
}
