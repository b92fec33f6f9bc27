/*
 * The packet pools, sent and received, of the sizes that the application's build settles, and the
 * application's own.
 * A packet is free or allocated; giving back a free one is refused and harmless, so both habits of
 * lab programs work: deleting after a successful send, and not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wiced_tcpip.h"

#define PACKET_PAYLOAD_MAX 1460
/* Lab programs end what they received in NUL, past a full payload. */
#define PACKET_SPARE_BYTES 4

typedef enum {
    PACKET_POOL_TX,
    PACKET_POOL_RX,
    PACKET_POOL_COUNT,
} packet_pool_id_t;

struct packet_pool;

struct wiced_packet {
    struct wiced_packet* next_free;
    bool is_allocated;
    struct packet_pool* pool;
    uint8_t* start;
    uint8_t* end;
    uint32_t peer_address; /* of a datagram, host byte order */
    uint16_t peer_port;
    uint8_t buffer[PACKET_PAYLOAD_MAX + PACKET_SPARE_BYTES];
};

/* With a common_packets_max there is one pool for both directions. */
bool packet_boot(uint32_t tx_packets_max, uint32_t rx_packets_max, uint32_t common_packets_max);

/* Waits for a free packet; WICED_TIMEOUT when there is none in time. */
wiced_result_t packet_take(packet_pool_id_t pool, uint64_t deadline_ns, wiced_packet_t** packet);
/* False for what is no allocated packet of a pool. */
bool packet_give(wiced_packet_t* packet);
bool packet_is_allocated(const wiced_packet_t* packet);

/*
 * At boot, by a port whose system keeps what it receives: called without the lock before a packet
 * goes back into an RX pool that was empty, so that the port can lose what a board would have lost.
 */
void packet_call_before_refill(void (*function)(void));
