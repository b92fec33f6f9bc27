/*
 * Standard output, one line at a time, and the commands that the port itself understands on the
 * console as long as the application does not read it: `marks`.
 */
#pragma once

#include <stdint.h>

void console_boot(void);

/* For the board's loop. */
uint64_t console_poll(void);

/* Prints how much of the stacks and of the heap has ever been in use. */
void console_print_marks(void);
