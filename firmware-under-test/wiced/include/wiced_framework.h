/*
 * The device configuration table (DCT): what survives a power cycle.
 * A pointer from wiced_dct_read_lock that is not writable points into the table itself; a writable
 * one is a copy on the heap, which unlock frees. Unlock with the same flag.
 */
#pragma once

#include <stdint.h>

#include "platform_dct.h"
#include "wiced_result.h"

typedef enum {
    DCT_APP_SECTION = 0,
    DCT_SECURITY_SECTION = 1,
    DCT_MFG_INFO_SECTION = 2,
    DCT_WIFI_CONFIG_SECTION = 3,
    DCT_INTERNAL_SECTION = 4,
    DCT_ETHERNET_CONFIG_SECTION = 5,
    DCT_NETWORK_CONFIG_SECTION = 6,
    DCT_BT_CONFIG_SECTION = 7,
    DCT_P2P_CONFIG_SECTION = 8,
    DCT_OTA2_CONFIG_SECTION = 9,
    DCT_VERSION_SECTION = 10,
    DCT_MISC_SECTION = 11,
} dct_section_t;

#define DCT_OFFSET(type, member) ((uint32_t)offsetof(type, member))

/* Stands before an initialiser in the file that APPLICATION_DCT names. */
#define DEFINE_APP_DCT(type)                                    \
    extern const uint32_t wiced_app_dct_size;                   \
    extern const type wiced_app_dct_initial;                    \
    const uint32_t wiced_app_dct_size = (uint32_t)sizeof(type); \
    const type wiced_app_dct_initial =

#ifdef __cplusplus
extern "C" {
#endif

wiced_result_t wiced_dct_read_lock(void** info_ptr, wiced_bool_t ptr_is_writable,
                                   dct_section_t section, uint32_t offset, uint32_t size);
wiced_result_t wiced_dct_read_unlock(void* info_ptr, wiced_bool_t ptr_is_writable);
wiced_result_t wiced_dct_write(const void* info_ptr, dct_section_t section, uint32_t offset,
                               uint32_t size);

#ifdef __cplusplus
}
#endif
