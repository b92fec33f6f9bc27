/* Starts the count of milliseconds since boot. */
#pragma once

void time_boot(void);
