/*
 * The port's side of the types that applications allocate and never look into.
 * Objects of the kernel are plain memory: all zeroes is a valid, empty object.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wiced_result.h"

struct kernel_waiter;
struct kernel_thread;
struct tcp_socket;
struct udp_socket;
struct packet_pool;

/* Threads that wait for an object, in the order they came. */
typedef struct {
    struct kernel_waiter* first;
    struct kernel_waiter* last;
} kernel_wait_list_t;

typedef struct {
    struct kernel_thread* record;
} wiced_thread_t;

typedef struct {
    uint32_t count;
    kernel_wait_list_t waiters;
} wiced_semaphore_t;

typedef struct {
    const void* owner;
    uint32_t depth;
    kernel_wait_list_t waiters;
} wiced_mutex_t;

typedef struct {
    uint8_t* storage;
    uint32_t message_size;
    uint32_t capacity;
    uint32_t head;
    uint32_t count;
    kernel_wait_list_t poppers;
    kernel_wait_list_t pushers;
} wiced_queue_t;

typedef struct wiced_timer {
    struct wiced_timer* next;
    void (*function)(void* arg);
    void* arg;
    uint32_t time_ms;
    bool is_running;
    uint64_t expires_ns;
} wiced_timer_t;

typedef struct {
    uint32_t flags;
    kernel_wait_list_t waiters;
} wiced_event_flags_t;

typedef struct {
    wiced_thread_t thread;
    wiced_queue_t events;
} wiced_worker_thread_t;

typedef struct {
    wiced_timer_t timer;
    wiced_worker_thread_t* worker;
    wiced_result_t (*function)(void* arg);
    void* arg;
} wiced_timed_event_t;

typedef struct {
    struct tcp_socket* state;
} wiced_tcp_socket_t;

typedef struct {
    struct udp_socket* state;
} wiced_udp_socket_t;

/* Lives in the memory that the application gave; gone once deinitialised. */
typedef struct {
    struct packet_pool* state;
} wiced_packet_pool_t;
