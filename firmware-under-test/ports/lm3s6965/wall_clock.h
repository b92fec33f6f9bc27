/*
 * UTC. The board has no clock that outlives its power: it starts at the moment the image was built,
 * and never goes below it, until SNTP or the application sets it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970. Settled by the build: SOURCE_DATE_EPOCH or else the sources' last commit. */
extern const uint32_t wall_clock_build_s;

void wall_clock_boot(void);
uint64_t wall_clock_ms(void);

/* From SNTP. A time before the build's is refused; either way the console says what happened. */
void wall_clock_set_from_network(uint32_t utc_s, uint32_t us);
bool wall_clock_is_set(void);
