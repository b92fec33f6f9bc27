/* Starts the thread in which timers run. Called once at boot. */
#pragma once

#include <stdbool.h>

bool rtos_timer_boot(void);
