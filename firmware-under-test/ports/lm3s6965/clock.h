/* The processor's clock (50 MHz from the PLL), the time base, and the one timer that wakes. */
#pragma once

#include <stdint.h>

void clock_boot(void);

/* One interrupt at until_ns, or earlier; KERNEL_NO_DEADLINE for none that matters. */
void clock_wake_at(uint64_t until_ns);
