#include "dct.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "dct_boot.h"
#include "dct_build.h"

#define APP_SECTION_SIZE_MAX 8192

/* From the application's DEFINE_APP_DCT, or empty ones from app_dct_default.c. */
extern const uint32_t wiced_app_dct_size;
extern const char wiced_app_dct_initial[];

static platform_dct_security_t security;
static platform_dct_mfg_info_t mfg_info;
static platform_dct_wifi_config_t wifi_config;
static platform_dct_network_config_t network_config;
static _Alignas(max_align_t) uint8_t app[APP_SECTION_SIZE_MAX];

static uint8_t* find(dct_section_t section, uint32_t* size) {
    switch (section) {
        case DCT_APP_SECTION:
            *size = wiced_app_dct_size;
            return app;
        case DCT_SECURITY_SECTION:
            *size = sizeof(security);
            return (uint8_t*)&security;
        case DCT_MFG_INFO_SECTION:
            *size = sizeof(mfg_info);
            return (uint8_t*)&mfg_info;
        case DCT_WIFI_CONFIG_SECTION:
            *size = sizeof(wifi_config);
            return (uint8_t*)&wifi_config;
        case DCT_NETWORK_CONFIG_SECTION:
            *size = sizeof(network_config);
            return (uint8_t*)&network_config;
        case DCT_INTERNAL_SECTION:
        case DCT_ETHERNET_CONFIG_SECTION:
        case DCT_BT_CONFIG_SECTION:
        case DCT_P2P_CONFIG_SECTION:
        case DCT_OTA2_CONFIG_SECTION:
        case DCT_VERSION_SECTION:
        case DCT_MISC_SECTION:
            break;
    }
    *size = 0;
    return NULL;
}

const uint8_t* dct_section(dct_section_t section, uint32_t* size) {
    return find(section, size);
}

uint8_t* dct_section_to_write(dct_section_t section) {
    uint32_t size;
    return find(section, &size);
}

/* Reads a whole text file of fewer than limit bytes and ends it in NUL. */
static bool read_text(const char* path, char* to, size_t limit, const char* what, char* error,
                      size_t error_size) {
    FILE* file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(error, error_size, "DCT %s: open %s: %s", what, path, strerror(errno));
        return false;
    }
    memset(to, 0, limit); /* what the build put there was maybe longer */
    size_t size = fread(to, 1, limit, file);
    bool is_bad = ferror(file) != 0;
    fclose(file);
    if (is_bad || size == limit) {
        snprintf(
            error, error_size,
            is_bad ? "DCT %s: read %s failed" : "DCT %s: %s is too big, the limit is %zu bytes",
            what, path, limit - 1);
        memset(to, 0, limit);
        return false;
    }
    to[size] = '\0';
    return true;
}

bool dct_boot(const world_t* world, char* error, size_t error_size) {
    security = dct_build.security;
    memset(&mfg_info, 0, sizeof(mfg_info));
    memset(&wifi_config, 0, sizeof(wifi_config));
    memset(&network_config, 0, sizeof(network_config));
    if (wiced_app_dct_size > APP_SECTION_SIZE_MAX) {
        snprintf(error, error_size, "DCT app section: %u bytes, the limit is %u",
                 (unsigned)wiced_app_dct_size, APP_SECTION_SIZE_MAX);
        return false;
    }
    memcpy(app, wiced_app_dct_initial, wiced_app_dct_size);

    dct_know_access_point(&wifi_config);
    wifi_config.mac_address = world->mac;
    network_config.interface = dct_build.interface;
    strcpy(network_config.hostname.value, "wwep-board");

    if (world->dct_certificate != NULL &&
        !read_text(world->dct_certificate, security.certificate, CERTIFICATE_SIZE, "certificate",
                   error, error_size)) {
        return false;
    }
    return world->dct_private_key == NULL ||
           read_text(world->dct_private_key, security.private_key, PRIVATE_KEY_SIZE, "private key",
                     error, error_size);
}
