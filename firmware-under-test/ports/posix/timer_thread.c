#include "timer_thread.h"

#include <stddef.h>

#include "kernel.h"
#include "rtos_timer.h"

static void run_timers(void* context, void* arg) {
    (void)context;
    (void)arg;
    kernel_lock();
    for (;;) {
        (void)kernel_wait(&rtos_timer_started, rtos_timer_run_due_locked());
    }
}

bool timer_thread_boot(void) {
    kernel_thread_plan_t plan = {.name = "timers", .main = run_timers};
    return kernel_thread_start(&plan) != NULL;
}
