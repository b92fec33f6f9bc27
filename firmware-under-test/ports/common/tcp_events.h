/*
 * Callbacks of sockets: posted to the networking worker, which runs them one by one. Each port
 * watches its own connections, and posts with these.
 */
#pragma once

#include "tcp.h"

/* With the lock. False when the worker's queue is full: to be tried again. */
bool tcp_events_post_connect_locked(tcp_socket_t* socket);
bool tcp_events_post_receive_locked(tcp_socket_t* socket);
bool tcp_events_post_disconnect_locked(tcp_socket_t* socket);

/* A connection was ended from this side: posts the disconnect callback. Takes the lock. */
void tcp_events_local_disconnect(tcp_socket_t* socket);

/* With the lock. Until no callback of socket runs, unless the caller is such a callback. */
void tcp_events_await_idle_locked(tcp_socket_t* socket);
