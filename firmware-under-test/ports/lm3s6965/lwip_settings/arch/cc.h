/* What lwIP asks of the compiler and the board. */
#pragma once

#include <stdint.h>
#include <stdlib.h>

#define LWIP_PLATFORM_DIAG(x) \
    do {                      \
    } while (0)
#define LWIP_PLATFORM_ASSERT(text) board_halt((text), __LINE__)
#define BYTE_ORDER LITTLE_ENDIAN

_Noreturn void board_halt(const char* what, uint32_t number);
