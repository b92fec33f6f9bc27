/* What an application asks of the radio. */
#pragma once

#include <stdint.h>

#include "wiced_result.h"

typedef struct {
    uint8_t octet[6];
} wiced_mac_t;

typedef struct {
    uint8_t length;
    uint8_t value[32];
} wiced_ssid_t;

typedef enum {
    WICED_SECURITY_OPEN = 0,
    WICED_SECURITY_WPA2_AES_PSK = 0x00400004,
    WICED_SECURITY_WPA2_MIXED_PSK = 0x00400006,
} wiced_security_t;

typedef enum {
    WICED_BSS_TYPE_INFRASTRUCTURE = 0,
    WICED_BSS_TYPE_ADHOC = 1,
    WICED_BSS_TYPE_ANY = 2,
} wiced_bss_type_t;

typedef enum {
    WICED_802_11_BAND_5GHZ = 0,
    WICED_802_11_BAND_2_4GHZ = 1,
} wiced_802_11_band_t;

#ifdef __cplusplus
extern "C" {
#endif

/* The station's address, octets in the order they are printed; needs no join. */
wiced_result_t wiced_wifi_get_mac_address(wiced_mac_t* mac);

#ifdef __cplusplus
}
#endif
