#include "network.h"

#include <stdatomic.h>
#include <string.h>

#include "kernel.h"
#include "link.h"
#include "tcp.h"
#include "wiced_framework.h"
#include "wiced_management.h"
#include "wiced_tcpip.h"
#include "wiced_utilities.h"

#define LINK_CALLBACKS_MAX 4
#define ADDRESS_CALLBACKS_MAX 2

typedef struct {
    wiced_network_link_callback_t up;
    wiced_network_link_callback_t down;
} link_callbacks_t;

typedef struct {
    void (*function)(void* arg);
    void* arg;
} address_callback_t;

typedef struct {
    link_callbacks_t links[LINK_CALLBACKS_MAX];
    size_t link_count;
    address_callback_t addresses[ADDRESS_CALLBACKS_MAX];
    size_t address_count;
} callbacks_t;

static atomic_bool is_up;
static callbacks_t registered; /* under the kernel lock */

const wiced_ip_address_t wiced_ip_broadcast = {WICED_IPV4, {.v4 = 0xFFFFFFFFu}};

bool network_is_up(void) {
    return atomic_load(&is_up);
}

static void set_up(bool up) {
    if (atomic_exchange(&is_up, up) == up) {
        return;
    }
    kernel_lock();
    callbacks_t callbacks = registered;
    kernel_unlock();
    for (size_t i = 0; i < callbacks.link_count; ++i) {
        link_callbacks_t* link = &callbacks.links[i];
        wiced_network_link_callback_t callback = up ? link->up : link->down;
        if (callback != NULL) {
            callback();
        }
    }
    for (size_t i = 0; up && i < callbacks.address_count; ++i) {
        callbacks.addresses[i].function(callbacks.addresses[i].arg);
    }
}

static bool is_interface(wiced_interface_t interface) {
    return (unsigned)interface < WICED_INTERFACE_MAX || interface == WICED_CONFIG_INTERFACE;
}

wiced_result_t wiced_network_up(wiced_interface_t interface, wiced_network_config_t config,
                                const wiced_ip_setting_t* ip_settings) {
    if (!is_interface(interface)) {
        return WICED_BADARG;
    }
    if (!network_is_up()) {
        WICED_VERIFY(link_bring_up(interface, config, ip_settings));
        set_up(true);
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_network_up_default(wiced_interface_t* interface,
                                        const wiced_ip_setting_t* ap_ip_settings) {
    platform_dct_network_config_t* network = NULL;
    WICED_VERIFY(wiced_dct_read_lock((void**)&network, WICED_FALSE, DCT_NETWORK_CONFIG_SECTION, 0,
                                     sizeof(*network)));
    *interface = network->interface;
    return wiced_network_up(*interface,
                            *interface == WICED_AP_INTERFACE ? WICED_USE_INTERNAL_DHCP_SERVER
                                                             : WICED_USE_EXTERNAL_DHCP_SERVER,
                            ap_ip_settings);
}

wiced_result_t wiced_network_down(wiced_interface_t interface) {
    (void)interface;
    if (network_is_up()) {
        link_take_down();
        set_up(false);
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_deinit(void) {
    (void)wiced_network_down(WICED_STA_INTERFACE);
    return wiced_core_deinit();
}

wiced_bool_t wiced_network_is_up(wiced_interface_t interface) {
    return is_interface(interface) && network_is_up() ? WICED_TRUE : WICED_FALSE;
}

wiced_bool_t wiced_network_is_ip_up(wiced_interface_t interface) {
    return wiced_network_is_up(interface);
}

/* No timer rests meanwhile; only the refusal is to be seen. */
wiced_result_t wiced_network_suspend(void) {
    tcp_lock();
    bool has_sockets = tcp_sockets != NULL;
    tcp_unlock();
    return has_sockets ? WICED_ERROR : WICED_SUCCESS;
}

wiced_result_t wiced_network_resume(void) {
    return WICED_SUCCESS;
}

wiced_result_t wiced_network_set_hostname(const char* name) {
    wiced_hostname_t hostname = {{0}};
    if (name == NULL || strlen(name) >= sizeof(hostname.value)) {
        return WICED_BADARG;
    }
    strcpy(hostname.value, name);
    return wiced_dct_write(&hostname, DCT_NETWORK_CONFIG_SECTION,
                           DCT_OFFSET(platform_dct_network_config_t, hostname), sizeof(hostname));
}

wiced_result_t wiced_network_get_hostname(wiced_hostname_t* name) {
    platform_dct_network_config_t* network = NULL;
    WICED_VERIFY(wiced_dct_read_lock((void**)&network, WICED_FALSE, DCT_NETWORK_CONFIG_SECTION, 0,
                                     sizeof(*network)));
    *name = network->hostname;
    return WICED_SUCCESS;
}

wiced_result_t wiced_network_register_link_callback(wiced_network_link_callback_t link_up,
                                                    wiced_network_link_callback_t link_down,
                                                    wiced_interface_t interface) {
    (void)interface;
    wiced_result_t result = WICED_ERROR;
    kernel_lock();
    if (registered.link_count < LINK_CALLBACKS_MAX) {
        registered.links[registered.link_count++] = (link_callbacks_t){link_up, link_down};
        result = WICED_SUCCESS;
    }
    kernel_unlock();
    return result;
}

wiced_result_t wiced_ip_register_address_change_callback(void (*callback)(void*), void* arg) {
    wiced_result_t result = WICED_ERROR;
    kernel_lock();
    if (callback != NULL && registered.address_count < ADDRESS_CALLBACKS_MAX) {
        registered.addresses[registered.address_count++] = (address_callback_t){callback, arg};
        result = WICED_SUCCESS;
    }
    kernel_unlock();
    return result;
}

/* Nothing while the network is down. */
static link_addresses_t addresses(void) {
    return network_is_up() ? link_addresses() : (link_addresses_t){0};
}

wiced_result_t wiced_ip_get_ipv4_address(wiced_interface_t interface, wiced_ip_address_t* address) {
    (void)interface;
    SET_IPV4_ADDRESS(*address, addresses().address);
    return WICED_SUCCESS;
}

wiced_result_t wiced_ip_get_gateway_address(wiced_interface_t interface,
                                            wiced_ip_address_t* address) {
    (void)interface;
    SET_IPV4_ADDRESS(*address, addresses().gateway);
    return WICED_SUCCESS;
}

wiced_result_t wiced_ip_get_netmask(wiced_interface_t interface, wiced_ip_address_t* address) {
    (void)interface;
    SET_IPV4_ADDRESS(*address, addresses().netmask);
    return WICED_SUCCESS;
}
