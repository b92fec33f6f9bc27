/* Connections of common/tcp.h over the system's descriptors. */
#pragma once

#include "tcp.h"

/* A connection with one reference that owns fd; NULL without memory, and fd stays the caller's. */
tcp_connection_t* transport_connection_make(int fd);
