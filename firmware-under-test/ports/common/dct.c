#include "dct.h"

#include <stdlib.h>
#include <string.h>

#include "dct_build.h"
#include "kernel.h"

void dct_know_access_point(platform_dct_wifi_config_t* wifi) {
    const char* name = dct_build.ssid[0] != '\0' ? dct_build.ssid : "wwep-bench";
    wiced_config_ap_entry_t* entry = &wifi->stored_ap_list[0];
    wiced_ssid_t* ssid = &entry->details.SSID;
    ssid->length = (uint8_t)strnlen(name, sizeof(ssid->value));
    memcpy(ssid->value, name, ssid->length);
    entry->security_key_length = (uint8_t)strnlen(dct_build.passphrase, SECURITY_KEY_SIZE);
    memcpy(entry->security_key, dct_build.passphrase, entry->security_key_length);
    wifi->device_configured = WICED_TRUE;
}

static const uint8_t* part_of(dct_section_t section, uint32_t offset, uint32_t size) {
    uint32_t section_size = 0;
    const uint8_t* bytes = dct_section(section, &section_size);
    bool fits = offset <= section_size && size <= section_size - offset;
    return bytes != NULL && fits ? bytes + offset : NULL;
}

wiced_result_t wiced_dct_read_lock(void** info_ptr, wiced_bool_t ptr_is_writable,
                                   dct_section_t section, uint32_t offset, uint32_t size) {
    const uint8_t* part = part_of(section, offset, size);
    if (info_ptr == NULL || part == NULL) {
        return WICED_ERROR;
    }
    if (ptr_is_writable == WICED_FALSE) {
        memcpy(info_ptr, &part, sizeof(part)); /* the SDK's pointer is not const */
        return WICED_SUCCESS;
    }
    *info_ptr = malloc(size > 0 ? size : 1);
    if (*info_ptr == NULL) {
        return WICED_ERROR;
    }
    kernel_lock();
    memcpy(*info_ptr, part, size);
    kernel_unlock();
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
    if (info_ptr == NULL || part_of(section, offset, size) == NULL) {
        return WICED_ERROR;
    }
    uint8_t* bytes = dct_section_to_write(section);
    if (bytes == NULL) {
        return WICED_ERROR;
    }
    kernel_lock();
    memmove(bytes + offset, info_ptr, size);
    kernel_unlock();
    return WICED_SUCCESS;
}
