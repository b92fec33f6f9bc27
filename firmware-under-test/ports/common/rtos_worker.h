/* The two built-in worker threads, made at boot. */
#pragma once

#include <stdbool.h>

/* Their queues and their threads. */
bool rtos_worker_boot(void);

/* For boards with little memory: the queues now, each thread once there is something to do. */
bool rtos_worker_prepare(void);
/* False without memory for a thread that is wanted. Calling it again tries again. */
bool rtos_worker_start_wanted(void);
