/* Starts the two built-in worker threads. Called once at boot. */
#pragma once

#include <stdbool.h>

bool rtos_worker_boot(void);
