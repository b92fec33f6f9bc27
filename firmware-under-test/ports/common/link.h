/*
 * The board's one interface, under network.h. Each port brings its own. Addresses are in host byte
 * order.
 */
#pragma once

#include <stdint.h>

#include "wiced_network.h"

typedef struct {
    uint32_t address;
    uint32_t gateway;
    uint32_t netmask;
} link_addresses_t;

/* It is down: brings it up as the application asks for. */
wiced_result_t link_bring_up(wiced_interface_t interface, wiced_network_config_t config,
                             const wiced_ip_setting_t* settings);
/* It is up: takes it down. */
void link_take_down(void);
/* While it is up. */
link_addresses_t link_addresses(void);
