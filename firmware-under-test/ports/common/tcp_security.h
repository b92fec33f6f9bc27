/* What a packet for a socket has to leave room for. Each port brings its own. */
#pragma once

#include "wiced_tcpip.h"

typedef enum {
    TCP_NOT_CONNECTED,
    TCP_IN_THE_CLEAR,
    TCP_SECURE,
} tcp_security_t;

tcp_security_t tcp_security(wiced_tcp_socket_t* socket);
