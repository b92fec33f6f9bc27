/*
 * Addresses, name look-up, TCP and UDP sockets, packets and streams.
 *
 * Sockets, streams and servers are the caller's memory and must outlive their use; they cannot be
 * copied. A packet belongs to whoever got it: the sender until a send succeeds, the receiver until
 * it deletes it. Everything here runs in threads, never in an interrupt handler.
 */
#pragma once

#include <stdint.h>

#include "wiced_defaults.h"
#include "wiced_network.h"
#include "wiced_port_types.h"
#include "wiced_resource.h"
#include "wiced_result.h"

#define WICED_ANY_PORT 0
#define WICED_MAXIMUM_NUMBER_OF_SERVER_SOCKETS 18

#define MAKE_IPV4_ADDRESS(a, b, c, d)                                           \
    ((uint32_t)((((uint32_t)(a)&0xFFu) << 24) | (((uint32_t)(b)&0xFFu) << 16) | \
                (((uint32_t)(c)&0xFFu) << 8) | ((uint32_t)(d)&0xFFu)))
#define SET_IPV4_ADDRESS(var, value) ((var).version = WICED_IPV4, (var).ip.v4 = (uint32_t)(value))
#define GET_IPV4_ADDRESS(var) ((var).ip.v4)
#define INITIALISER_IPV4_ADDRESS(name, value) name = {WICED_IPV4, {.v4 = (uint32_t)(value)}}

#define MAKE_IPV6_WORD_(a, b) ((((uint32_t)(a)&0xFFFFu) << 16) | ((uint32_t)(b)&0xFFFFu))
#define MAKE_IPV6_ADDRESS(a, b, c, d, e, f, g, h) \
    { MAKE_IPV6_WORD_(a, b), MAKE_IPV6_WORD_(c, d), MAKE_IPV6_WORD_(e, f), MAKE_IPV6_WORD_(g, h) }
#define SET_IPV6_ADDRESS(var, ...)                                             \
    do {                                                                       \
        const uint32_t wiced_ipv6_words_[4] = __VA_ARGS__;                     \
        (var).version = WICED_IPV6;                                            \
        for (unsigned wiced_ipv6_i_ = 0; wiced_ipv6_i_ < 4; ++wiced_ipv6_i_) { \
            (var).ip.v6[wiced_ipv6_i_] = wiced_ipv6_words_[wiced_ipv6_i_];     \
        }                                                                      \
    } while (0)
#define GET_IPV6_ADDRESS(var) ((var).ip.v6)

#define IPV4_PRINT_FORMAT "%ld.%ld.%ld.%ld"
#define IPV4_SPLIT_TO_PRINT(var)                                              \
    (long)(((var).ip.v4 >> 24) & 0xFFu), (long)(((var).ip.v4 >> 16) & 0xFFu), \
        (long)(((var).ip.v4 >> 8) & 0xFFu), (long)((var).ip.v4 & 0xFFu)

#define WICED_IP_BROADCAST (&wiced_ip_broadcast)

typedef enum {
    IPv6_LINK_LOCAL_ADDRESS,
    IPv6_GLOBAL_ADDRESS,
} wiced_ipv6_address_type_t;

typedef enum {
    WICED_SOCKET_CLOSED = 0,
    WICED_SOCKET_CLOSING = 1,
    WICED_SOCKET_CONNECTING = 2,
    WICED_SOCKET_CONNECTED = 3,
    WICED_SOCKET_DATA_PENDING = 4,
    WICED_SOCKET_LISTEN = 5,
    WICED_SOCKET_ERROR = 6,
} wiced_socket_state_t;

typedef enum {
    TLS_NO_VERIFICATION = 0,
    TLS_VERIFICATION_OPTIONAL = 1,
    TLS_VERIFICATION_REQUIRED = 2,
} wiced_tls_certificate_verification_t;

typedef enum {
    WICED_TLS_AS_CLIENT = 0,
    WICED_TLS_AS_SERVER = 1,
} wiced_tls_endpoint_type_t;

