/*
 * TCP sockets: what of them is the same on every port. wiced_tcp_socket_t only points to a struct
 * tcp_socket, which stays in memory until its last user lets go of it: deleting a socket that
 * another thread or a queued callback still uses is safe. Connections and listeners are counted
 * likewise. All of it is guarded by tcp_lock(); transport.h has what a port brings.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "transport_types.h"
#include "wiced_tcpip.h"
#include "wiced_tls.h"

typedef struct tcp_connection {
    unsigned references;
    struct tls_session* tls; /* NULL in the clear */
    atomic_bool is_ready;    /* false until a handshake that is due is done; tls is set before it */
    bool is_end_reported;
    transport_connection_t transport;
} tcp_connection_t;

typedef struct tcp_listener {
    struct tcp_listener* next;
    unsigned references;
    uint16_t port;
    struct tcp_socket* current; /* who gets the next connection */
    transport_listener_t transport;
} tcp_listener_t;

typedef struct tcp_socket {
    struct tcp_socket* next;
    wiced_tcp_socket_t* owner; /* NULL once deleted */
    unsigned references;
    tcp_connection_t* connection;
    tcp_listener_t* listener;
    bool is_bound;
    atomic_bool is_connecting;
    wiced_tls_context_t* tls_context;
    wiced_tcp_socket_callback_t connect_callback;
    wiced_tcp_socket_callback_t receive_callback;
    wiced_tcp_socket_callback_t disconnect_callback;
    void* callback_arg;
    uint8_t type_of_service;
    bool has_keepalive;
    uint16_t keepalive_probes;
    uint16_t keepalive_time_s;
    bool is_connect_posted;
    bool is_receive_posted;
    bool is_dispatching;
    transport_socket_t transport;
} tcp_socket_t;

extern tcp_socket_t* tcp_sockets; /* under the lock */

/* Each adds a reference; NULL when there is no such thing. */
tcp_socket_t* tcp_socket_hold(const wiced_tcp_socket_t* socket);
tcp_connection_t* tcp_connection_hold(const wiced_tcp_socket_t* socket);
/* Both drop one, and take the lock themselves. */
void tcp_socket_drop(tcp_socket_t* socket);
void tcp_connection_drop(tcp_connection_t* connection);
/* With the lock. */
tcp_socket_t* tcp_socket_find_locked(const wiced_tcp_socket_t* socket);
void tcp_socket_drop_locked(tcp_socket_t* socket);
void tcp_connection_drop_locked(tcp_connection_t* connection);
void tcp_listener_drop_locked(tcp_listener_t* listener);

/* Says goodbye, waits for the peer's side, and drops the caller's reference. */
void tcp_connection_end(tcp_connection_t* connection, uint32_t timeout_ms);

/* Gives up what the socket is bound to, if anything. With the lock. */
void tcp_socket_unbind_locked(tcp_socket_t* socket);
/* Gives the socket its connection; false when it was deleted meanwhile. */
bool tcp_socket_adopt(tcp_socket_t* socket, tcp_connection_t* connection, bool is_ready);
/* Takes it back, with its reference; NULL when there is none. */
tcp_connection_t* tcp_socket_detach(tcp_socket_t* socket);

/* The handshake that makes a connection of socket secure. */
wiced_result_t tcp_handshake(tcp_socket_t* socket, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification);

/* What a packet for a socket has to leave room for. */
typedef enum {
    TCP_NOT_CONNECTED,
    TCP_IN_THE_CLEAR,
    TCP_SECURE,
} tcp_security_t;

tcp_security_t tcp_security(const wiced_tcp_socket_t* socket);
