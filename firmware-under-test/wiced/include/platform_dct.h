/* Layout of the DCT's sections that applications read. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wiced_network.h"
#include "wiced_wifi.h"

#define PRIVATE_KEY_SIZE 2048
#define CERTIFICATE_SIZE 4096
#define COOEE_KEY_SIZE 16
#define CONFIG_AP_LIST_SIZE 5
#define SECURITY_KEY_SIZE 64

/* Both texts are PEM and end in NUL; they are empty in a build that names no files. */
typedef struct {
    char private_key[PRIVATE_KEY_SIZE];
    char certificate[CERTIFICATE_SIZE];
    uint8_t cooee_key[COOEE_KEY_SIZE];
} platform_dct_security_t;

typedef struct {
    char manufacturer[32];
    char product_name[32];
    char BOM_name[24];
    char BOM_rev[8];
    char serial_number[20];
    char manufacture_date_time[20];
    char manufacture_location[12];
    char bootloader_version[8];
} platform_dct_mfg_info_t;

typedef struct {
    wiced_ssid_t SSID;
    wiced_mac_t BSSID;
    wiced_bss_type_t bss_type;
    wiced_security_t security;
    uint8_t channel;
    wiced_802_11_band_t band;
} wiced_ap_info_t;

typedef struct {
    wiced_ap_info_t details;
    uint8_t security_key_length;
    char security_key[SECURITY_KEY_SIZE];
} wiced_config_ap_entry_t;

typedef struct {
    wiced_ssid_t SSID;
    wiced_security_t security;
    uint8_t channel;
    uint8_t security_key_length;
    char security_key[SECURITY_KEY_SIZE];
    uint32_t details_valid;
} wiced_config_soft_ap_t;

typedef struct {
    wiced_bool_t device_configured;
    wiced_config_ap_entry_t stored_ap_list[CONFIG_AP_LIST_SIZE];
    wiced_config_soft_ap_t soft_ap_settings;
    wiced_config_soft_ap_t config_ap_settings;
    uint32_t country_code;
    wiced_mac_t mac_address;
} platform_dct_wifi_config_t;

typedef struct {
    wiced_interface_t interface;
    wiced_hostname_t hostname;
} platform_dct_network_config_t;
