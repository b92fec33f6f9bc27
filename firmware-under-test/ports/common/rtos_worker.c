#include "rtos_worker.h"

#include <string.h>

#include "kernel.h"
#include "wiced_defaults.h"
#include "wiced_rtos.h"
#include "wiced_utilities.h"

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

static wiced_result_t make_queue(wiced_worker_thread_t* worker, uint32_t events_max) {
    memset(worker, 0, sizeof(*worker));
    return wiced_rtos_init_queue(&worker->events, "worker", sizeof(worker_event_t), events_max);
}

static wiced_result_t start(wiced_worker_thread_t* worker, uint8_t priority, uint32_t stack_size) {
    kernel_thread_plan_t plan = {.name = "worker",
                                 .priority = priority,
                                 .main = run_worker,
                                 .context = worker,
                                 .stack_size = stack_size};
    worker->thread.record = kernel_thread_start(&plan);
    return worker->thread.record != NULL ? WICED_SUCCESS : WICED_WWD_THREAD_CREATE_FAILED;
}

wiced_result_t wiced_rtos_create_worker_thread(wiced_worker_thread_t* worker, uint8_t priority,
                                               uint32_t stack_size, uint32_t event_queue_size) {
    wiced_result_t result = make_queue(worker, event_queue_size);
    if (result == WICED_SUCCESS) {
        result = start(worker, priority, stack_size);
        if (result != WICED_SUCCESS) {
            wiced_rtos_deinit_queue(&worker->events);
        }
    }
    return result;
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

typedef struct {
    wiced_worker_thread_t* worker;
    uint8_t priority;
    uint32_t stack_size;
    uint32_t events_max;
} built_in_t;

static const built_in_t built_in[] = {
    {&wiced_hardware_io_worker_thread, WICED_DEFAULT_WORKER_PRIORITY, 512, HARDWARE_IO_EVENTS_MAX},
    {&wiced_networking_worker_thread, WICED_NETWORK_WORKER_PRIORITY, 6144, NETWORKING_EVENTS_MAX},
};

bool rtos_worker_prepare(void) {
    for (size_t i = 0; i < ARRAY_SIZE(built_in); ++i) {
        if (make_queue(built_in[i].worker, built_in[i].events_max) != WICED_SUCCESS) {
            return false;
        }
    }
    return true;
}

bool rtos_worker_start_wanted(void) {
    for (size_t i = 0; i < ARRAY_SIZE(built_in); ++i) {
        wiced_worker_thread_t* worker = built_in[i].worker;
        bool is_wanted = worker->thread.record == NULL && worker->events.count > 0;
        if (is_wanted &&
            start(worker, built_in[i].priority, built_in[i].stack_size) != WICED_SUCCESS) {
            return false;
        }
    }
    return true;
}

bool rtos_worker_boot(void) {
    bool is_up = rtos_worker_prepare();
    for (size_t i = 0; i < ARRAY_SIZE(built_in); ++i) {
        is_up = is_up && start(built_in[i].worker, built_in[i].priority, built_in[i].stack_size) ==
                             WICED_SUCCESS;
    }
    return is_up;
}
