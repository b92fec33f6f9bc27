/* Timers. The port says where their handlers run. */
#pragma once

#include <stdint.h>

#include "wiced_port_types.h"

/* Woken when a timer is started. */
extern kernel_wait_list_t rtos_timer_started;

/*
 * Runs the handlers that are due, without the lock, which the caller holds before and after. Gives
 * when the next one is; KERNEL_NO_DEADLINE for never. For one thread.
 */
uint64_t rtos_timer_run_due_locked(void);
