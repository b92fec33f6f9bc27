#include "application.h"

#include "wiced_defaults.h"

#ifdef WICED_USE_COMMON_PKT_POOL
#define COMMON_PACKETS_MAX COM_PACKET_POOL_SIZE
#else
#define COMMON_PACKETS_MAX 0
#endif

#ifdef WICED_DISABLE_STDIO
#define HAS_STDIO false
#else
#define HAS_STDIO true
#endif

const application_settings_t application_settings = {
    .tx_packets_max = TX_PACKET_POOL_SIZE,
    .rx_packets_max = RX_PACKET_POOL_SIZE,
    .common_packets_max = COMMON_PACKETS_MAX,
    .has_stdio = HAS_STDIO,
    .accept_timeout_ms = WICED_TCP_ACCEPT_TIMEOUT,
    .disconnect_timeout_ms = WICED_TCP_DISCONNECT_TIMEOUT,
    .bind_timeout_ms = WICED_TCP_BIND_TIMEOUT,
    .send_timeout_ms = WICED_TCP_SEND_TIMEOUT,
    .packet_timeout_ms = WICED_ALLOCATE_PACKET_TIMEOUT,
    .handshake_timeout_ms = TLS_HANDSHAKE_PACKET_TIMEOUT_MS,
    .tls_sessions_max = WICED_TLS_MAX_RESUMABLE_SESSIONS,
    .stack_size = APPLICATION_STACK_SIZE,
};
