/*
 * What an application asks about the network and is told about it. A board has one interface
 * whatever its name: lab programs use several for the same thing. link.h is what a port brings.
 */
#pragma once

#include <stdbool.h>

bool network_is_up(void);
