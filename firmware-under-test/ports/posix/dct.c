#include "dct.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dct_build.h"
#include "wiced_framework.h"

#define APP_SECTION_SIZE_MAX 8192
#define SECTION_COUNT (DCT_MISC_SECTION + 1)

/* From the application's DEFINE_APP_DCT, or empty ones from app_dct_default.c. */
extern const uint32_t wiced_app_dct_size;
extern const char wiced_app_dct_initial[];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static platform_dct_security_t security;
static platform_dct_mfg_info_t mfg_info;
static platform_dct_wifi_config_t wifi_config;
static platform_dct_network_config_t network_config;
static _Alignas(max_align_t) uint8_t app[APP_SECTION_SIZE_MAX];

static uint8_t* section_bytes(dct_section_t section, uint32_t* size) {
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

static uint8_t* part_of(dct_section_t section, uint32_t offset, uint32_t size) {
    uint32_t section_size = 0;
    uint8_t* bytes = section_bytes(section, &section_size);
    return bytes != NULL && offset <= section_size && size <= section_size - offset ? bytes + offset
                                                                                    : NULL;
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

static void store_access_point(wiced_config_ap_entry_t* entry) {
    const char* name = dct_build.ssid[0] != '\0' ? dct_build.ssid : "wwep-bench";
    wiced_ssid_t* ssid = &entry->details.SSID;
    ssid->length = (uint8_t)strnlen(name, sizeof(ssid->value));
    memcpy(ssid->value, name, ssid->length);
    entry->security_key_length = (uint8_t)strnlen(dct_build.passphrase, SECURITY_KEY_SIZE);
    memcpy(entry->security_key, dct_build.passphrase, entry->security_key_length);
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

    wifi_config.device_configured = WICED_TRUE;
    wifi_config.mac_address = world->mac;
    store_access_point(&wifi_config.stored_ap_list[0]);
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

wiced_result_t wiced_dct_read_lock(void** info_ptr, wiced_bool_t ptr_is_writable,
                                   dct_section_t section, uint32_t offset, uint32_t size) {
    uint8_t* part = part_of(section, offset, size);
    if (info_ptr == NULL || part == NULL) {
        return WICED_ERROR;
    }
    if (ptr_is_writable == WICED_FALSE) {
        *info_ptr = part;
        return WICED_SUCCESS;
    }
    *info_ptr = malloc(size > 0 ? size : 1);
    if (*info_ptr == NULL) {
        return WICED_ERROR;
    }
    pthread_mutex_lock(&lock);
    memcpy(*info_ptr, part, size);
    pthread_mutex_unlock(&lock);
    return WICED_SUCCESS;
}

wiced_result_t wiced_dct_read_unlock(void* info_ptr, wiced_bool_t ptr_is_writable) {
    if (ptr_is_writable != WICED_FALSE) {
        free(info_ptr);
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_dct_write(const void* info_ptr, dct_section_t section, uint32_t offset,
                               uint32_t size) {
    uint8_t* part = part_of(section, offset, size);
    if (info_ptr == NULL || part == NULL) {
        return WICED_ERROR;
    }
    pthread_mutex_lock(&lock);
    memmove(part, info_ptr, size);
    pthread_mutex_unlock(&lock);
    return WICED_SUCCESS;
}
