/*
 * TCP sockets, inside the port. wiced_tcp_socket_t only points to a struct tcp_socket, which stays
 * in memory until its last user lets go of it: deleting a socket that another thread or a queued
 * callback still uses is safe. A connection is counted likewise, so that no descriptor is closed
 * while somebody polls it.
 *
 * All of it is guarded by one lock, tcp_lock, which is never held while anything blocks.
 */
#pragma once

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tcp_security.h"
#include "tls.h"
#include "wiced_tcpip.h"

typedef struct tcp_connection {
    unsigned references;
    int fd;
    tls_session_t* tls;   /* NULL in the clear */
    atomic_bool is_ready; /* false until a handshake that is due is done; tls is set before it */
    bool is_end_reported;
} tcp_connection_t;

typedef struct tcp_listener {
    struct tcp_listener* next;
    unsigned references;
    int fd;
    uint16_t port;
    struct tcp_socket* current; /* who gets the next connection */
} tcp_listener_t;

typedef struct tcp_socket {
    struct tcp_socket* next;
    wiced_tcp_socket_t* owner; /* NULL once deleted */
    unsigned references;
    int cancel_fd; /* readable once deleted */
    tcp_connection_t* connection;
    tcp_listener_t* listener;
    int bound_fd;
    uint16_t bound_port;
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
} tcp_socket_t;

extern pthread_mutex_t tcp_lock;
extern tcp_socket_t* tcp_sockets; /* under tcp_lock */

/* Each adds a reference; NULL when there is no such thing. */
tcp_socket_t* tcp_socket_hold(wiced_tcp_socket_t* socket);
tcp_connection_t* tcp_connection_hold(wiced_tcp_socket_t* socket);
/* Both drop one, and take the lock themselves. */
void tcp_socket_drop(tcp_socket_t* socket);
void tcp_connection_drop(tcp_connection_t* connection);
/* With the lock held. */
tcp_socket_t* tcp_socket_find_locked(wiced_tcp_socket_t* socket);
void tcp_socket_drop_locked(tcp_socket_t* socket);
void tcp_connection_drop_locked(tcp_connection_t* connection);
void tcp_listener_drop_locked(tcp_listener_t* listener);

struct sockaddr_in tcp_system_address(uint32_t address, uint16_t port);
/* A non-blocking descriptor, bound unless address and port are both 0; -1 and errno. */
int tcp_open_bound(uint32_t address, uint16_t port);

/* A connection with one reference that owns fd; NULL without memory, and fd stays the caller's. */
tcp_connection_t* tcp_connection_make(int fd);
/* Says goodbye, waits for the peer's side, and drops the caller's reference. */
void tcp_connection_end(tcp_connection_t* connection, uint32_t timeout_ms);

/* Gives the socket its connection; false when it was deleted meanwhile. */
bool tcp_socket_adopt(tcp_socket_t* socket, tcp_connection_t* connection, bool is_ready);
/* With the lock held: puts on the socket's connection what was asked of the socket. */
void tcp_options_apply_locked(const tcp_socket_t* socket);
/* Takes it back, with its reference; NULL when there is none. */
tcp_connection_t* tcp_socket_detach(tcp_socket_t* socket);

/* The handshake that makes a connection of socket secure. */
wiced_result_t tcp_handshake(tcp_socket_t* socket, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification);
