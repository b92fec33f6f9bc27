/*
 * The board's one interface, over lwIP. lwIP runs in the dispatcher, and in threads between two of
 * their waits: never in two places at once.
 */
#include "link.h"

#include <stdio.h>

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
#include "wall_clock.h"
#include "wiced_management.h"
#include "wiced_rtos.h"
#include "wiced_tcpip.h"
#include "wiced_utilities.h"

/* A packet is a kilobyte and a half; the lab's own boards get by with two each way. */
#define PACKETS_MAX 2u
/* The first answer of a time server that is there takes milliseconds. */
#define FIRST_TIME_MS 500u

static struct netif interface_of_board;
static bool is_initialised;
static kernel_wait_list_t heard; /* woken when frames have come */

uint32_t sys_now(void) {
    return (uint32_t)(kernel_now_ns() / 1000000u);
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

wiced_result_t link_bring_up(wiced_interface_t interface, wiced_network_config_t config,
                             const wiced_ip_setting_t* settings) {
    (void)interface;
    if (!is_initialised) {
        return WICED_NOTUP;
    }
    if (config == WICED_USE_INTERNAL_DHCP_SERVER) {
        return WICED_UNSUPPORTED; /* there is no radio to be an access point with */
    }
    if (config != WICED_USE_EXTERNAL_DHCP_SERVER && settings == NULL) {
        return WICED_ERROR;
    }
    WICED_VERIFY(take_address(config, settings));
    wiced_ip_address_t address;
    SET_IPV4_ADDRESS(address, host_order(netif_ip4_addr(&interface_of_board)));
    printf("IPv4 address " IPV4_PRINT_FORMAT "\n", IPV4_SPLIT_TO_PRINT(address));
    ask_gateway();
    return WICED_SUCCESS;
}

void link_take_down(void) {
    sntp_stop();
    dhcp_release_and_stop(&interface_of_board);
    netif_set_down(&interface_of_board);
}

link_addresses_t link_addresses(void) {
    return (link_addresses_t){.address = host_order(netif_ip4_addr(&interface_of_board)),
                              .gateway = host_order(netif_ip4_gw(&interface_of_board)),
                              .netmask = host_order(netif_ip4_netmask(&interface_of_board))};
}
