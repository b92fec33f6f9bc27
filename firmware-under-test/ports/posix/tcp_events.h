/*
 * Callbacks of sockets. One thread watches the sockets that have any, and posts to the networking
 * worker, which runs them one by one.
 */
#pragma once

#include <stdbool.h>

#include "tcp.h"

#define TCP_EVENTS_SOCKETS_MAX 64

bool tcp_events_boot(void);

/* Something that the watching depends on changed. Any thread, with or without tcp_lock. */
void tcp_events_changed(void);

/* A connection was ended from this side. Posts the disconnect callback; takes tcp_lock. */
void tcp_events_local_disconnect(tcp_socket_t* socket);

/* Waits until no callback of socket runs, unless the caller is such a callback. Holds tcp_lock. */
void tcp_events_await_idle(tcp_socket_t* socket);
