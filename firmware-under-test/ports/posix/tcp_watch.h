/* One thread watches the sockets that have callbacks, and posts those: common/tcp_events.h. */
#pragma once

#include <stdbool.h>

#define TCP_WATCHED_SOCKETS_MAX 64

bool tcp_watch_boot(void);
