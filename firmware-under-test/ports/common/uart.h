/*
 * The UARTs as an application sees them: which are its own, and how what it reads is cut. The first
 * is the console's unless the application was built without one. Each port brings the devices.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wiced_platform.h"

void uart_boot(bool has_stdio);

/* Sends all of it; 4 when that cannot be done. */
wiced_result_t uart_device_send(wiced_uart_t uart, const uint8_t* data, uint32_t size);
/* Waits for bytes and takes up to size of them; 0 when there were none in time. */
uint32_t uart_device_take(wiced_uart_t uart, uint8_t* to, uint32_t size, uint64_t deadline_ns);