typedef struct wiced_packet wiced_packet_t;

typedef wiced_packet_pool_t* wiced_packet_pool_ref;

typedef enum {
    WICED_PACKET_TYPE_RAW,
    WICED_PACKET_TYPE_IP,
    WICED_PACKET_TYPE_TCP,
    WICED_PACKET_TYPE_UDP,
} wiced_packet_type_t;

typedef struct wiced_tls_identity wiced_tls_identity_t;

/* The result of a callback is ignored. All callbacks run one by one in the networking worker. */
typedef wiced_result_t (*wiced_tcp_socket_callback_t)(wiced_tcp_socket_t* socket, void* arg);
typedef wiced_result_t (*wiced_udp_socket_callback_t)(wiced_udp_socket_t* socket, void* arg);

/* At most one packet each way is held here. Not for use from two threads. */
typedef struct {
    wiced_tcp_socket_t* socket;
    wiced_packet_t* tx_packet;
    uint8_t* tx_packet_data;
    uint16_t tx_packet_data_length;
    uint16_t tx_packet_space_available;
    wiced_packet_t* rx_packet;
} wiced_tcp_stream_t;

typedef struct wiced_tcp_server_slot wiced_tcp_server_slot_t;

typedef struct {
    wiced_tcp_server_slot_t* slots;
    uint16_t max_sockets;
    uint16_t port;
    wiced_interface_t interface;
    wiced_tls_identity_t* tls_identity;
} wiced_tcp_server_t;

