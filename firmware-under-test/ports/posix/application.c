#include "application.h"

#include "wiced_defaults.h"

const application_settings_t application_settings = {
    .tx_packets_max = TX_PACKET_POOL_SIZE,
    .rx_packets_max = RX_PACKET_POOL_SIZE,
    .accept_timeout_ms = WICED_TCP_ACCEPT_TIMEOUT,
    .disconnect_timeout_ms = WICED_TCP_DISCONNECT_TIMEOUT,
    .bind_timeout_ms = WICED_TCP_BIND_TIMEOUT,
    .send_timeout_ms = WICED_TCP_SEND_TIMEOUT,
    .packet_timeout_ms = WICED_ALLOCATE_PACKET_TIMEOUT,
    .handshake_timeout_ms = TLS_HANDSHAKE_PACKET_TIMEOUT_MS,
    .stack_size = APPLICATION_STACK_SIZE,
};
