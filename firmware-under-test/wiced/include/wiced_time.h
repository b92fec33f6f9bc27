/* Time: milliseconds since boot, and UTC, which is unset until something sets it. */
#pragma once

#include <stdint.h>

#include "wiced_result.h"

#define MILLISECONDS (1)
#define SECONDS (1000)
#define MINUTES (60 * SECONDS)
#define HOURS (60 * MINUTES)
#define DAYS (24 * HOURS)

typedef uint32_t wiced_time_t;
typedef uint32_t wiced_utc_time_t;
typedef uint64_t wiced_utc_time_ms_t;

#ifdef __cplusplus
extern "C" {
#endif

wiced_result_t wiced_time_get_time(wiced_time_t* time_ms);
wiced_result_t wiced_time_set_time(const wiced_time_t* time_ms);
wiced_result_t wiced_time_get_utc_time(wiced_utc_time_t* utc_s);
wiced_result_t wiced_time_get_utc_time_ms(wiced_utc_time_ms_t* utc_ms);
wiced_result_t wiced_time_set_utc_time_ms(const wiced_utc_time_ms_t* utc_ms);

#ifdef __cplusplus
}
#endif
