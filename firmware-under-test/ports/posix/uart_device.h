/*
 * The board's UARTs. The first is the process's standard input and output, and the console's own
 * unless the application was built without one; the second is a device, or nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "world.h"

/* False, and an error that names the variable, when the device cannot be opened. */
bool uart_device_boot(const world_t* world, bool has_stdio, char* error, size_t error_size);
