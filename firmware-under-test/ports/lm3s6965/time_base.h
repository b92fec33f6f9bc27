/*
 * Cycles since boot out of SysTick, which counts 24 bits downwards without end, and the number of
 * times that it has wrapped. A count of tick interrupts would lose time whenever one is late.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIME_BASE_HZ 50000000u
#define TIME_BASE_COUNTER_MAX 0xFFFFFFu
#define TIME_BASE_NS_PER_CYCLE (1000000000u / TIME_BASE_HZ)

/*
 * counter: as read after is_wrap_pending was; is_wrap_pending: it has wrapped once more than wraps
 * says, because the handler that counts has not run yet.
 */
static inline uint64_t time_base_cycles(uint32_t wraps, bool is_wrap_pending, uint32_t counter) {
    uint64_t whole = wraps;
    whole += is_wrap_pending ? 1u : 0u;
    return (whole << 24) + (TIME_BASE_COUNTER_MAX - counter);
}

static inline uint64_t time_base_ns(uint64_t cycles) {
    return cycles * TIME_BASE_NS_PER_CYCLE;
}

/* Cycles for a timer that is to fire at until_ns: at least 1, at most max. */
static inline uint32_t time_base_timer_cycles(uint64_t now_ns, uint64_t until_ns, uint32_t max) {
    if (until_ns <= now_ns) {
        return 1;
    }
    uint64_t cycles = (until_ns - now_ns + TIME_BASE_NS_PER_CYCLE - 1) / TIME_BASE_NS_PER_CYCLE;
    cycles = cycles < max ? cycles : max;
    return cycles & UINT32_MAX;
}
