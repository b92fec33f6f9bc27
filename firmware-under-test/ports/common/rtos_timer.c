#include "rtos_timer.h"

#include <string.h>

#include "kernel.h"
#include "wiced_rtos.h"

kernel_wait_list_t rtos_timer_started;

static wiced_timer_t* running;          /* under the kernel lock, like all below */
static const wiced_timer_t* in_handler; /* the timer whose handler runs now */
static const void* handler_thread;
static kernel_wait_list_t handler_returned;

static wiced_timer_t* earliest(void) {
    wiced_timer_t* first = running;
    for (wiced_timer_t* timer = running; timer != NULL; timer = timer->next) {
        if (timer->expires_ns < first->expires_ns) {
            first = timer;
        }
    }
    return first;
}

uint64_t rtos_timer_run_due_locked(void) {
    for (;;) {
        wiced_timer_t* timer = earliest();
        if (timer == NULL || timer->expires_ns > kernel_now_ns()) {
            return timer != NULL ? timer->expires_ns : KERNEL_NO_DEADLINE;
        }
        timer->expires_ns += (uint64_t)timer->time_ms * 1000000u;
        timer_handler_t function = timer->function;
        void* function_arg = timer->arg;
        in_handler = timer;
        handler_thread = kernel_current();
        kernel_unlock();
        function(function_arg);
        kernel_lock();
        in_handler = NULL;
        kernel_wake_all(&handler_returned);
    }
}

wiced_result_t wiced_rtos_init_timer(wiced_timer_t* timer, uint32_t time_ms,
                                     timer_handler_t function, void* arg) {
    if (timer == NULL || function == NULL || time_ms == 0) {
        return WICED_ERROR;
    }
    memset(timer, 0, sizeof(*timer));
    timer->time_ms = time_ms;
    timer->function = function;
    timer->arg = arg;
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_start_timer(wiced_timer_t* timer) {
    wiced_result_t result = WICED_ERROR;
    kernel_lock();
    if (!timer->is_running && timer->function != NULL) {
        timer->is_running = true;
        timer->expires_ns = kernel_now_ns() + (uint64_t)timer->time_ms * 1000000u;
        timer->next = running;
        running = timer;
        kernel_wake_one(&rtos_timer_started);
        result = WICED_SUCCESS;
    }
    kernel_unlock();
    return result;
}

static void stop(wiced_timer_t* timer) {
    wiced_timer_t** link = &running;
    while (*link != NULL && *link != timer) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = timer->next;
    }
    timer->is_running = false;
}

wiced_result_t wiced_rtos_stop_timer(wiced_timer_t* timer) {
    kernel_lock();
    stop(timer);
    kernel_unlock();
    return WICED_SUCCESS;
}

/* After this the handler does not run any more, unless the caller is the handler itself. */
wiced_result_t wiced_rtos_deinit_timer(wiced_timer_t* timer) {
    kernel_lock();
    stop(timer);
    while (in_handler == timer && handler_thread != kernel_current()) {
        (void)kernel_wait(&handler_returned, KERNEL_NO_DEADLINE);
    }
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_is_timer_running(wiced_timer_t* timer) {
    kernel_lock();
    bool is_running = timer->is_running;
    kernel_unlock();
    return is_running ? WICED_SUCCESS : WICED_ERROR;
}
