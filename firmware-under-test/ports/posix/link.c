/* The one interface, which is the machine's: nothing is to be brought up. */
#include "link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "routes.h"
#include "wiced_framework.h"
#include "wiced_management.h"
#include "wiced_tcpip.h"
#include "wiced_utilities.h"

static atomic_bool is_initialised;

wiced_result_t wiced_core_init(void) {
    if (!atomic_exchange(&is_initialised, true)) {
        printf("Board of the POSIX port up\n");
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_init(void) {
    static atomic_bool has_pools;
    wiced_result_t result = wiced_core_init();
    if (!atomic_exchange(&has_pools, true)) {
        printf("Creating Packet pools\n");
    }
    return result;
}

wiced_result_t wiced_core_deinit(void) {
    atomic_store(&is_initialised, false);
    return WICED_SUCCESS;
}

wiced_result_t link_bring_up(wiced_interface_t interface, wiced_network_config_t config,
                             const wiced_ip_setting_t* settings) {
    if (config != WICED_USE_EXTERNAL_DHCP_SERVER && settings == NULL) {
        return WICED_ERROR;
    }
    platform_dct_wifi_config_t* wifi = NULL;
    WICED_VERIFY(
        wiced_dct_read_lock((void**)&wifi, WICED_FALSE, DCT_WIFI_CONFIG_SECTION, 0, sizeof(*wifi)));
    const wiced_ssid_t* ssid = &wifi->stored_ap_list[0].details.SSID;
    if (interface == WICED_STA_INTERFACE && ssid->length == 0) {
        return WICED_NO_STORED_AP_IN_DCT;
    }
    wiced_ip_address_t address;
    SET_IPV4_ADDRESS(address, routes_listening_address());
    if (interface == WICED_STA_INTERFACE) {
        printf("Joined %.*s\n", (int)ssid->length, (const char*)ssid->value);
    }
    printf("IPv4 address " IPV4_PRINT_FORMAT "\n", IPV4_SPLIT_TO_PRINT(address));
    return WICED_SUCCESS;
}

void link_take_down(void) {}

link_addresses_t link_addresses(void) {
    return (link_addresses_t){.address = routes_listening_address(),
                              .gateway = MAKE_IPV4_ADDRESS(127, 0, 0, 1),
                              .netmask = MAKE_IPV4_ADDRESS(255, 0, 0, 0)};
}

wiced_result_t wiced_ip_get_ipv6_address(wiced_interface_t interface, wiced_ip_address_t* address,
                                         wiced_ipv6_address_type_t type) {
    (void)interface;
    (void)type;
    memset(address, 0, sizeof(*address));
    address->version = WICED_IPV6;
    return WICED_SUCCESS;
}
