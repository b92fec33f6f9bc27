/*
 * What of lwIP's raw interface stands in the structures of common/tcp.h. lwIP's callbacks run in
 * the dispatcher; they record and wake. Between two waits nothing changes under a thread, so the
 * lock of common/transport.h is none here, and the watching looks again in each round anyway.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel.h"

struct pbuf;
struct tcp_connection;
struct tcp_pcb;

typedef struct {
    struct tcp_connection* next; /* in a listener's queue */
    struct tcp_pcb* pcb;         /* NULL once lwIP has let go of it: reset, or timed out */
    bool is_established;
    bool has_peer_closed;
    uint16_t received_offset; /* what of its first part has been taken */
    struct pbuf* received;
    kernel_wait_list_t changed; /* any of the above, or room to send */
} transport_connection_t;

typedef struct {
    struct tcp_pcb* pcb;
    struct tcp_connection* waiting; /* in the order they came */
    kernel_wait_list_t arrived;
} transport_listener_t;

typedef struct {
    struct tcp_pcb* bound;
    struct tcp_connection* connecting; /* on its way to the peer */
    kernel_wait_list_t dispatched;
} transport_socket_t;

static inline void tcp_lock(void) {}
static inline void tcp_unlock(void) {}
static inline void tcp_changed(void) {}
