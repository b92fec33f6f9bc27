/*
 * The TCP that the sockets of tcp.h build on. Each port brings its own, and a transport_types.h
 * with what of it stands in their structures, and with
 *
 *   tcp_lock(), tcp_unlock()  the one lock of tcp.h, never held while anything blocks
 *   tcp_changed()             something that the watching for callbacks depends on changed; any
 *                             thread, with or without the lock
 *
 * A wait that is given up by force gives WICED_TCPIP_WAIT_ABORTED. Addresses are in host byte
 * order.
 */
#pragma once

#include <stddef.h>

#include "tcp.h"

/* A socket comes into being; false without what it takes. */
bool transport_prepare(tcp_socket_t* socket);
/* With the lock: it was deleted, so whoever waits on its behalf gives up. */
void transport_cancel(tcp_socket_t* socket);
/* With the lock: its last user has let go of it. */
void transport_dispose(tcp_socket_t* socket);
/* One try. 0, 7011 while another has the port, or 4. */
wiced_result_t transport_bind(tcp_socket_t* socket, uint16_t port);
/* With the lock; there may be nothing to unbind. */
void transport_unbind(tcp_socket_t* socket);
/* From where socket is bound to, if it is. 0 and a connection with one reference. */
wiced_result_t transport_connect(tcp_socket_t* socket, uint32_t address, uint16_t port,
                                 uint64_t deadline_ns, tcp_connection_t** connection);

/* With the lock: at listener->port. False when that cannot be. */
bool transport_listen(tcp_listener_t* listener);
/* With the lock: its last user has let go of it. */
void transport_stop_listening(tcp_listener_t* listener);
/* On behalf of socket. 0 and a connection with one reference; 7014 when there is none in time. */
wiced_result_t transport_accept(tcp_socket_t* socket, tcp_listener_t* listener,
                                uint64_t deadline_ns, tcp_connection_t** connection);

/* Sends all of it. 0, 4 when that could not be done in time, or 7014. */
wiced_result_t transport_write(tcp_connection_t* connection, const uint8_t* data, size_t size,
                               uint64_t deadline_ns);
/* What has come: 0 with at least one byte, WICED_WOULD_BLOCK, or 7014 after the end. */
wiced_result_t transport_read(tcp_connection_t* connection, uint8_t* buffer, size_t size,
                              size_t* count);
/* Until there may be something to read: data, or the end. 0, or 2 when there is not in time. */
wiced_result_t transport_await_data(tcp_connection_t* connection, uint64_t deadline_ns);
/* Says goodbye and waits for the peer's; then whoever still reads or writes sees the end. */
void transport_end(tcp_connection_t* connection, uint64_t deadline_ns);
/* With the lock: the last user of the connection has let go of it. */
void transport_close(tcp_connection_t* connection);

/* With the lock: what was asked of the socket becomes true of its connection. */
void transport_apply_options(const tcp_socket_t* socket);
wiced_socket_state_t transport_state(const tcp_connection_t* connection);
/* False when the peer is not known any more. */
bool transport_peer(const tcp_connection_t* connection, uint32_t* address, uint16_t* port);

/* Watches all sockets from now on, and posts what tcp_events.h offers to post. */
void transport_watch(void);
/* With the lock: a callback of socket has ended. The wait for that gives the lock up meanwhile. */
void transport_dispatched(tcp_socket_t* socket);
void transport_await_dispatched(tcp_socket_t* socket);
