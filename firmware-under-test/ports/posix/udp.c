#include "udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "application.h"
#include "kernel_poll.h"
#include "network.h"
#include "packet.h"
#include "routes.h"
#include "system_socket.h"
#include "tcpip_wait.h"
#include "wiced_rtos.h"
#include "wiced_utilities.h"

#define BIND_RETRY_PAUSE_MS 20
#define FULL_WORKER_PAUSE_MS 2

pthread_mutex_t udp_lock = PTHREAD_MUTEX_INITIALIZER;
udp_socket_t* udp_sockets;

static udp_socket_t* hold(wiced_udp_socket_t* socket) {
    udp_socket_t* state = NULL;
    pthread_mutex_lock(&udp_lock);
    if (socket != NULL && socket->state != NULL && socket->state->owner == socket) {
        state = socket->state;
        ++state->references;
    }
    pthread_mutex_unlock(&udp_lock);
    return state;
}

static void drop_locked(udp_socket_t* state) {
    if (--state->references == 0) {
        udp_socket_t** link = &udp_sockets;
        while (*link != NULL && *link != state) {
            link = &(*link)->next;
        }
        if (*link == state) {
            *link = state->next;
        }
        for (size_t i = 0; i < MULTICAST_GROUPS_MAX; ++i) {
            if (state->group_fds[i] >= 0) {
                close(state->group_fds[i]);
            }
        }
        close(state->readable_fd);
        close(state->fd);
        close(state->cancel_fd);
        pthread_cond_destroy(&state->fetched);
        free(state);
    }
}

static void drop(udp_socket_t* state) {
    pthread_mutex_lock(&udp_lock);
    drop_locked(state);
    pthread_mutex_unlock(&udp_lock);
}

static wiced_result_t bind_descriptor(int fd, uint16_t port) {
    uint64_t deadline_ns = kernel_deadline_ns(application_settings.bind_timeout_ms);
    struct sockaddr_in in = system_address(routes_listening_address(), port);
    while (bind(fd, (const struct sockaddr*)&in, sizeof(in)) != 0) {
        if (errno != EADDRINUSE) {
            return WICED_ERROR;
        }
        if (kernel_now_ns() >= deadline_ns) {
            return WICED_TCPIP_PORT_UNAVAILABLE;
        }
        (void)kernel_sleep_until(kernel_deadline_ns(BIND_RETRY_PAUSE_MS));
    }
    return WICED_SUCCESS;
}

