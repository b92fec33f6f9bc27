/* What of TCP stands in the structures of common/tcp.h here, and their lock: common/transport.h. */
#pragma once

#include <stdint.h>

typedef struct {
    int fd;
} transport_connection_t;

typedef struct {
    int fd;
} transport_listener_t;

typedef struct {
    int cancel_fd; /* readable once the socket is deleted */
    int bound_fd;
    uint16_t bound_port;
} transport_socket_t;

void tcp_lock(void);
void tcp_unlock(void);
void tcp_changed(void);
