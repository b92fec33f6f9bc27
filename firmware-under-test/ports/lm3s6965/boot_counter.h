/* How often the board has booted since its power came on, in RAM that a reset leaves alone. */
#pragma once

#include <stdint.h>

#define BOOT_COUNTER_MAGIC 0xB007C0DEu

typedef struct {
    uint32_t magic;
    uint32_t count;
    uint32_t complement; /* of count: RAM that was never written is no counter */
} boot_counter_t;

/* Counts one boot more and gives the count: 1 after the power came on. */
static inline uint32_t boot_counter_next(volatile boot_counter_t* counter) {
    uint32_t count = 1;
    if (counter->magic == BOOT_COUNTER_MAGIC && counter->complement == ~counter->count) {
        count = counter->count + 1u;
    }
    counter->magic = BOOT_COUNTER_MAGIC;
    counter->count = count;
    counter->complement = ~count;
    return count;
}
