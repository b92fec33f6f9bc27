/*
 * The part of the kernel that only this port has: threads wait for descriptors too. Each waiting
 * thread waits on a condition of its own.
 */
#pragma once

#include <poll.h>

#include "kernel.h"

#define KERNEL_POLL_MAX 8

/*
 * poll() until a deadline, for at most KERNEL_POLL_MAX descriptors, without the lock. A thread that
 * is woken by force gets KERNEL_ABORTED, one that is deleted does not return. EINTR is handled.
 */
kernel_wait_result_t kernel_poll(struct pollfd* descriptors, nfds_t count, uint64_t deadline_ns);

/* What the thread does in between counts as an interrupt handler's doing. */
void kernel_enter_interrupt(void);
void kernel_leave_interrupt(void);