bool udp_watch_descriptor(udp_socket_t* state, int fd) {
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(state->readable_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void enlist(udp_socket_t* state) {
    pthread_mutex_lock(&udp_lock);
    state->next = udp_sockets;
    udp_sockets = state;
    multicast_enlist_locked(state);
    pthread_mutex_unlock(&udp_lock);
}

wiced_result_t wiced_udp_create_socket(wiced_udp_socket_t* udp_socket, uint16_t port,
                                       wiced_interface_t interface) {
    (void)interface;
    if (udp_socket == NULL) {
        return WICED_BADARG;
    }
    udp_socket_t* state = calloc(1, sizeof(*state));
    if (state == NULL) {
        return WICED_OUT_OF_HEAP_SPACE;
    }
    pthread_cond_init(&state->fetched, NULL);
    state->owner = udp_socket;
    state->references = 1;
    state->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    state->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    state->readable_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < MULTICAST_GROUPS_MAX; ++i) {
        state->group_fds[i] = -1;
    }
    wiced_result_t result = WICED_SOCKET_CREATE_FAIL;
    if (state->fd >= 0 && state->cancel_fd >= 0 && udp_watch_descriptor(state, state->fd)) {
        result = bind_descriptor(state->fd, port);
    }
    udp_socket->state = result == WICED_SUCCESS ? state : NULL;
    if (result != WICED_SUCCESS) {
        drop(state);
    } else {
        enlist(state);
    }
    return result;
}

wiced_result_t wiced_udp_delete_socket(wiced_udp_socket_t* socket) {
    udp_socket_t* state = hold(socket);
    if (state == NULL) {
        return WICED_SUCCESS;
    }
    uint64_t one = 1;
    pthread_mutex_lock(&udp_lock);
    state->owner = NULL;
    state->callback = NULL;
    socket->state = NULL;
    (void)!write(state->cancel_fd, &one, sizeof(one));
    pthread_cond_broadcast(&state->fetched);
    /* A callback that runs now is the last; only that callback itself cannot wait for it. */
    while (state->is_dispatching &&
           wiced_rtos_is_current_thread(&wiced_networking_worker_thread.thread) != WICED_SUCCESS) {
        pthread_cond_wait(&state->fetched, &udp_lock);
    }
    --state->references; /* the owner's */
    drop_locked(state);
    pthread_mutex_unlock(&udp_lock);
    return WICED_SUCCESS;
}

wiced_result_t wiced_udp_send(wiced_udp_socket_t* socket, const wiced_ip_address_t* address,
                              uint16_t port, wiced_packet_t* packet) {
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    if (address->version != WICED_IPV4) {
        return WICED_UNSUPPORTED;
    }
    udp_socket_t* state = hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_result_t result = WICED_TCPIP_INVALID_PACKET;
    if (packet_is_allocated(packet)) {
        struct sockaddr_in in = system_address(routes_follow(GET_IPV4_ADDRESS(*address)), port);
        size_t size = (size_t)(packet->end - packet->start);
        ssize_t sent = sendto(state->fd, packet->start, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                              (const struct sockaddr*)&in, sizeof(in));
        result = sent == (ssize_t)size ? WICED_SUCCESS : WICED_ERROR;
        if (result == WICED_SUCCESS) {
            (void)packet_give(packet);
        }
    }
    drop(state);
    return result;
}

/* What waits at the socket itself, or else at one of its groups; -1 when nothing does. */
static ssize_t fetch_locked(udp_socket_t* state, void* buffer, size_t size,
                            struct sockaddr_in* from) {
    socklen_t from_size = sizeof(*from);
    ssize_t got =
        recvfrom(state->fd, buffer, size, MSG_DONTWAIT, (struct sockaddr*)from, &from_size);
    for (size_t i = 0; got < 0 && i < MULTICAST_GROUPS_MAX; ++i) {
        if (state->group_fds[i] >= 0) {
            from_size = sizeof(*from);
            got = recvfrom(state->group_fds[i], buffer, size, MSG_DONTWAIT, (struct sockaddr*)from,
                           &from_size);
        }
    }
    return got;
}

/* What came while there was no packet to put it into. */
static void drop_waiting(void) {
    uint8_t byte = 0;
    struct sockaddr_in from;
    pthread_mutex_lock(&udp_lock);
    for (udp_socket_t* each = udp_sockets; each != NULL; each = each->next) {
        while (fetch_locked(each, &byte, sizeof(byte), &from) >= 0) {
        }
    }
    pthread_mutex_unlock(&udp_lock);
}

void udp_boot(void) {
    packet_call_before_refill(drop_waiting);
}

static wiced_result_t await_datagram(udp_socket_t* state, uint64_t deadline_ns) {
    struct pollfd descriptors[2] = {{.fd = state->readable_fd, .events = POLLIN},
                                    {.fd = state->cancel_fd, .events = POLLIN}};
    WICED_VERIFY(tcpip_wait_result(kernel_poll(descriptors, 2, deadline_ns)));
    return descriptors[1].revents != 0 ? WICED_TCPIP_SOCKET_CLOSED : WICED_SUCCESS;
}

/* A thread that waits for a datagram holds no packet: only what is there uses up the pool. */
static wiced_result_t receive(udp_socket_t* state, uint64_t deadline_ns, wiced_packet_t** packet) {
    for (;;) {
        wiced_result_t result = await_datagram(state, deadline_ns);
        if (result == WICED_SUCCESS) {
            result = packet_take(PACKET_POOL_RX, deadline_ns, packet);
        }
        if (result != WICED_SUCCESS) {
            return result;
        }
        struct sockaddr_in from;
        pthread_mutex_lock(&udp_lock);
        ssize_t got = fetch_locked(state, (*packet)->buffer, PACKET_PAYLOAD_MAX, &from);
        pthread_mutex_unlock(&udp_lock);
        if (got >= 0) {
            (*packet)->end = (*packet)->start + got;
            (*packet)->peer_address = ntohl(from.sin_addr.s_addr);
            (*packet)->peer_port = ntohs(from.sin_port);
            return WICED_SUCCESS;
        }
        (void)packet_give(*packet);
        *packet = NULL;
    }
}

wiced_result_t wiced_udp_receive(wiced_udp_socket_t* socket, wiced_packet_t** packet,
                                 uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    *packet = NULL;
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    udp_socket_t* state = hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_result_t result = receive(state, deadline_ns, packet);
    pthread_mutex_lock(&udp_lock);
    state->is_posted = false;
    pthread_cond_broadcast(&state->fetched);
    drop_locked(state);
    pthread_mutex_unlock(&udp_lock);
    return result;
}

wiced_result_t wiced_udp_packet_get_info(wiced_packet_t* packet, wiced_ip_address_t* address,
                                         uint16_t* port) {
    if (!packet_is_allocated(packet)) {
        return WICED_TCPIP_INVALID_PACKET;
    }
    SET_IPV4_ADDRESS(*address, packet->peer_address);
    *port = packet->peer_port;
    return WICED_SUCCESS;
}

wiced_result_t wiced_udp_reply(wiced_udp_socket_t* socket, wiced_packet_t* in_packet,
                               wiced_packet_t* out_packet) {
    wiced_ip_address_t address;
    uint16_t port = 0;
    wiced_result_t result = wiced_udp_packet_get_info(in_packet, &address, &port);
    return result == WICED_SUCCESS ? wiced_udp_send(socket, &address, port, out_packet) : result;
}

static wiced_result_t dispatch(void* arg) {
    udp_socket_t* state = arg;
    pthread_mutex_lock(&udp_lock);
    wiced_udp_socket_callback_t callback = state->callback;
    wiced_udp_socket_t* owner = state->owner;
    void* callback_arg = state->callback_arg;
    if (callback != NULL && owner != NULL) {
        state->is_dispatching = true;
        pthread_mutex_unlock(&udp_lock);
        callback(owner, callback_arg);
        pthread_mutex_lock(&udp_lock);
        state->is_dispatching = false;
        pthread_cond_broadcast(&state->fetched);
    }
    drop_locked(state);
    pthread_mutex_unlock(&udp_lock);
    return WICED_SUCCESS;
}

/* One thread for each socket with a callback: waits for a datagram, posts, waits for the fetch. */
static void watch(void* context, void* arg) {
    udp_socket_t* state = context;
    (void)arg;
    pthread_mutex_lock(&udp_lock);
    while (state->owner != NULL) {
        pthread_mutex_unlock(&udp_lock);
        struct pollfd descriptors[2] = {{.fd = state->readable_fd, .events = POLLIN},
                                        {.fd = state->cancel_fd, .events = POLLIN}};
        (void)kernel_poll(descriptors, 2, KERNEL_NO_DEADLINE);
        pthread_mutex_lock(&udp_lock);
        if (state->owner == NULL) {
            break;
        }
        ++state->references;
        state->is_posted = true;
        if (wiced_rtos_send_asynchronous_event(WICED_NETWORKING_WORKER_THREAD, dispatch, state) !=
            WICED_SUCCESS) {
            --state->references;
            pthread_mutex_unlock(&udp_lock);
            (void)kernel_sleep_until(kernel_deadline_ns(FULL_WORKER_PAUSE_MS));
            pthread_mutex_lock(&udp_lock);
            continue;
        }
        while (state->is_posted && state->owner != NULL) {
            pthread_cond_wait(&state->fetched, &udp_lock);
        }
    }
    drop_locked(state);
    pthread_mutex_unlock(&udp_lock);
}

wiced_result_t wiced_udp_register_callbacks(wiced_udp_socket_t* socket,
                                            wiced_udp_socket_callback_t callback, void* arg) {
    udp_socket_t* state = hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    pthread_mutex_lock(&udp_lock);
    state->callback = callback;
    state->callback_arg = arg;
    bool needs_watcher = !state->has_watcher;
    state->has_watcher = true;
    state->references += needs_watcher;
    pthread_mutex_unlock(&udp_lock);
    wiced_result_t result = WICED_SUCCESS;
    if (needs_watcher) {
        kernel_thread_plan_t plan = {.name = "udp", .main = watch, .context = state};
        struct kernel_thread* watcher = kernel_thread_start(&plan);
        if (watcher != NULL) {
            kernel_thread_detach(watcher);
        } else {
            result = WICED_ERROR;
            drop(state);
        }
    }
    drop(state);
    return result;
}

wiced_result_t wiced_udp_unregister_callbacks(wiced_udp_socket_t* socket) {
    udp_socket_t* state = hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    pthread_mutex_lock(&udp_lock);
    state->callback = NULL;
    drop_locked(state);
    pthread_mutex_unlock(&udp_lock);
    return WICED_SUCCESS;
}
