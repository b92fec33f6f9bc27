/* The one network interface, and where addresses lead. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wiced_network.h"
#include "world.h"

/* Keeps a pointer to world, which must outlive the board. */
void network_boot(const world_t* world);

bool network_is_up(void);

/* The address a connection really goes to. Host byte order, like all below. */
uint32_t network_route(uint32_t address);

/* Looks name up; false when nothing knows it. */
bool network_resolve(const char* name, uint32_t* address);

/* The file that says how names are answered wrongly; NULL: there is none. */
const char* network_name_trouble(void);

/* Where sockets bind: the board's address, or any for outgoing and loopback for listening. */
uint32_t network_outgoing_address(void);
uint32_t network_listening_address(void);
