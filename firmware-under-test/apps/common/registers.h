/*
 * The registers that the lab's servers keep, and the answers they give. Every device has 256 of its
 * own; one that nothing has written is refused. Call registers_init once; answers may then be asked
 * for by several threads.
 */
#pragma once

#include <stdint.h>

#include "wiced.h"

#define REPLY_LENGTH_MAX 11
/* An option of the build: of all devices together; a write that finds no room is refused. */
#ifndef REGISTERS_MAX
#define REGISTERS_MAX 384
#endif

wiced_result_t registers_init(void);

/*
 * Answers the first frame of a text into reply, which has room for REPLY_LENGTH_MAX and a NUL.
 * Gives the reply's length: 11, or 1 for X.
 */
uint32_t registers_answer(const char* text, uint32_t length, char* reply);
