/*
 * What an application's build settles. application.c is compiled once for each application, with
 * its GLOBAL_DEFINES, so that the library itself need not be.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t tx_packets_max;
    uint32_t rx_packets_max;
    uint32_t common_packets_max; /* one pool for both directions; 0: one for each */
    bool has_stdio;              /* false: the console's UART is the application's own */
    uint32_t accept_timeout_ms;
    uint32_t disconnect_timeout_ms;
    uint32_t bind_timeout_ms;
    uint32_t send_timeout_ms;
    uint32_t packet_timeout_ms;
    uint32_t handshake_timeout_ms;
    uint32_t tls_sessions_max; /* that a server can resume */
    uint32_t stack_size;
} application_settings_t;

extern const application_settings_t application_settings;
