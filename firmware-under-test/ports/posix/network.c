#include "network.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tcp.h"
#include "wiced_framework.h"
#include "wiced_management.h"
#include "wiced_tcpip.h"
#include "wiced_utilities.h"

#define LINK_CALLBACKS_MAX 4
#define ADDRESS_CALLBACKS_MAX 2
#define LOOPBACK_ADDRESS MAKE_IPV4_ADDRESS(127, 0, 0, 1)

typedef struct {
    wiced_network_link_callback_t up;
    wiced_network_link_callback_t down;
} link_callbacks_t;

typedef struct {
    void (*function)(void* arg);
    void* arg;
} address_callback_t;

static const world_t* world;
static atomic_bool is_initialised;
/* The board has one interface whatever its name: lab programs use several for the same thing. */
static atomic_bool is_up;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static link_callbacks_t link_callbacks[LINK_CALLBACKS_MAX];
static size_t link_callback_count;
static address_callback_t address_callbacks[ADDRESS_CALLBACKS_MAX];
static size_t address_callback_count;

const wiced_ip_address_t wiced_ip_broadcast = {WICED_IPV4, {.v4 = 0xFFFFFFFFu}};

void network_boot(const world_t* around) {
    world = around;
    atomic_store(&is_initialised, false);
    atomic_store(&is_up, false);
    pthread_mutex_lock(&lock);
    link_callback_count = 0;
    address_callback_count = 0;
    pthread_mutex_unlock(&lock);
}

bool network_is_up(void) {
    return atomic_load(&is_up);
}

static void format_quad(uint32_t address, char* quad, size_t size) {
    snprintf(quad, size, "%u.%u.%u.%u", address >> 24, (address >> 16) & 0xFFu,
             (address >> 8) & 0xFFu, address & 0xFFu);
}

uint32_t network_route(uint32_t address) {
    char quad[16];
    format_quad(address, quad, sizeof(quad));
    const world_route_t* route = world_find_route(world, quad);
    return route != NULL ? route->address : address;
}

bool network_resolve(const char* name, uint32_t* address) {
    wiced_ip_address_t literal;
    if (str_to_ip(name, &literal) == 0) {
        *address = GET_IPV4_ADDRESS(literal);
        return true;
    }
    const world_route_t* route = world_find_route(world, name);
    if (route != NULL) {
        *address = route->address;
    }
    return route != NULL;
}

const char* network_name_trouble(void) {
    return world->name_trouble;
}

uint32_t network_outgoing_address(void) {
    return world->bind_address;
}

uint32_t network_listening_address(void) {
    return world->bind_address != 0 ? world->bind_address : LOOPBACK_ADDRESS;
}

static bool is_interface(wiced_interface_t interface) {
    return (unsigned)interface < WICED_INTERFACE_MAX || interface == WICED_CONFIG_INTERFACE;
}

static void set_link(bool up) {
    if (atomic_exchange(&is_up, up) == up) {
        return;
    }
    link_callbacks_t links[LINK_CALLBACKS_MAX];
    address_callback_t addresses[ADDRESS_CALLBACKS_MAX];
    pthread_mutex_lock(&lock);
    size_t link_count = link_callback_count;
    size_t address_count = up ? address_callback_count : 0;
    memcpy(links, link_callbacks, sizeof(links));
    memcpy(addresses, address_callbacks, sizeof(addresses));
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < link_count; ++i) {
        wiced_network_link_callback_t callback = up ? links[i].up : links[i].down;
        if (callback != NULL) {
            callback();
        }
    }
    for (size_t i = 0; i < address_count; ++i) {
        addresses[i].function(addresses[i].arg);
    }
}

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

wiced_result_t wiced_deinit(void) {
    set_link(false);
    return wiced_core_deinit();
}

wiced_result_t wiced_network_up(wiced_interface_t interface, wiced_network_config_t config,
                                const wiced_ip_setting_t* ip_settings) {
    if (!is_interface(interface)) {
        return WICED_BADARG;
    }
    if (network_is_up()) {
        return WICED_SUCCESS;
    }
    if (config != WICED_USE_EXTERNAL_DHCP_SERVER && ip_settings == NULL) {
        return WICED_ERROR;
    }
    platform_dct_wifi_config_t* wifi = NULL;
    WICED_VERIFY(
        wiced_dct_read_lock((void**)&wifi, WICED_FALSE, DCT_WIFI_CONFIG_SECTION, 0, sizeof(*wifi)));
    const wiced_ssid_t* ssid = &wifi->stored_ap_list[0].details.SSID;
    if (interface == WICED_STA_INTERFACE && ssid->length == 0) {
        return WICED_NO_STORED_AP_IN_DCT;
    }
    char quad[16];
    format_quad(network_listening_address(), quad, sizeof(quad));
    if (interface == WICED_STA_INTERFACE) {
        printf("Joined %.*s\n", (int)ssid->length, (const char*)ssid->value);
    }
    printf("IPv4 address %s\n", quad);
    set_link(true);
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
    set_link(false);
    return WICED_SUCCESS;
}

wiced_bool_t wiced_network_is_up(wiced_interface_t interface) {
    return is_interface(interface) && network_is_up() ? WICED_TRUE : WICED_FALSE;
}

wiced_bool_t wiced_network_is_ip_up(wiced_interface_t interface) {
    return wiced_network_is_up(interface);
}

/* Nothing has timers that could rest; only the refusal is to be seen. */
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
    pthread_mutex_lock(&lock);
    if (link_callback_count < LINK_CALLBACKS_MAX) {
        link_callbacks[link_callback_count++] = (link_callbacks_t){link_up, link_down};
        result = WICED_SUCCESS;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

wiced_result_t wiced_ip_register_address_change_callback(void (*callback)(void*), void* arg) {
    wiced_result_t result = WICED_ERROR;
    pthread_mutex_lock(&lock);
    if (callback != NULL && address_callback_count < ADDRESS_CALLBACKS_MAX) {
        address_callbacks[address_callback_count++] = (address_callback_t){callback, arg};
        result = WICED_SUCCESS;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

wiced_result_t wiced_wifi_get_mac_address(wiced_mac_t* mac) {
    if (mac == NULL) {
        return WICED_BADARG;
    }
    *mac = world->mac;
    return WICED_SUCCESS;
}

static wiced_result_t give(uint32_t address, wiced_ip_address_t* to) {
    SET_IPV4_ADDRESS(*to, network_is_up() ? address : 0);
    return WICED_SUCCESS;
}

wiced_result_t wiced_ip_get_ipv4_address(wiced_interface_t interface, wiced_ip_address_t* address) {
    (void)interface;
    return give(network_listening_address(), address);
}

wiced_result_t wiced_ip_get_gateway_address(wiced_interface_t interface,
                                            wiced_ip_address_t* address) {
    (void)interface;
    return give(LOOPBACK_ADDRESS, address);
}

wiced_result_t wiced_ip_get_netmask(wiced_interface_t interface, wiced_ip_address_t* address) {
    (void)interface;
    return give(MAKE_IPV4_ADDRESS(255, 0, 0, 0), address);
}

wiced_result_t wiced_ip_get_ipv6_address(wiced_interface_t interface, wiced_ip_address_t* address,
                                         wiced_ipv6_address_type_t type) {
    (void)interface;
    (void)type;
    memset(address, 0, sizeof(*address));
    address->version = WICED_IPV6;
    return WICED_SUCCESS;
}
