/* The system's side of multicast: a descriptor for each group and port. */
#pragma once

#include <stdint.h>

#define MULTICAST_GROUPS_MAX 8

/*
 * A non-blocking descriptor that gets what is sent to group's port on the board's interface; -1.
 * Several boards on one machine may have the same. Host byte order.
 */
int multicast_open(uint32_t group, uint16_t port);
