#include "console.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "application.h"
#include "board.h"
#include "heap.h"
#include "kernel.h"
#include "kernel_dispatch.h"
#include "uart_device.h"

#define COMMAND_SIZE 16u

static char output[160];
static char command[COMMAND_SIZE];
static size_t command_length;

extern uint32_t stack_bottom[];
extern uint32_t stack_top[];

void console_boot(void) {
    setvbuf(stdout, output, _IOLBF, sizeof(output));
}

static uint32_t main_stack_used(void) {
    const uint32_t* word = stack_bottom;
    while (word < stack_top && *word == BOARD_STACK_PAINT) {
        ++word;
    }
    return (uint32_t)((const char*)stack_top - (const char*)word);
}

void console_print_marks(void) {
    kernel_stack_mark_t stack = kernel_stack_mark();
    printf(
        "marks: stack=%u heap=%u main=%u now=%u lost=%u stack_size=%u heap_size=%u main_size=%u\n",
        (unsigned)stack.used, (unsigned)heap_used_max(), (unsigned)main_stack_used(),
        (unsigned)heap_in_use(), (unsigned)board_lost_frames(), (unsigned)stack.size,
        (unsigned)heap_size(), (unsigned)((char*)stack_top - (char*)stack_bottom));
}

uint64_t console_poll(void) {
    for (int byte = uart_console_read(); byte >= 0; byte = uart_console_read()) {
        if (byte != '\r' && byte != '\n') {
            if (command_length < COMMAND_SIZE) {
                command[command_length] = (char)byte;
            }
            command_length += command_length < COMMAND_SIZE;
            continue;
        }
        if (command_length == 5 && memcmp(command, "marks", 5) == 0) {
            console_print_marks();
        }
        command_length = 0;
    }
    return KERNEL_NO_DEADLINE;
}