#ifdef __cplusplus
extern "C" {
#endif

extern const wiced_ip_address_t wiced_ip_broadcast;

/* 0, or -1 for anything but a dotted quad. */
int str_to_ip(const char* text, wiced_ip_address_t* address);

/*
 * Looks a name up within timeout_ms. With three arguments (SDK up to 4.1) the station interface is
 * meant; the fourth (SDK 5.0) names another. WICED_NOTUP when the link is down, WICED_ERROR for
 * every other failure, a time-out included.
 */
wiced_result_t wiced_hostname_lookup_on_interface(const char* hostname, wiced_ip_address_t* address,
                                                  uint32_t timeout_ms, wiced_interface_t interface);
#define WICED_HOSTNAME_LOOKUP_3_(hostname, address, timeout_ms) \
    wiced_hostname_lookup_on_interface((hostname), (address), (timeout_ms), WICED_STA_INTERFACE)
#define WICED_HOSTNAME_LOOKUP_4_(hostname, address, timeout_ms, interface) \
    wiced_hostname_lookup_on_interface((hostname), (address), (timeout_ms), (interface))
#define WICED_HOSTNAME_LOOKUP_PICK_(a, b, c, d, chosen, ...) chosen
#define wiced_hostname_lookup(...)                                                               \
    WICED_HOSTNAME_LOOKUP_PICK_(__VA_ARGS__, WICED_HOSTNAME_LOOKUP_4_, WICED_HOSTNAME_LOOKUP_3_, \
                                unused, unused)                                                  \
    (__VA_ARGS__)

wiced_result_t wiced_ping(wiced_interface_t interface, const wiced_ip_address_t* address,
                          uint32_t timeout_ms, uint32_t* elapsed_ms);
wiced_result_t wiced_ip_get_ipv4_address(wiced_interface_t interface, wiced_ip_address_t* address);
wiced_result_t wiced_ip_get_gateway_address(wiced_interface_t interface,
                                            wiced_ip_address_t* address);
wiced_result_t wiced_ip_get_netmask(wiced_interface_t interface, wiced_ip_address_t* address);
wiced_result_t wiced_ip_get_ipv6_address(wiced_interface_t interface, wiced_ip_address_t* address,
                                         wiced_ipv6_address_type_t type);
wiced_result_t wiced_ip_register_address_change_callback(void (*callback)(void*), void* arg);
wiced_result_t wiced_multicast_join(wiced_interface_t interface, const wiced_ip_address_t* address);
wiced_result_t wiced_multicast_leave(wiced_interface_t interface,
                                     const wiced_ip_address_t* address);

wiced_result_t wiced_tcp_create_socket(wiced_tcp_socket_t* socket, wiced_interface_t interface);
wiced_result_t wiced_tcp_delete_socket(wiced_tcp_socket_t* socket);
wiced_result_t wiced_tcp_bind(wiced_tcp_socket_t* socket, uint16_t port);
wiced_result_t wiced_tcp_connect(wiced_tcp_socket_t* socket, const wiced_ip_address_t* address,
                                 uint16_t port, uint32_t timeout_ms);
wiced_result_t wiced_tcp_listen(wiced_tcp_socket_t* socket, uint16_t port);
wiced_result_t wiced_tcp_accept(wiced_tcp_socket_t* socket);
wiced_result_t wiced_tcp_disconnect(wiced_tcp_socket_t* socket);
wiced_result_t wiced_tcp_disconnect_with_timeout(wiced_tcp_socket_t* socket, uint32_t timeout_ms);
wiced_result_t wiced_tcp_get_socket_state(wiced_tcp_socket_t* socket, wiced_socket_state_t* state);
wiced_result_t wiced_tcp_server_peer(wiced_tcp_socket_t* socket, wiced_ip_address_t* address,
                                     uint16_t* port);
/* interval, time: seconds between probes, seconds until the first; probes: how many. */
wiced_result_t wiced_tcp_enable_keepalive(wiced_tcp_socket_t* socket, uint16_t interval,
                                          uint16_t probes, uint16_t time);
void wiced_tcp_set_type_of_service(wiced_tcp_socket_t* socket, uint32_t tos);
wiced_result_t wiced_tcp_register_callbacks(wiced_tcp_socket_t* socket,
                                            wiced_tcp_socket_callback_t connect_callback,
                                            wiced_tcp_socket_callback_t receive_callback,
                                            wiced_tcp_socket_callback_t disconnect_callback,
                                            void* arg);
wiced_result_t wiced_tcp_unregister_callbacks(wiced_tcp_socket_t* socket);

wiced_result_t wiced_tcp_send_packet(wiced_tcp_socket_t* socket, wiced_packet_t* packet);
wiced_result_t wiced_tcp_receive(wiced_tcp_socket_t* socket, wiced_packet_t** packet,
                                 uint32_t timeout_ms);
wiced_result_t wiced_tcp_send_buffer(wiced_tcp_socket_t* socket, const void* buffer,
                                     uint16_t length);

/* Only stores the context; the handshake happens inside connect and accept. */
wiced_result_t wiced_tcp_enable_tls(wiced_tcp_socket_t* socket, void* context);
wiced_result_t wiced_tcp_start_tls(wiced_tcp_socket_t* socket, wiced_tls_endpoint_type_t type,
                                   wiced_tls_certificate_verification_t verification);

wiced_result_t wiced_packet_create_tcp(wiced_tcp_socket_t* socket, uint16_t content_length,
                                       wiced_packet_t** packet, uint8_t** data,
                                       uint16_t* available_space);
wiced_result_t wiced_packet_create_udp(wiced_udp_socket_t* socket, uint16_t content_length,
                                       wiced_packet_t** packet, uint8_t** data,
                                       uint16_t* available_space);
wiced_result_t wiced_packet_create(uint16_t content_length, wiced_packet_t** packet, uint8_t** data,
                                   uint16_t* available_space);
wiced_result_t wiced_packet_delete(wiced_packet_t* packet);
wiced_result_t wiced_packet_set_data_start(wiced_packet_t* packet, uint8_t* data_start);
wiced_result_t wiced_packet_set_data_end(wiced_packet_t* packet, uint8_t* data_end);
wiced_result_t wiced_packet_get_data(wiced_packet_t* packet, uint16_t offset, uint8_t** data,
                                     uint16_t* fragment_available_data_length,
                                     uint16_t* total_available_data_length);
wiced_result_t wiced_packet_get_next_fragment(wiced_packet_t* packet,
                                              wiced_packet_t** next_fragment);

/* A pool of the application's own, in its memory: its packets go back there when they are deleted
 * or sent. */
wiced_result_t wiced_packet_pool_init(wiced_packet_pool_ref packet_pool, uint8_t* memory_pool,
                                      uint32_t memory_pool_size, const char* pool_name);
wiced_result_t wiced_packet_pool_allocate_packet(wiced_packet_pool_ref packet_pool,
                                                 wiced_packet_type_t packet_type,
                                                 wiced_packet_t** packet, uint8_t** data,
                                                 uint16_t* available_space, uint32_t timeout_ms);
wiced_result_t wiced_packet_pool_deinit(wiced_packet_pool_ref packet_pool);

wiced_result_t wiced_tcp_stream_init(wiced_tcp_stream_t* stream, wiced_tcp_socket_t* socket);
wiced_result_t wiced_tcp_stream_deinit(wiced_tcp_stream_t* stream);
wiced_result_t wiced_tcp_stream_write(wiced_tcp_stream_t* stream, const void* data,
                                      uint32_t data_length);
wiced_result_t wiced_tcp_stream_write_resource(wiced_tcp_stream_t* stream,
                                               const resource_hnd_t* resource);
wiced_result_t wiced_tcp_stream_flush(wiced_tcp_stream_t* stream);
/* Fills the buffer or fails; what came before a failure is in the buffer and gone. */
wiced_result_t wiced_tcp_stream_read(wiced_tcp_stream_t* stream, void* buffer,
                                     uint16_t buffer_length, uint32_t timeout_ms);
wiced_result_t wiced_tcp_stream_read_with_count(wiced_tcp_stream_t* stream, void* buffer,
                                                uint16_t buffer_length, uint32_t timeout_ms,
                                                uint32_t* read_count);

wiced_result_t wiced_tcp_server_start(wiced_tcp_server_t* server, wiced_interface_t interface,
                                      uint16_t port, uint16_t max_sockets,
                                      wiced_tcp_socket_callback_t connect_callback,
                                      wiced_tcp_socket_callback_t receive_callback,
                                      wiced_tcp_socket_callback_t disconnect_callback, void* arg);
wiced_result_t wiced_tcp_server_accept(wiced_tcp_server_t* server, wiced_tcp_socket_t* socket);
wiced_result_t wiced_tcp_server_disconnect_socket(wiced_tcp_server_t* server,
                                                  wiced_tcp_socket_t* socket);
/* Only stores the identity: the connect callback prepares a context per socket. */
wiced_result_t wiced_tcp_server_enable_tls(wiced_tcp_server_t* server,
                                           wiced_tls_identity_t* tls_identity);
wiced_result_t wiced_tcp_server_stop(wiced_tcp_server_t* server);

wiced_result_t wiced_udp_create_socket(wiced_udp_socket_t* socket, uint16_t port,
                                       wiced_interface_t interface);
wiced_result_t wiced_udp_send(wiced_udp_socket_t* socket, const wiced_ip_address_t* address,
                              uint16_t port, wiced_packet_t* packet);
wiced_result_t wiced_udp_receive(wiced_udp_socket_t* socket, wiced_packet_t** packet,
                                 uint32_t timeout_ms);
wiced_result_t wiced_udp_reply(wiced_udp_socket_t* socket, wiced_packet_t* in_packet,
                               wiced_packet_t* out_packet);
wiced_result_t wiced_udp_packet_get_info(wiced_packet_t* packet, wiced_ip_address_t* address,
                                         uint16_t* port);
wiced_result_t wiced_udp_register_callbacks(wiced_udp_socket_t* socket,
                                            wiced_udp_socket_callback_t callback, void* arg);
wiced_result_t wiced_udp_unregister_callbacks(wiced_udp_socket_t* socket);
wiced_result_t wiced_udp_delete_socket(wiced_udp_socket_t* socket);

#ifdef __cplusplus
}
#endif
