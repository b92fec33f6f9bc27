/*
 * What the shared half of a port builds on: one lock for all RTOS objects, waiting on them, and
 * threads. Each port brings its own.
 *
 * Every RTOS object is changed under the kernel lock, as on a board with one core and interrupts
 * off. Objects stay plain memory, and a thread that waits can be woken by force. The lock is held
 * for a few instructions only, never across a callback.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wiced_port_types.h"

#define KERNEL_NO_DEADLINE UINT64_MAX

typedef enum {
    KERNEL_WOKEN,
    KERNEL_TIMED_OUT,
    KERNEL_ABORTED,
} kernel_wait_result_t;

/* Nanoseconds of a clock that only goes forward. */
uint64_t kernel_now_ns(void);

/* The moment timeout_ms from now; WICED_NEVER_TIMEOUT gives KERNEL_NO_DEADLINE. */
uint64_t kernel_deadline_ns(uint32_t timeout_ms);

void kernel_lock(void);
void kernel_unlock(void);

/* Waits, with the lock given up meanwhile. The caller checks again what it waits for. */
kernel_wait_result_t kernel_wait(kernel_wait_list_t* list, uint64_t deadline_ns);
void kernel_wake_one(kernel_wait_list_t* list);
void kernel_wake_all(kernel_wait_list_t* list);

/* Waits for nothing but the moment: KERNEL_TIMED_OUT, or KERNEL_ABORTED. Without the lock. */
kernel_wait_result_t kernel_sleep_until(uint64_t deadline_ns);

/* An interrupt handler never waits: inside one every wait times out at once. */
bool kernel_in_interrupt(void);

/* Identifies the calling thread; never NULL. */
const void* kernel_current(void);

/* A record lives until it is deleted or detached, also after its thread has ended. */
typedef void (*kernel_thread_main_t)(void* context, void* arg);

typedef struct {
    const char* name; /* may be NULL */
    uint8_t priority; /* as the SDK counts: 0 is the highest */
    kernel_thread_main_t main;
    void* context;
    void* arg;
    void* stack;         /* NULL: the kernel finds memory */
    uint32_t stack_size; /* bytes asked for; a port may give more or less */
} kernel_thread_plan_t;

/* NULL without memory for it. Copies what it needs of plan. */
struct kernel_thread* kernel_thread_start(const kernel_thread_plan_t* plan);
bool kernel_thread_is_current(const struct kernel_thread* thread);
bool kernel_thread_is_known(const struct kernel_thread* thread);
void kernel_thread_force_awake(struct kernel_thread* thread);
/* Returns once the thread has ended; false when the wait was aborted. */
bool kernel_thread_join(struct kernel_thread* thread);
/* Ends a thread at its next wait and frees its record; false when it does not end in time. */
bool kernel_thread_delete(struct kernel_thread* thread, uint64_t deadline_ns);
/* Nobody will ask for the thread again: its record goes when it ends. */
void kernel_thread_detach(struct kernel_thread* thread);
