#include "wall_clock.h"

#include <stdio.h>
#include <time.h>

#include "kernel.h"
#include "wiced_time.h"

static uint32_t offset_ms; /* of the count that the application may set */
static uint64_t utc_at_boot_ms;
static bool is_set;

static uint64_t uptime_ms(void) {
    return kernel_now_ns() / 1000000u;
}

uint64_t wall_clock_ms(void) {
    return utc_at_boot_ms + uptime_ms();
}

bool wall_clock_is_set(void) {
    return is_set;
}

/* Prints a moment as people write it; newlib's strftime would cost three kilobytes. */
static void print_moment(const char* before, uint32_t utc_s, const char* after) {
    time_t seconds = (time_t)utc_s;
    struct tm utc;
    gmtime_r(&seconds, &utc);
    printf("clock: %s%04d-%02d-%02dT%02d:%02d:%02dZ%s\n", before, utc.tm_year + 1900,
           utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, after);
}

void wall_clock_boot(void) {
    utc_at_boot_ms = (uint64_t)wall_clock_build_s * 1000u;
    print_moment("at the image's build date, ", wall_clock_build_s, ", until SNTP sets it");
}

void wall_clock_set_from_network(uint32_t utc_s, uint32_t us) {
    if (utc_s < wall_clock_build_s) {
        print_moment("SNTP's ", utc_s, " is before the image's build date, not taken");
        return;
    }
    utc_at_boot_ms = (uint64_t)utc_s * 1000u + us / 1000u - uptime_ms();
    is_set = true;
    print_moment("set by SNTP to ", utc_s, "");
}

wiced_result_t wiced_time_get_time(wiced_time_t* time_ms) {
    *time_ms = (uint32_t)uptime_ms() + offset_ms;
    return WICED_SUCCESS;
}

wiced_result_t wiced_time_set_time(const wiced_time_t* time_ms) {
    offset_ms = *time_ms - (uint32_t)uptime_ms();
    return WICED_SUCCESS;
}

wiced_result_t wiced_time_get_utc_time_ms(wiced_utc_time_ms_t* utc_ms) {
    *utc_ms = wall_clock_ms();
    return WICED_SUCCESS;
}

wiced_result_t wiced_time_get_utc_time(wiced_utc_time_t* utc_s) {
    *utc_s = (wiced_utc_time_t)(wall_clock_ms() / 1000u);
    return WICED_SUCCESS;
}

wiced_result_t wiced_time_set_utc_time_ms(const wiced_utc_time_ms_t* utc_ms) {
    utc_at_boot_ms = *utc_ms - uptime_ms();
    is_set = true;
    return WICED_SUCCESS;
}
