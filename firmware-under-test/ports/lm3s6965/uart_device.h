/*
 * The board's UARTs, 115200 8N1. The first is the console's own unless the application was built
 * without one. Sending waits for the hardware's FIFO; what is received is kept in a ring of
 * UART_RING_SIZE bytes by the interrupt handler, and what does not fit is lost, as in the hardware.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define UART_RING_SIZE 64u

void uart_device_boot(void);

/* To the console, from any context, also from one that will never return. */
void uart_console_write(const char* text, size_t size);

/* The next byte from the console, as long as no thread of the application reads it; else -1. */
int uart_console_read(void);
