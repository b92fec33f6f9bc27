/* The interrupt handlers that the vector table names. Each records and returns. */
#pragma once

void handle_systick(void);
void handle_timer0(void);
void handle_gpio(void);
void handle_uart0(void);
void handle_uart1(void);
void handle_ethernet(void);
