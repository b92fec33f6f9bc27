/*
 * UDP sockets, inside the port, counted like those of tcp.h and for the same reason. All of it is
 * guarded by udp_lock, which is never held while anything blocks.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "multicast.h"
#include "wiced_tcpip.h"

typedef struct udp_socket {
    struct udp_socket* next;
    wiced_udp_socket_t* owner; /* NULL once deleted */
    unsigned references;
    int fd;
    int group_fds[MULTICAST_GROUPS_MAX]; /* by the group's place; -1 */
    int readable_fd;                     /* epoll: any of the above has a datagram */
    int cancel_fd;                       /* readable once deleted */
    wiced_udp_socket_callback_t callback;
    void* callback_arg;
    bool has_watcher;
    bool is_dispatching;
    bool is_posted;         /* a callback is queued, or has left datagrams where they are */
    pthread_cond_t fetched; /* or anything else of the above changed */
} udp_socket_t;

extern pthread_mutex_t udp_lock;
extern udp_socket_t* udp_sockets; /* under udp_lock */

/* Makes the socket readable when fd is; false without memory. */
bool udp_watch_descriptor(udp_socket_t* state, int fd);

/* From here on datagrams that come while a program holds the whole RX pool are lost. */
void udp_boot(void);
