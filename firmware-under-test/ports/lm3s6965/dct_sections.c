#include "dct_sections.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dct.h"
#include "dct_build.h"
#include "registers.h"
#include "wiced_wifi.h"

#define SECTION_COUNT (DCT_MISC_SECTION + 1)

/* From the application's DEFINE_APP_DCT, or empty ones from app_dct_default.c. */
extern const uint32_t wiced_app_dct_size;
extern const char wiced_app_dct_initial[];

static const volatile dct_provisioned_t* const provisioned =
    (const volatile dct_provisioned_t*)DCT_PROVISIONED_ADDRESS;
static const platform_dct_mfg_info_t mfg_info;
static const platform_dct_network_config_t network_config = {.interface = WICED_STA_INTERFACE,
                                                             .hostname = {.value = "wwep-board"}};

static void* copies[SECTION_COUNT]; /* on the heap, of sections that are not as in flash */

/* The chip keeps its address as the manufacturer wrote it: two words of three bytes each. */
wiced_mac_t dct_mac(void) {
    uint32_t low = SYSCTL_USER0;
    uint32_t high = SYSCTL_USER1;
    return (wiced_mac_t){{(uint8_t)low, (uint8_t)(low >> 8), (uint8_t)(low >> 16), (uint8_t)high,
                          (uint8_t)(high >> 8), (uint8_t)(high >> 16)}};
}

wiced_result_t wiced_wifi_get_mac_address(wiced_mac_t* mac) {
    if (mac == NULL) {
        return WICED_BADARG;
    }
    *mac = dct_mac();
    return WICED_SUCCESS;
}

static const platform_dct_security_t* provisioned_security(void) {
    const dct_provisioned_t* in_flash = (const dct_provisioned_t*)provisioned;
    return memcmp(in_flash->magic, DCT_PROVISIONED_MAGIC, sizeof(in_flash->magic)) == 0
               ? &in_flash->security
               : NULL;
}

static platform_dct_security_t* merged_security(const platform_dct_security_t* given) {
    platform_dct_security_t* merged = malloc(sizeof(*merged));
    if (merged != NULL) {
        *merged = *given;
        if (given->certificate[0] == '\0') {
            memcpy(merged->certificate, dct_build.security.certificate, CERTIFICATE_SIZE);
        }
        if (given->private_key[0] == '\0') {
            memcpy(merged->private_key, dct_build.security.private_key, PRIVATE_KEY_SIZE);
        }
    }
    return merged;
}

/* Only what comes from both places is copied, for the sake of the heap. */
static const void* security(void) {
    const platform_dct_security_t* built = &dct_build.security;
    const platform_dct_security_t* given = provisioned_security();
    if (given == NULL) {
        return built;
    }
    bool is_mixed = (given->certificate[0] == '\0' && built->certificate[0] != '\0') ||
                    (given->private_key[0] == '\0' && built->private_key[0] != '\0');
    if (is_mixed) {
        copies[DCT_SECURITY_SECTION] = merged_security(given);
        return copies[DCT_SECURITY_SECTION];
    }
    return given;
}

static const void* wifi_config(void) {
    platform_dct_wifi_config_t* wifi = calloc(1, sizeof(*wifi));
    copies[DCT_WIFI_CONFIG_SECTION] = wifi;
    if (wifi != NULL) {
        dct_know_access_point(wifi);
        wifi->mac_address = dct_mac();
    }
    return wifi;
}

/* The station's, unless the build says otherwise. */
static const void* network(void) {
    if (dct_build.interface == network_config.interface) {
        return &network_config;
    }
    platform_dct_network_config_t* own = malloc(sizeof(*own));
    copies[DCT_NETWORK_CONFIG_SECTION] = own;
    if (own != NULL) {
        *own = network_config;
        own->interface = dct_build.interface;
    }
    return own;
}

const uint8_t* dct_section(dct_section_t section, uint32_t* size) {
    const void* bytes = NULL;
    *size = 0;
    if ((unsigned)section < SECTION_COUNT) {
        bytes = copies[section];
    }
    switch (section) {
        case DCT_APP_SECTION:
            *size = wiced_app_dct_size;
            return bytes != NULL ? bytes : wiced_app_dct_initial;
        case DCT_SECURITY_SECTION:
            *size = sizeof(platform_dct_security_t);
            return bytes != NULL ? bytes : security();
        case DCT_MFG_INFO_SECTION:
            *size = sizeof(mfg_info);
            return bytes != NULL ? bytes : (const void*)&mfg_info;
        case DCT_WIFI_CONFIG_SECTION:
            *size = sizeof(platform_dct_wifi_config_t);
            return bytes != NULL ? bytes : wifi_config();
        case DCT_NETWORK_CONFIG_SECTION:
            *size = sizeof(network_config);
            return bytes != NULL ? bytes : network();
        case DCT_INTERNAL_SECTION:
        case DCT_ETHERNET_CONFIG_SECTION:
        case DCT_BT_CONFIG_SECTION:
        case DCT_P2P_CONFIG_SECTION:
        case DCT_OTA2_CONFIG_SECTION:
        case DCT_VERSION_SECTION:
        case DCT_MISC_SECTION:
            break;
    }
    return NULL;
}

uint8_t* dct_section_to_write(dct_section_t section) {
    uint32_t size = 0;
    const uint8_t* bytes = dct_section(section, &size);
    if (copies[section] == NULL && bytes != NULL) {
        copies[section] = malloc(size);
        if (copies[section] != NULL) {
            memcpy(copies[section], bytes, size);
        }
    }
    return copies[section];
}
