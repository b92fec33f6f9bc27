/*
 * Threads, semaphores, mutexes, queues, timers, event flags and worker threads.
 * The caller owns every object and keeps it alive while it is in use.
 * All timeouts are milliseconds; WICED_NO_WAIT asks once, WICED_NEVER_TIMEOUT waits without limit.
 * From an interrupt handler: set a semaphore, push or pop without waiting, set event flags, send an
 * asynchronous event. Nothing else.
 */
#pragma once

#include <stdint.h>

#include "wiced_port_types.h"
#include "wiced_result.h"

#define WICED_NO_WAIT 0
#define WICED_WAIT_FOREVER 0xFFFFFFFFu
#define WICED_NEVER_TIMEOUT 0xFFFFFFFFu

#define WICED_HIGHEST_PRIORITY 0
#define WICED_LOWEST_PRIORITY 9
#define WICED_PRIORITY_TO_NATIVE_PRIORITY(priority) (priority)

/* What ends a thread's main on systems that do not let it return. */
#define WICED_END_OF_CURRENT_THREAD() \
    do {                              \
    } while (0)

#define WICED_HARDWARE_IO_WORKER_THREAD (&wiced_hardware_io_worker_thread)
#define WICED_NETWORKING_WORKER_THREAD (&wiced_networking_worker_thread)

/* Wide enough for a pointer, so that nothing passed to a thread is cut. */
#if UINTPTR_MAX > 0xFFFFFFFFu
typedef uint64_t wiced_thread_arg_t;
#else
typedef uint32_t wiced_thread_arg_t;
#endif

typedef void (*wiced_thread_function_t)(wiced_thread_arg_t arg);
typedef void (*timer_handler_t)(void* arg);
typedef wiced_result_t (*event_handler_t)(void* arg);

typedef enum {
    WAIT_FOR_ANY_EVENT = 0,
    WAIT_FOR_ALL_EVENTS = 1,
} wiced_event_flags_wait_option_t;

#ifdef __cplusplus
extern "C" {
#endif

extern wiced_worker_thread_t wiced_hardware_io_worker_thread;
extern wiced_worker_thread_t wiced_networking_worker_thread;

wiced_result_t wiced_rtos_create_thread(wiced_thread_t* thread, uint8_t priority, const char* name,
                                        wiced_thread_function_t function, uint32_t stack_size,
                                        void* arg);
wiced_result_t wiced_rtos_create_thread_with_stack(wiced_thread_t* thread, uint8_t priority,
                                                   const char* name,
                                                   wiced_thread_function_t function, void* stack,
                                                   uint32_t stack_size, void* arg);
wiced_result_t wiced_rtos_delete_thread(wiced_thread_t* thread);
wiced_result_t wiced_rtos_thread_join(wiced_thread_t* thread);
wiced_result_t wiced_rtos_thread_force_awake(wiced_thread_t* thread);
wiced_result_t wiced_rtos_is_current_thread(wiced_thread_t* thread);
wiced_result_t wiced_rtos_check_stack(void);
wiced_result_t wiced_rtos_thread_yield(void);
wiced_result_t wiced_rtos_delay_milliseconds(uint32_t milliseconds);
wiced_result_t wiced_rtos_delay_microseconds(uint32_t microseconds);

/*
 * Lab code writes thread mains that take a uint32_t, which is the argument's type on the lab's
 * 32-bit boards only. Where pointers are wider these two accept such a main as well: it gets the
 * argument's low 32 bits.
 */
#if UINTPTR_MAX > 0xFFFFFFFFu
typedef void (*wiced_thread_function_u32_t)(uint32_t arg);
wiced_result_t wiced_rtos_create_thread_u32(wiced_thread_t* thread, uint8_t priority,
                                            const char* name, wiced_thread_function_u32_t function,
                                            uint32_t stack_size, void* arg);
wiced_result_t wiced_rtos_create_thread_with_stack_u32(wiced_thread_t* thread, uint8_t priority,
                                                       const char* name,
                                                       wiced_thread_function_u32_t function,
                                                       void* stack, uint32_t stack_size, void* arg);
#if !defined(__cplusplus) && !defined(WICED_RTOS_IMPLEMENTATION)
#define wiced_rtos_create_thread(thread, priority, name, function, stack_size, arg)              \
    _Generic((function), wiced_thread_function_u32_t                                             \
             : wiced_rtos_create_thread_u32, default                                             \
             : wiced_rtos_create_thread)((thread), (priority), (name), (function), (stack_size), \
                                         (arg))
#define wiced_rtos_create_thread_with_stack(thread, priority, name, function, stack, stack_size, \
                                            arg)                                                 \
    _Generic((function), wiced_thread_function_u32_t                                             \
             : wiced_rtos_create_thread_with_stack_u32, default                                  \
             : wiced_rtos_create_thread_with_stack)((thread), (priority), (name), (function),    \
                                                    (stack), (stack_size), (arg))
