/*
 * The dispatcher's side of the kernel. Threads are cooperative: one runs until it waits. So
 * everything in the port but interrupt handlers has the processor to itself between two waits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t used; /* bytes, at most: by the thread that used most of its stack */
    uint32_t size; /* of that thread's stack */
} kernel_stack_mark_t;

/* Runs the most urgent thread that can run; false when none can. */
bool kernel_dispatch(void);

/* Whether kernel_dispatch would run one now, and else when the next one will be due. */
bool kernel_has_runnable(void);
uint64_t kernel_next_deadline_ns(void);

/* Of all threads that there have been since boot. */
kernel_stack_mark_t kernel_stack_mark(void);
