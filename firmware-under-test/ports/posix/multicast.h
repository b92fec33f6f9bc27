/* The groups that the board has joined: each socket has a descriptor for each of them. */
#pragma once

#define MULTICAST_GROUPS_MAX 8

struct udp_socket;

/* Under udp_lock: lets a new socket hear the groups that there are. */
void multicast_enlist_locked(struct udp_socket* state);
