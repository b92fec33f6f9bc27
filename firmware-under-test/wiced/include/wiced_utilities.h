/* Small macros that applications expect from the SDK. */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wiced_result.h"

#ifndef MIN
#define MIN(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif
#ifndef ROUND_UP
#define ROUND_UP(x, y) ((x) % (y) ? (x) + (y) - ((x) % (y)) : (x))
#endif
#ifndef UNUSED_PARAMETER
#define UNUSED_PARAMETER(x) ((void)(x))
#endif
#ifndef OFFSETOF
#define OFFSETOF(type, member) offsetof(type, member)
#endif

/* Leaves the calling function with the result of expr unless that is WICED_SUCCESS. */
#define WICED_VERIFY(expr)                            \
    do {                                              \
        wiced_result_t wiced_verify_result_ = (expr); \
        if (wiced_verify_result_ != WICED_SUCCESS) {  \
            return wiced_verify_result_;              \
        }                                             \
    } while (0)

/* Copies n bytes and yields the address behind the last one copied. */
#define MEMCAT(destination, source, n) \
    ((void*)((uint8_t*)memcpy((destination), (source), (n)) + (n)))

#ifndef htobe16
#define htobe16(v) ((uint16_t)((((uint16_t)(v)&0xFFu) << 8) | ((uint16_t)(v) >> 8)))
#endif
#ifndef htobe32
#define htobe32(v)                                                               \
    ((uint32_t)((((uint32_t)(v)&0xFFu) << 24) | (((uint32_t)(v)&0xFF00u) << 8) | \
                (((uint32_t)(v) >> 8) & 0xFF00u) | ((uint32_t)(v) >> 24)))
#endif

#define MALLOC_OBJECT(name, type) ((type*)malloc(sizeof(type)))
#define malloc_named(name, size) malloc(size)

/* Release builds evaluate the condition and go on, debug builds stop. */
#ifdef DEBUG
#define wiced_assert(string, condition) assert((string) && (condition))
#else
#define wiced_assert(string, condition) ((void)(condition))
#endif
