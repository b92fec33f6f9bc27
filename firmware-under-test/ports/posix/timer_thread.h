/* Starts the thread in which timers run. Called once at boot. */
#pragma once

#include <stdbool.h>

bool timer_thread_boot(void);
