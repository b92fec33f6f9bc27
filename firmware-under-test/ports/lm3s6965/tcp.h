/*
 * TCP sockets over lwIP's raw interface, inside the port. wiced_tcp_socket_t only points to a
 * struct tcp_socket. Sockets, connections and listeners are counted: a thread that waits for one
 * keeps it, whatever another thread does meanwhile. lwIP's callbacks run in the dispatcher; they
 * record and wake. Between two waits nothing here changes under a thread, so there is no lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"
#include "tcp_security.h"
#include "wiced_tcpip.h"
#include "wiced_tls.h"

struct tcp_pcb;
struct pbuf;

typedef struct tcp_connection {
    struct tcp_connection* next; /* in a listener's queue */
    unsigned references;
    struct tcp_pcb* pcb; /* NULL once lwIP has let go of it: reset, or timed out */
    bool is_established;
    bool has_peer_closed;
    struct pbuf* received;
    uint16_t received_offset;   /* what of its first part has been taken */
    kernel_wait_list_t changed; /* any of the above, or room to send */
    struct tls_session* tls;    /* NULL in the clear */
    bool is_ready;              /* false until a handshake that is due is done */
    bool is_end_reported;
} tcp_connection_t;

typedef struct tcp_listener {
    struct tcp_listener* next;
    unsigned references;
    struct tcp_pcb* pcb;
    uint16_t port;
    struct tcp_socket* current; /* who gets the next connection */
    tcp_connection_t* waiting;  /* in the order they came */
    kernel_wait_list_t arrived;
} tcp_listener_t;

typedef struct tcp_socket {
    struct tcp_socket* next;
    wiced_tcp_socket_t* owner; /* NULL once deleted */
    unsigned references;
    tcp_connection_t* connection;
    tcp_listener_t* listener;
    struct tcp_pcb* bound;
    bool is_bound;
    bool is_connecting;
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
    kernel_wait_list_t dispatched;
} tcp_socket_t;

extern tcp_socket_t* tcp_sockets;

/* NULL when there is no such socket. hold adds a reference. */
tcp_socket_t* tcp_socket_find(const wiced_tcp_socket_t* socket);
tcp_socket_t* tcp_socket_hold(const wiced_tcp_socket_t* socket);
void tcp_socket_drop(tcp_socket_t* socket);

/* With one reference; takes over pcb, which may be on its way to a peer. NULL without memory. */
tcp_connection_t* tcp_connection_make(struct tcp_pcb* pcb);
tcp_connection_t* tcp_connection_hold(const wiced_tcp_socket_t* socket);
void tcp_connection_drop(tcp_connection_t* connection);
/* Nothing goes out any more, neither data nor a goodbye. */
void tcp_connection_abort(tcp_connection_t* connection);
/* Says goodbye, waits for the peer's side, and drops the caller's reference. */
void tcp_connection_end(tcp_connection_t* connection, uint32_t timeout_ms);
/* Until something about it changes. */
kernel_wait_result_t tcp_connection_wait(tcp_connection_t* connection, uint64_t deadline_ns);

/* What has come: a count, 0 after the peer's end, -1 for nothing yet. */
int tcp_connection_take(tcp_connection_t* connection, uint8_t* buffer, size_t size);
/* 0, 4 when not all of it could be queued in time, or 7014. */
wiced_result_t tcp_connection_put(tcp_connection_t* connection, const uint8_t* data, size_t size,
                                  uint64_t deadline_ns);
bool tcp_connection_has_ended(const tcp_connection_t* connection);

/* Gives the socket its connection; false when it was deleted meanwhile. */
bool tcp_socket_adopt(tcp_socket_t* socket, tcp_connection_t* connection, bool is_ready);
/* Takes it back, with its reference; NULL when there is none. */
tcp_connection_t* tcp_socket_detach(tcp_socket_t* socket);
/* Puts on the socket's connection what was asked of the socket. */
void tcp_options_apply(const tcp_socket_t* socket);

/* The handshake that makes a connection of socket secure. */
wiced_result_t tcp_handshake(tcp_socket_t* socket, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification);

void tcp_listener_drop(tcp_listener_t* listener);

/* A connection was ended from this side: posts the disconnect callback. */
void tcp_events_local_disconnect(tcp_socket_t* socket);
/* Waits until no callback of socket runs, unless the caller is such a callback. */
void tcp_events_await_idle(tcp_socket_t* socket);
