#include "routes.h"

#include <stdio.h>

#include "wiced_tcpip.h"
#include "wiced_wifi.h"

#define LOOPBACK_ADDRESS MAKE_IPV4_ADDRESS(127, 0, 0, 1)

static const world_t* world;

void routes_boot(const world_t* around) {
    world = around;
}

uint32_t routes_follow(uint32_t address) {
    char quad[16];
    snprintf(quad, sizeof(quad), "%u.%u.%u.%u", address >> 24, (address >> 16) & 0xFFu,
             (address >> 8) & 0xFFu, address & 0xFFu);
    const world_route_t* route = world_find_route(world, quad);
    return route != NULL ? route->address : address;
}

bool routes_resolve(const char* name, uint32_t* address) {
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

const char* routes_name_trouble(void) {
    return world->name_trouble;
}

uint32_t routes_outgoing_address(void) {
    return world->bind_address;
}

uint32_t routes_listening_address(void) {
    return world->bind_address != 0 ? world->bind_address : LOOPBACK_ADDRESS;
}

wiced_result_t wiced_wifi_get_mac_address(wiced_mac_t* mac) {
    if (mac == NULL) {
        return WICED_BADARG;
    }
    *mac = world->mac;
    return WICED_SUCCESS;
}
