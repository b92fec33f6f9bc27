/* Where the board's addresses and names lead, out of the environment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

/* Keeps a pointer to world, which must outlive the board. */
void routes_boot(const world_t* world);

/* The address a connection really goes to. Host byte order, like all below. */
uint32_t routes_follow(uint32_t address);

/* Looks name up; false when nothing knows it. */
bool routes_resolve(const char* name, uint32_t* address);

/* The file that says how names are answered wrongly; NULL: there is none. */
const char* routes_name_trouble(void);

/* Where sockets bind: the board's address, or any for outgoing and loopback for listening. */
uint32_t routes_outgoing_address(void);
uint32_t routes_listening_address(void);
