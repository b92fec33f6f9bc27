/* The system's sockets, as the board's TCP and UDP open them. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

/* From host byte order. */
struct sockaddr_in system_address(uint32_t address, uint16_t port);
/* A non-blocking descriptor for TCP, bound unless address and port are both 0; -1 and errno. */
int system_open_bound(uint32_t address, uint16_t port);
