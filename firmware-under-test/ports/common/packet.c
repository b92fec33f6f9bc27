#include "packet.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "kernel.h"
#include "tcp.h"
#include "tcpip_wait.h"
#include "wiced_utilities.h"

/* What a TLS record may add: header, explicit nonce, MAC or tag, padding. */
#define TLS_OVERHEAD_MAX (5 + 16 + 48 + 16)

/* What a pool of the application's own keeps at the beginning of its memory. */
typedef struct packet_pool {
    struct packet_pool* next; /* among the application's own */
    wiced_packet_t* packets;
    uint32_t size;
    /* First in, first out: a stale pointer to a packet stays harmless for as long as possible. */
    wiced_packet_t* first_free;
    wiced_packet_t* last_free;
    kernel_wait_list_t waiters;
} pool_t;

/* All under the kernel lock. */
static pool_t pools[PACKET_POOL_COUNT];
static pool_t* pool_of[PACKET_POOL_COUNT];
static pool_t* own_pools;

static void (*before_refill)(void); /* set once, at boot */

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

static void fill(pool_t* pool, wiced_packet_t* packets, uint32_t size) {
    memset(packets, 0, size * sizeof(*packets));
    pool->packets = packets;
    pool->size = size;
    for (uint32_t i = 0; i < size; ++i) {
        packets[i].pool = pool;
        append_free(pool, &packets[i]);
    }
}

static bool boot_pool(packet_pool_id_t id, uint32_t size) {
    pool_t* pool = &pools[id];
    free(pool->packets);
    memset(pool, 0, sizeof(*pool));
    pool_of[id] = pool;
    wiced_packet_t* packets = calloc(size, sizeof(*packets));
    if (packets == NULL) {
        return false;
    }
    fill(pool, packets, size);
    return true;
}

bool packet_boot(uint32_t tx_packets_max, uint32_t rx_packets_max, uint32_t common_packets_max) {
    bool is_common = common_packets_max > 0;
    kernel_lock();
    own_pools = NULL;
    bool is_made = boot_pool(PACKET_POOL_TX, is_common ? common_packets_max : tx_packets_max);
    if (is_made && is_common) {
        pool_of[PACKET_POOL_RX] = pool_of[PACKET_POOL_TX];
    } else if (is_made) {
        is_made = boot_pool(PACKET_POOL_RX, rx_packets_max);
    }
    kernel_unlock();
    return is_made;
}

static wiced_result_t take_locked(pool_t* pool, uint64_t deadline_ns, wiced_packet_t** packet) {
    while (pool->first_free == NULL) {
        WICED_VERIFY(tcpip_wait_result(kernel_wait(&pool->waiters, deadline_ns)));
    }
    wiced_packet_t* taken = pool->first_free;
    pool->first_free = taken->next_free;
    if (pool->first_free == NULL) {
        pool->last_free = NULL;
    }
    taken->is_allocated = true;
    taken->start = taken->buffer;
    taken->end = taken->buffer;
    *packet = taken;
    return WICED_SUCCESS;
}

wiced_result_t packet_take(packet_pool_id_t id, uint64_t deadline_ns, wiced_packet_t** packet) {
    *packet = NULL;
    kernel_lock();
    wiced_result_t result = take_locked(pool_of[id], deadline_ns, packet);
    kernel_unlock();
    return result;
}

static bool holds(const pool_t* pool, const wiced_packet_t* packet) {
    for (uint32_t i = 0; i < pool->size; ++i) {
        if (packet == &pool->packets[i]) {
            return true;
        }
    }
    return false;
}

static bool is_allocated(const wiced_packet_t* packet) {
    for (size_t id = 0; id < PACKET_POOL_COUNT; ++id) {
        if (holds(pool_of[id], packet)) {
            return packet->is_allocated;
        }
    }
    for (const pool_t* pool = own_pools; pool != NULL; pool = pool->next) {
        if (holds(pool, packet)) {
            return packet->is_allocated;
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

void packet_call_before_refill(void (*function)(void)) {
    before_refill = function;
}

static bool ends_drought(const wiced_packet_t* packet) {
    kernel_lock();
    const pool_t* pool = pool_of[PACKET_POOL_RX];
    bool is_first = holds(pool, packet) && packet->is_allocated && pool->first_free == NULL;
    kernel_unlock();
    return is_first;
}

bool packet_give(wiced_packet_t* packet) {
    if (before_refill != NULL && ends_drought(packet)) {
        before_refill();
    }
    kernel_lock();
    bool is_given = is_allocated(packet);
    if (is_given) {
        append_free(packet->pool, packet);
        kernel_wake_one(&packet->pool->waiters);
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

static pool_t** find_own_locked(const wiced_packet_pool_t* packet_pool) {
    pool_t** link = &own_pools;
    while (*link != NULL && *link != packet_pool->state) {
        link = &(*link)->next;
    }
    return link;
}

wiced_result_t wiced_packet_pool_init(wiced_packet_pool_ref packet_pool, uint8_t* memory_pool,
                                      uint32_t memory_pool_size, const char* pool_name) {
    (void)pool_name;
    if (packet_pool == NULL || memory_pool == NULL) {
        return WICED_BADARG;
    }
    uintptr_t at = (uintptr_t)memory_pool;
    size_t skipped = ROUND_UP(at, _Alignof(max_align_t)) - at;
    size_t header = ROUND_UP(sizeof(pool_t), _Alignof(max_align_t));
    size_t lost = skipped + header;
    if (memory_pool_size < lost + sizeof(wiced_packet_t)) {
        return WICED_ERROR;
    }
    pool_t* pool = (pool_t*)(void*)(memory_pool + skipped);
    memset(pool, 0, sizeof(*pool));
    fill(pool, (wiced_packet_t*)(void*)(memory_pool + lost),
         (uint32_t)((memory_pool_size - lost) / sizeof(wiced_packet_t)));
    kernel_lock();
    pool->next = own_pools;
    own_pools = pool;
    packet_pool->state = pool;
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_packet_pool_allocate_packet(wiced_packet_pool_ref packet_pool,
                                                 wiced_packet_type_t packet_type,
                                                 wiced_packet_t** packet, uint8_t** data,
                                                 uint16_t* available_space, uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    (void)packet_type;
    *packet = NULL;
    kernel_lock();
    wiced_result_t result = WICED_ERROR;
    if (packet_pool != NULL && *find_own_locked(packet_pool) != NULL) {
        result = take_locked(packet_pool->state, deadline_ns, packet);
    }
    kernel_unlock();
    *data = *packet != NULL ? (*packet)->buffer : NULL;
    *available_space = *packet != NULL ? PACKET_PAYLOAD_MAX : 0;
    return result;
}

/* Refused while a thread waits for a packet: the memory is the application's to reuse. */
wiced_result_t wiced_packet_pool_deinit(wiced_packet_pool_ref packet_pool) {
    if (packet_pool == NULL) {
        return WICED_BADARG;
    }
    wiced_result_t result = WICED_ERROR;
    kernel_lock();
    pool_t** link = find_own_locked(packet_pool);
    if (*link != NULL && (*link)->waiters.first == NULL) {
        *link = (*link)->next;
        packet_pool->state = NULL;
        result = WICED_SUCCESS;
    }
    kernel_unlock();
    return result;
}
