/* The board as a whole: boot, the loop that everything runs in, and the stop after a failure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BOARD_STACK_PAINT 0xC0DEC0DEu

/*
 * Something of the port that wants to be called again and again from the dispatcher's loop, where
 * nothing may wait. Gives when it wants to be called at the latest; KERNEL_NO_DEADLINE for never.
 */
typedef uint64_t (*board_poll_t)(void);

/* At most BOARD_POLLS_MAX, each once; a part that an application does not use is never there. */
#define BOARD_POLLS_MAX 3
void board_add_poll(board_poll_t poll);

/* From an interrupt handler: the loop is to go round before the processor sleeps again. */
void board_wake(void);

/* A frame came and there was no memory for it. The marks tell how many. */
void board_count_lost_frame(void);
uint32_t board_lost_frames(void);

/* Says what and its number on the console, puts the LEDs out and stops for good. */
_Noreturn void board_halt(const char* what, uint32_t number);
