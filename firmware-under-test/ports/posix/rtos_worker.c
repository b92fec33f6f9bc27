#include "rtos_worker.h"

#include <string.h>

#include "kernel.h"
#include "wiced_defaults.h"
#include "wiced_rtos.h"

#define HARDWARE_IO_EVENTS_MAX 10
#define NETWORKING_EVENTS_MAX 15

typedef struct {
    event_handler_t function;
    void* arg;
} worker_event_t;

_Static_assert(sizeof(worker_event_t) % 4 == 0, "queues take multiples of four bytes");

wiced_worker_thread_t wiced_hardware_io_worker_thread;
wiced_worker_thread_t wiced_networking_worker_thread;

static void run_worker(void* context, void* arg) {
    wiced_worker_thread_t* worker = context;
    (void)arg;
    worker_event_t event;
    for (;;) {
        wiced_result_t result =
            wiced_rtos_pop_from_queue(&worker->events, &event, WICED_WAIT_FOREVER);
        if (result == WICED_SUCCESS) {
            event.function(event.arg);
        } else if (result == WICED_TIMEOUT) {
            return; /* the queue is gone */
        }
    }
}

wiced_result_t wiced_rtos_create_worker_thread(wiced_worker_thread_t* worker, uint8_t priority,
                                               uint32_t stack_size, uint32_t event_queue_size) {
    (void)priority;
    (void)stack_size;
    memset(worker, 0, sizeof(*worker));
    wiced_result_t result =
        wiced_rtos_init_queue(&worker->events, "worker", sizeof(worker_event_t), event_queue_size);
    if (result != WICED_SUCCESS) {
        return result;
    }
    worker->thread.record = kernel_thread_start("worker", run_worker, worker, NULL);
    if (worker->thread.record == NULL) {
        wiced_rtos_deinit_queue(&worker->events);
        return WICED_WWD_THREAD_CREATE_FAILED;
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_delete_worker_thread(wiced_worker_thread_t* worker) {
    wiced_result_t result = wiced_rtos_delete_thread(&worker->thread);
    if (result == WICED_SUCCESS) {
        result = wiced_rtos_deinit_queue(&worker->events);
    }
    return result;
}

wiced_result_t wiced_rtos_send_asynchronous_event(wiced_worker_thread_t* worker,
                                                  event_handler_t function, void* arg) {
    worker_event_t event = {.function = function, .arg = arg};
    return wiced_rtos_push_to_queue(&worker->events, &event, WICED_NO_WAIT);
}

static void timed_event_is_due(void* arg) {
    wiced_timed_event_t* event = arg;
    /* A full queue drops this round; the next one comes by itself. */
    (void)wiced_rtos_send_asynchronous_event(event->worker, event->function, event->arg);
}

wiced_result_t wiced_rtos_register_timed_event(wiced_timed_event_t* event,
                                               wiced_worker_thread_t* worker,
                                               event_handler_t function, uint32_t time_ms,
                                               void* arg) {
    event->worker = worker;
    event->function = function;
    event->arg = arg;
    wiced_result_t result =
        wiced_rtos_init_timer(&event->timer, time_ms, timed_event_is_due, event);
    return result == WICED_SUCCESS ? wiced_rtos_start_timer(&event->timer) : result;
}

wiced_result_t wiced_rtos_deregister_timed_event(wiced_timed_event_t* event) {
    return wiced_rtos_deinit_timer(&event->timer);
}

bool rtos_worker_boot(void) {
    return wiced_rtos_create_worker_thread(WICED_HARDWARE_IO_WORKER_THREAD,
                                           WICED_DEFAULT_WORKER_PRIORITY, 512,
                                           HARDWARE_IO_EVENTS_MAX) == WICED_SUCCESS &&
           wiced_rtos_create_worker_thread(WICED_NETWORKING_WORKER_THREAD,
                                           WICED_NETWORK_WORKER_PRIORITY, 6144,
                                           NETWORKING_EVENTS_MAX) == WICED_SUCCESS;
}