#endif
#endif

wiced_result_t wiced_rtos_init_semaphore(wiced_semaphore_t* semaphore);
wiced_result_t wiced_rtos_set_semaphore(wiced_semaphore_t* semaphore);
wiced_result_t wiced_rtos_get_semaphore(wiced_semaphore_t* semaphore, uint32_t timeout_ms);
wiced_result_t wiced_rtos_deinit_semaphore(wiced_semaphore_t* semaphore);

wiced_result_t wiced_rtos_init_mutex(wiced_mutex_t* mutex);
wiced_result_t wiced_rtos_lock_mutex(wiced_mutex_t* mutex);
wiced_result_t wiced_rtos_unlock_mutex(wiced_mutex_t* mutex);
wiced_result_t wiced_rtos_deinit_mutex(wiced_mutex_t* mutex);

wiced_result_t wiced_rtos_init_queue(wiced_queue_t* queue, const char* name, uint32_t message_size,
                                     uint32_t number_of_messages);
wiced_result_t wiced_rtos_push_to_queue(wiced_queue_t* queue, void* message, uint32_t timeout_ms);
wiced_result_t wiced_rtos_pop_from_queue(wiced_queue_t* queue, void* message, uint32_t timeout_ms);
wiced_result_t wiced_rtos_deinit_queue(wiced_queue_t* queue);
wiced_result_t wiced_rtos_is_queue_empty(wiced_queue_t* queue);
wiced_result_t wiced_rtos_is_queue_full(wiced_queue_t* queue);
wiced_result_t wiced_rtos_get_queue_occupancy(wiced_queue_t* queue, uint32_t* count);

wiced_result_t wiced_rtos_init_timer(wiced_timer_t* timer, uint32_t time_ms,
                                     timer_handler_t function, void* arg);
wiced_result_t wiced_rtos_start_timer(wiced_timer_t* timer);
wiced_result_t wiced_rtos_stop_timer(wiced_timer_t* timer);
wiced_result_t wiced_rtos_deinit_timer(wiced_timer_t* timer);
wiced_result_t wiced_rtos_is_timer_running(wiced_timer_t* timer);

wiced_result_t wiced_rtos_init_event_flags(wiced_event_flags_t* event_flags);
wiced_result_t wiced_rtos_wait_for_event_flags(wiced_event_flags_t* event_flags,
                                               uint32_t flags_to_wait_for, uint32_t* flags_set,
                                               wiced_bool_t clear_set_flags,
                                               wiced_event_flags_wait_option_t wait_option,
                                               uint32_t timeout_ms);
wiced_result_t wiced_rtos_set_event_flags(wiced_event_flags_t* event_flags, uint32_t flags_to_set);
wiced_result_t wiced_rtos_deinit_event_flags(wiced_event_flags_t* event_flags);

wiced_result_t wiced_rtos_create_worker_thread(wiced_worker_thread_t* worker, uint8_t priority,
                                               uint32_t stack_size, uint32_t event_queue_size);
wiced_result_t wiced_rtos_delete_worker_thread(wiced_worker_thread_t* worker);
wiced_result_t wiced_rtos_send_asynchronous_event(wiced_worker_thread_t* worker,
                                                  event_handler_t function, void* arg);
wiced_result_t wiced_rtos_register_timed_event(wiced_timed_event_t* event,
                                               wiced_worker_thread_t* worker,
                                               event_handler_t function, uint32_t time_ms,
                                               void* arg);
wiced_result_t wiced_rtos_deregister_timed_event(wiced_timed_event_t* event);

#ifdef __cplusplus
}
#endif
