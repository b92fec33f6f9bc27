#include "network.h"

#include <stdio.h>
#include <string.h>

#include "application.h"
#include "board.h"
#include "ethernet.h"
#include "kernel.h"
#include "lwip/apps/sntp.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"
#include "packet.h"
#include "tcp.h"
#include "wall_clock.h"
#include "wiced_framework.h"
#include "wiced_management.h"
#include "wiced_rtos.h"
#include "wiced_tcpip.h"
#include "wiced_utilities.h"

#define LINK_CALLBACKS_MAX 4
#define ADDRESS_CALLBACKS_MAX 2
/* A packet is a kilobyte and a half; the lab's own boards get by with two each way. */
#define PACKETS_MAX 2u
/* The first answer of a time server that is there takes milliseconds. */
#define FIRST_TIME_MS 500u

typedef struct {
    wiced_network_link_callback_t up;
    wiced_network_link_callback_t down;
} link_callbacks_t;

typedef struct {
    void (*function)(void* arg);
    void* arg;
} address_callback_t;

static struct netif interface_of_board;
static bool is_initialised;
static bool is_up;
static kernel_wait_list_t heard; /* woken when frames have come */
static link_callbacks_t link_callbacks[LINK_CALLBACKS_MAX];
static size_t link_callback_count;
static address_callback_t address_callbacks[ADDRESS_CALLBACKS_MAX];
static size_t address_callback_count;

const wiced_ip_address_t wiced_ip_broadcast = {WICED_IPV4, {.v4 = 0xFFFFFFFFu}};

uint32_t sys_now(void) {
    return (uint32_t)(kernel_now_ns() / 1000000u);
}

bool network_is_up(void) {
    return is_up;
}

static uint64_t poll_network(void) {
    if (ethernet_poll(&interface_of_board)) {
        kernel_lock();
        kernel_wake_all(&heard);
        kernel_unlock();
    }
    sys_check_timeouts();
    uint32_t sleep_ms = sys_timeouts_sleeptime();
    return sleep_ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? KERNEL_NO_DEADLINE
                                                       : kernel_deadline_ns(sleep_ms);
}

wiced_result_t wiced_init(void) {
    wiced_result_t result = wiced_core_init();
    if (is_initialised) {
        return result;
    }
    printf("Creating Packet pools\n");
    if (!packet_boot(MIN(application_settings.tx_packets_max, PACKETS_MAX),
                     MIN(application_settings.rx_packets_max, PACKETS_MAX),
                     MIN(application_settings.common_packets_max, 2 * PACKETS_MAX))) {
        return WICED_OUT_OF_HEAP_SPACE;
    }
    lwip_init();
    if (netif_add(&interface_of_board, NULL, NULL, NULL, NULL, ethernet_boot, ethernet_input) ==
        NULL) {
        return WICED_NETWORK_INTERFACE_ERROR;
    }
    netif_set_default(&interface_of_board);
    board_add_poll(poll_network);
    is_initialised = true;
    return result;
}

static void set_link(bool up) {
    if (is_up == up) {
        return;
    }
    is_up = up;
    for (size_t i = 0; i < link_callback_count; ++i) {
        wiced_network_link_callback_t callback = up ? link_callbacks[i].up : link_callbacks[i].down;
        if (callback != NULL) {
            callback();
        }
    }
    for (size_t i = 0; up && i < address_callback_count; ++i) {
        address_callbacks[i].function(address_callbacks[i].arg);
    }
}

wiced_result_t wiced_deinit(void) {
    (void)wiced_network_down(WICED_STA_INTERFACE);
    return wiced_core_deinit();
}

static bool is_interface(wiced_interface_t interface) {
    return (unsigned)interface < WICED_INTERFACE_MAX || interface == WICED_CONFIG_INTERFACE;
}

static uint32_t host_order(const ip4_addr_t* address) {
    return lwip_ntohl(ip4_addr_get_u32(address));
}

static ip4_addr_t system_address(const wiced_ip_address_t* address) {
    return (ip4_addr_t){.addr = lwip_htonl(GET_IPV4_ADDRESS(*address))};
}

/* Waits until is_true, which only a frame can make true. */
static bool await(bool (*is_true)(void), uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    kernel_lock();
    while (!is_true() && kernel_wait(&heard, deadline_ns) == KERNEL_WOKEN) {
    }
    kernel_unlock();
    return is_true();
}

static bool has_address(void) {
    return !ip4_addr_isany_val(*netif_ip4_addr(&interface_of_board));
}

