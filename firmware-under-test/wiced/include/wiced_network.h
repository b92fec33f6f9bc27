/* Bringing interfaces up and down. wiced_network_up blocks until there is an address or a failure.
 */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "wiced_result.h"

typedef enum {
    WICED_STA_INTERFACE = 0,
    WICED_AP_INTERFACE = 1,
    WICED_P2P_INTERFACE = 2,
    WICED_ETHERNET_INTERFACE = 3,
    WICED_INTERFACE_MAX = 4,
    WICED_CONFIG_INTERFACE = 0x81,
} wiced_interface_t;

typedef enum {
    WICED_IPV4 = 4,
    WICED_IPV6 = 6,
    WICED_INVALID_IP = INT_MAX,
} wiced_ip_version_t;

/* Addresses are numbers in the CPU's own byte order: 198.51.100.3 is 0xC6336403. */
typedef struct wiced_ip_address_s {
    wiced_ip_version_t version;
    union {
        uint32_t v4;
        uint32_t v6[4];
    } ip;
} wiced_ip_address_t;

typedef struct {
    wiced_ip_address_t ip_address;
    wiced_ip_address_t gateway;
    wiced_ip_address_t netmask;
} wiced_ip_setting_t;

typedef enum {
    WICED_USE_EXTERNAL_DHCP_SERVER = 0,
    WICED_USE_STATIC_IP = 1,
    WICED_USE_INTERNAL_DHCP_SERVER = 2,
} wiced_network_config_t;

typedef struct {
    char value[33];
} wiced_hostname_t;

typedef void (*wiced_network_link_callback_t)(void);

#ifdef __cplusplus
extern "C" {
#endif

wiced_result_t wiced_network_up(wiced_interface_t interface, wiced_network_config_t config,
                                const wiced_ip_setting_t* ip_settings);
wiced_result_t wiced_network_up_default(wiced_interface_t* interface,
                                        const wiced_ip_setting_t* ap_ip_settings);
wiced_result_t wiced_network_down(wiced_interface_t interface);
wiced_bool_t wiced_network_is_up(wiced_interface_t interface);
wiced_bool_t wiced_network_is_ip_up(wiced_interface_t interface);
wiced_result_t wiced_network_suspend(void);
wiced_result_t wiced_network_resume(void);
wiced_result_t wiced_network_set_hostname(const char* name);
wiced_result_t wiced_network_get_hostname(wiced_hostname_t* name);
wiced_result_t wiced_network_register_link_callback(wiced_network_link_callback_t link_up,
                                                    wiced_network_link_callback_t link_down,
                                                    wiced_interface_t interface);

#ifdef __cplusplus
}
#endif
