#include "board.h"

#include <stdio.h>
#include <string.h>

#include "application.h"
#include "clock.h"
#include "console.h"
#include "entropy.h"
#include "gpio.h"
#include "kernel.h"
#include "kernel_dispatch.h"
#include "rtos_timer.h"
#include "rtos_worker.h"
#include "uart_device.h"
#include "wall_clock.h"
#include "wiced.h"

static board_poll_t polls[BOARD_POLLS_MAX];
static size_t poll_count;
static volatile bool has_been_woken;
static uint32_t lost_frames;

void board_add_poll(board_poll_t poll) {
    for (size_t i = 0; i < poll_count; ++i) {
        if (polls[i] == poll) {
            return;
        }
    }
    if (poll_count == BOARD_POLLS_MAX) {
        board_halt("more polls than", BOARD_POLLS_MAX);
    }
    polls[poll_count++] = poll;
}

void board_wake(void) {
    has_been_woken = true;
}

void board_count_lost_frame(void) {
    ++lost_frames;
}

uint32_t board_lost_frames(void) {
    return lost_frames;
}

/* By hand: what went wrong may have been in printf, or in the memory it needs. */
static void write_number(uint32_t number) {
    char text[] = "0x00000000";
    for (unsigned i = 0; i < 8; ++i) {
        text[9 - i] = "0123456789abcdef"[number >> 4 * i & 0xFu];
    }
    uart_console_write(text, sizeof(text) - 1);
}

void board_halt(const char* what, uint32_t number) {
    __asm volatile("cpsid i");
    gpio_leds_off();
    uart_console_write("\r\nhalted: ", 10);
    uart_console_write(what, strlen(what));
    uart_console_write(" ", 1);
    write_number(number);
    uart_console_write("\r\n", 2);
    for (;;) {
        __asm volatile("wfi");
    }
}

static void run_application(wiced_thread_arg_t arg) {
    (void)arg;
    application_start();
}

/* Runs what is due outside of threads, and gives when something will be. */
static uint64_t run_polls(void) {
    uint64_t next_ns = KERNEL_NO_DEADLINE;
    for (size_t i = 0; i < poll_count; ++i) {
        uint64_t wanted_ns = polls[i]();
        next_ns = MIN(next_ns, wanted_ns);
    }
    kernel_lock();
    uint64_t timer_ns = rtos_timer_run_due_locked();
    kernel_unlock();
    if (!rtos_worker_start_wanted()) {
        printf("worker: no memory for its stack yet\n");
    }
    return MIN(next_ns, timer_ns);
}

/* Interrupts stay off from the last look to the sleep, which an interrupt ends all the same. */
static void sleep_until(uint64_t next_ns) {
    kernel_lock();
    if (!has_been_woken && !kernel_has_runnable()) {
        uint64_t thread_ns = kernel_next_deadline_ns();
        clock_wake_at(MIN(next_ns, thread_ns));
        __asm volatile("dsb\n wfi" ::: "memory");
    }
    kernel_unlock();
}

int main(void) {
    clock_boot();
    uart_device_boot();
    console_boot();
    gpio_boot();
    entropy_boot();
    wall_clock_boot();
    board_add_poll(console_poll);
    static wiced_thread_t app_thread;
    if (!rtos_worker_prepare() ||
        wiced_rtos_create_thread(&app_thread, WICED_APPLICATION_PRIORITY, "app", run_application,
                                 application_settings.stack_size, NULL) != WICED_SUCCESS) {
        board_halt("boot: heap too small for the application's stack", 0);
    }
    console_print_marks();
    for (;;) {
        has_been_woken = false;
        uint64_t next_ns = run_polls();
        if (!kernel_dispatch()) {
            sleep_until(next_ns);
        }
    }
}