/* The gateway knows names and the time: whoever provides the network provides them. */
static void ask_gateway(void) {
    const ip_addr_t* gateway = netif_ip_gw4(&interface_of_board);
    if (ip_addr_isany(gateway)) {
        return;
    }
    dns_setserver(0, gateway);
    sntp_setoperatingmode(SNTP_OPMODE_POLL);
    sntp_setserver(0, gateway);
    sntp_init();
    if (!await(wall_clock_is_set, FIRST_TIME_MS)) {
        printf("clock: no answer from SNTP yet\n");
    }
}

static wiced_result_t take_address(wiced_network_config_t config,
                                   const wiced_ip_setting_t* settings) {
    netif_set_up(&interface_of_board);
    if (config == WICED_USE_STATIC_IP) {
        ip4_addr_t address = system_address(&settings->ip_address);
        ip4_addr_t netmask = system_address(&settings->netmask);
        ip4_addr_t gateway = system_address(&settings->gateway);
        netif_set_addr(&interface_of_board, &address, &netmask, &gateway);
        return WICED_SUCCESS;
    }
    if (dhcp_start(&interface_of_board) != ERR_OK ||
        !await(has_address, WICED_DHCP_IP_ADDRESS_RESOLUTION_TIMEOUT)) {
        dhcp_stop(&interface_of_board);
        netif_set_down(&interface_of_board);
        return WICED_ERROR;
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_network_up(wiced_interface_t interface, wiced_network_config_t config,
                                const wiced_ip_setting_t* ip_settings) {
    if (!is_interface(interface)) {
        return WICED_BADARG;
    }
    if (is_up) {
        return WICED_SUCCESS;
    }
    if (!is_initialised) {
        return WICED_NOTUP;
    }
    if (config == WICED_USE_INTERNAL_DHCP_SERVER) {
        return WICED_UNSUPPORTED; /* there is no radio to be an access point with */
    }
    if (config != WICED_USE_EXTERNAL_DHCP_SERVER && ip_settings == NULL) {
        return WICED_ERROR;
    }
    WICED_VERIFY(take_address(config, ip_settings));
    wiced_ip_address_t address;
    SET_IPV4_ADDRESS(address, host_order(netif_ip4_addr(&interface_of_board)));
    printf("IPv4 address " IPV4_PRINT_FORMAT "\n", IPV4_SPLIT_TO_PRINT(address));
    ask_gateway();
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
    if (is_up) {
        sntp_stop();
        dhcp_release_and_stop(&interface_of_board);
        netif_set_down(&interface_of_board);
        set_link(false);
    }
    return WICED_SUCCESS;
}

wiced_bool_t wiced_network_is_up(wiced_interface_t interface) {
    return is_interface(interface) && is_up ? WICED_TRUE : WICED_FALSE;
}

wiced_bool_t wiced_network_is_ip_up(wiced_interface_t interface) {
    return wiced_network_is_up(interface);
}

wiced_result_t wiced_network_suspend(void) {
    return tcp_sockets != NULL ? WICED_ERROR : WICED_SUCCESS;
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
    if (link_callback_count == LINK_CALLBACKS_MAX) {
        return WICED_ERROR;
    }
    link_callbacks[link_callback_count++] = (link_callbacks_t){link_up, link_down};
    return WICED_SUCCESS;
}

wiced_result_t wiced_ip_register_address_change_callback(void (*callback)(void*), void* arg) {
    if (callback == NULL || address_callback_count == ADDRESS_CALLBACKS_MAX) {
        return WICED_ERROR;
    }
    address_callbacks[address_callback_count++] = (address_callback_t){callback, arg};
    return WICED_SUCCESS;
}

static wiced_result_t give(const ip4_addr_t* address, wiced_ip_address_t* to) {
    SET_IPV4_ADDRESS(*to, is_up ? host_order(address) : 0);
    return WICED_SUCCESS;
}

wiced_result_t wiced_ip_get_ipv4_address(wiced_interface_t interface, wiced_ip_address_t* address) {
    (void)interface;
    return give(netif_ip4_addr(&interface_of_board), address);
}

wiced_result_t wiced_ip_get_gateway_address(wiced_interface_t interface,
                                            wiced_ip_address_t* address) {
    (void)interface;
    return give(netif_ip4_gw(&interface_of_board), address);
}

wiced_result_t wiced_ip_get_netmask(wiced_interface_t interface, wiced_ip_address_t* address) {
    (void)interface;
    return give(netif_ip4_netmask(&interface_of_board), address);
}
