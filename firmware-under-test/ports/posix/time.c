#include "wiced_time.h"

#include <stdatomic.h>

#include "kernel.h"
#include "time_boot.h"

static uint64_t booted_ns;
static _Atomic uint32_t offset_ms;
static _Atomic uint64_t utc_offset_ms;

static uint64_t uptime_ms(void) {
    return (kernel_now_ns() - booted_ns) / 1000000u;
}

void time_boot(void) {
    booted_ns = kernel_now_ns();
    atomic_store(&offset_ms, 0);
    atomic_store(&utc_offset_ms, 0);
}

wiced_result_t wiced_time_get_time(wiced_time_t* time_ms) {
    *time_ms = (uint32_t)uptime_ms() + atomic_load(&offset_ms);
    return WICED_SUCCESS;
}

wiced_result_t wiced_time_set_time(const wiced_time_t* time_ms) {
    atomic_store(&offset_ms, *time_ms - (uint32_t)uptime_ms());
    return WICED_SUCCESS;
}

wiced_result_t wiced_time_get_utc_time_ms(wiced_utc_time_ms_t* utc_ms) {
    *utc_ms = uptime_ms() + atomic_load(&utc_offset_ms);
    return WICED_SUCCESS;
}

wiced_result_t wiced_time_get_utc_time(wiced_utc_time_t* utc_s) {
    *utc_s = (wiced_utc_time_t)((uptime_ms() + atomic_load(&utc_offset_ms)) / 1000u);
    return WICED_SUCCESS;
}

wiced_result_t wiced_time_set_utc_time_ms(const wiced_utc_time_ms_t* utc_ms) {
    atomic_store(&utc_offset_ms, *utc_ms - uptime_ms());
    return WICED_SUCCESS;
}
