#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "application.h"
#include "kernel_poll.h"
#include "multicast.h"
#include "network.h"
#include "packet.h"
#include "tcp.h"
#include "wiced_rtos.h"
#include "wiced_tcpip.h"
#include "wiced_utilities.h"

#define BIND_RETRY_PAUSE_MS 20
#define FULL_WORKER_PAUSE_MS 2

/* Counted like a struct tcp_socket, for the same reason. */
struct udp_socket {
    struct udp_socket* next;
    wiced_udp_socket_t* owner; /* NULL once deleted */
    unsigned references;
    int fd;
    int group_fds[MULTICAST_GROUPS_MAX]; /* by place in groups; -1 */
    int readable_fd;                     /* epoll: any of the above has a datagram */
    int cancel_fd;                       /* readable once deleted */
    wiced_udp_socket_callback_t callback;
    void* callback_arg;
    bool has_watcher;
    bool is_dispatching;
    bool is_posted;         /* a callback is queued, or has left datagrams where they are */
    pthread_cond_t fetched; /* or anything else of the above changed */
};

struct group {
    uint32_t address;
    unsigned joins; /* 0: a free place */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct udp_socket* sockets;
static struct group groups[MULTICAST_GROUPS_MAX];

static struct udp_socket* hold(wiced_udp_socket_t* socket) {
    struct udp_socket* state = NULL;
    pthread_mutex_lock(&lock);
    if (socket != NULL && socket->state != NULL && socket->state->owner == socket) {
        state = socket->state;
        ++state->references;
    }
    pthread_mutex_unlock(&lock);
    return state;
}

static void drop_locked(struct udp_socket* state) {
    if (--state->references == 0) {
        struct udp_socket** link = &sockets;
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

static void drop(struct udp_socket* state) {
    pthread_mutex_lock(&lock);
    drop_locked(state);
    pthread_mutex_unlock(&lock);
}

static wiced_result_t bind_descriptor(int fd, uint16_t port) {
    uint64_t deadline_ns = kernel_deadline_ns(application_settings.bind_timeout_ms);
    struct sockaddr_in in = tcp_system_address(network_listening_address(), port);
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

static bool watch_descriptor(struct udp_socket* state, int fd) {
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(state->readable_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_group_locked(struct udp_socket* state, size_t place) {
    struct sockaddr_in in;
    socklen_t size = sizeof(in);
    if (getsockname(state->fd, (struct sockaddr*)&in, &size) != 0) {
        return false;
    }
    int fd = multicast_open(groups[place].address, ntohs(in.sin_port));
    if (fd >= 0 && !watch_descriptor(state, fd)) {
        close(fd);
        fd = -1;
    }
    state->group_fds[place] = fd;
    return fd >= 0;
}

static void enlist(struct udp_socket* state) {
    pthread_mutex_lock(&lock);
    state->next = sockets;
    sockets = state;
    for (size_t i = 0; i < MULTICAST_GROUPS_MAX; ++i) {
        if (groups[i].joins != 0) {
            (void)open_group_locked(state, i);
        }
    }
    pthread_mutex_unlock(&lock);
}

wiced_result_t wiced_udp_create_socket(wiced_udp_socket_t* udp_socket, uint16_t port,
                                       wiced_interface_t interface) {
    (void)interface;
    if (udp_socket == NULL) {
        return WICED_BADARG;
    }
    struct udp_socket* state = calloc(1, sizeof(*state));
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
    if (state->fd >= 0 && state->cancel_fd >= 0 && watch_descriptor(state, state->fd)) {
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
    struct udp_socket* state = hold(socket);
    if (state == NULL) {
        return WICED_SUCCESS;
    }
    uint64_t one = 1;
    pthread_mutex_lock(&lock);
    state->owner = NULL;
    state->callback = NULL;
    socket->state = NULL;
    (void)!write(state->cancel_fd, &one, sizeof(one));
    pthread_cond_broadcast(&state->fetched);
    /* A callback that runs now is the last; only that callback itself cannot wait for it. */
    while (state->is_dispatching &&
           wiced_rtos_is_current_thread(&wiced_networking_worker_thread.thread) != WICED_SUCCESS) {
        pthread_cond_wait(&state->fetched, &lock);
    }
    --state->references; /* the owner's */
    drop_locked(state);
    pthread_mutex_unlock(&lock);
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
    struct udp_socket* state = hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_result_t result = WICED_TCPIP_INVALID_PACKET;
    if (packet_is_allocated(packet)) {
        struct sockaddr_in in = tcp_system_address(network_route(GET_IPV4_ADDRESS(*address)), port);
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
static ssize_t fetch(struct udp_socket* state, wiced_packet_t* packet, struct sockaddr_in* from) {
    socklen_t size = sizeof(*from);
    pthread_mutex_lock(&lock);
    ssize_t got = recvfrom(state->fd, packet->buffer, PACKET_PAYLOAD_MAX, MSG_DONTWAIT,
                           (struct sockaddr*)from, &size);
    for (size_t i = 0; got < 0 && i < MULTICAST_GROUPS_MAX; ++i) {
        if (state->group_fds[i] >= 0) {
            size = sizeof(*from);
            got = recvfrom(state->group_fds[i], packet->buffer, PACKET_PAYLOAD_MAX, MSG_DONTWAIT,
                           (struct sockaddr*)from, &size);
        }
    }
    pthread_mutex_unlock(&lock);
    return got;
}

static wiced_result_t receive_into(struct udp_socket* state, wiced_packet_t* packet,
                                   uint64_t deadline_ns) {
    for (;;) {
        struct sockaddr_in from;
        ssize_t got = fetch(state, packet, &from);
        if (got >= 0) {
            packet->end = packet->start + got;
            packet->peer_address = ntohl(from.sin_addr.s_addr);
            packet->peer_port = ntohs(from.sin_port);
            return WICED_SUCCESS;
        }
        struct pollfd descriptors[2] = {{.fd = state->readable_fd, .events = POLLIN},
                                        {.fd = state->cancel_fd, .events = POLLIN}};
        kernel_wait_result_t waited = kernel_poll(descriptors, 2, deadline_ns);
        if (waited != KERNEL_WOKEN) {
            return waited == KERNEL_ABORTED ? WICED_TCPIP_WAIT_ABORTED : WICED_TIMEOUT;
        }
        if (descriptors[1].revents != 0) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
}

wiced_result_t wiced_udp_receive(wiced_udp_socket_t* socket, wiced_packet_t** packet,
                                 uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    *packet = NULL;
    if (!network_is_up()) {
        return WICED_NOTUP;
    }
    struct udp_socket* state = hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    wiced_packet_t* taken = NULL;
    wiced_result_t result = packet_take(PACKET_POOL_RX, deadline_ns, &taken);
    if (result == WICED_SUCCESS) {
        result = receive_into(state, taken, deadline_ns);
        if (result == WICED_SUCCESS) {
            *packet = taken;
        } else {
            (void)packet_give(taken);
        }
    }
    pthread_mutex_lock(&lock);
    state->is_posted = false;
    pthread_cond_broadcast(&state->fetched);
    drop_locked(state);
    pthread_mutex_unlock(&lock);
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
    struct udp_socket* state = arg;
    pthread_mutex_lock(&lock);
    wiced_udp_socket_callback_t callback = state->callback;
    wiced_udp_socket_t* owner = state->owner;
    void* callback_arg = state->callback_arg;
    if (callback != NULL && owner != NULL) {
        state->is_dispatching = true;
        pthread_mutex_unlock(&lock);
        callback(owner, callback_arg);
        pthread_mutex_lock(&lock);
        state->is_dispatching = false;
        pthread_cond_broadcast(&state->fetched);
    }
    drop_locked(state);
    pthread_mutex_unlock(&lock);
    return WICED_SUCCESS;
}

/* One thread for each socket with a callback: waits for a datagram, posts, waits for the fetch. */
static void watch(void* context, void* arg) {
    struct udp_socket* state = context;
    (void)arg;
    pthread_mutex_lock(&lock);
    while (state->owner != NULL) {
        pthread_mutex_unlock(&lock);
        struct pollfd descriptors[2] = {{.fd = state->readable_fd, .events = POLLIN},
                                        {.fd = state->cancel_fd, .events = POLLIN}};
        (void)kernel_poll(descriptors, 2, KERNEL_NO_DEADLINE);
        pthread_mutex_lock(&lock);
        if (state->owner == NULL) {
            break;
        }
        ++state->references;
        state->is_posted = true;
        if (wiced_rtos_send_asynchronous_event(WICED_NETWORKING_WORKER_THREAD, dispatch, state) !=
            WICED_SUCCESS) {
            --state->references;
            pthread_mutex_unlock(&lock);
            (void)kernel_sleep_until(kernel_deadline_ns(FULL_WORKER_PAUSE_MS));
            pthread_mutex_lock(&lock);
            continue;
        }
        while (state->is_posted && state->owner != NULL) {
            pthread_cond_wait(&state->fetched, &lock);
        }
    }
    drop_locked(state);
    pthread_mutex_unlock(&lock);
}

wiced_result_t wiced_udp_register_callbacks(wiced_udp_socket_t* socket,
                                            wiced_udp_socket_callback_t callback, void* arg) {
    struct udp_socket* state = hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    pthread_mutex_lock(&lock);
    state->callback = callback;
    state->callback_arg = arg;
    bool needs_watcher = !state->has_watcher;
    state->has_watcher = true;
    state->references += needs_watcher;
    pthread_mutex_unlock(&lock);
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
    struct udp_socket* state = hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    pthread_mutex_lock(&lock);
    state->callback = NULL;
    drop_locked(state);
    pthread_mutex_unlock(&lock);
    return WICED_SUCCESS;
}

static wiced_result_t check_group(const wiced_ip_address_t* address) {
    if (address == NULL) {
        return WICED_BADARG;
    }
    if (address->version != WICED_IPV4) {
        return WICED_UNSUPPORTED;
    }
    if (!IN_MULTICAST(GET_IPV4_ADDRESS(*address))) {
        return WICED_BADARG;
    }
    return network_is_up() ? WICED_SUCCESS : WICED_NOTUP;
}

/* The place of a group, or of none with address 0; MULTICAST_GROUPS_MAX when there is none. */
static size_t find_group_locked(uint32_t address) {
    size_t place = 0;
    while (place < MULTICAST_GROUPS_MAX && groups[place].address != address) {
        ++place;
    }
    return place;
}

static void close_group_locked(size_t place) {
    for (struct udp_socket* each = sockets; each != NULL; each = each->next) {
        if (each->group_fds[place] >= 0) {
            close(each->group_fds[place]);
            each->group_fds[place] = -1;
        }
    }
    groups[place] = (struct group){0};
}

wiced_result_t wiced_multicast_join(wiced_interface_t interface,
                                    const wiced_ip_address_t* address) {
    (void)interface;
    WICED_VERIFY(check_group(address));
    wiced_result_t result = WICED_SUCCESS;
    pthread_mutex_lock(&lock);
    size_t place = find_group_locked(GET_IPV4_ADDRESS(*address));
    if (place < MULTICAST_GROUPS_MAX) {
        ++groups[place].joins;
    } else if ((place = find_group_locked(0)) < MULTICAST_GROUPS_MAX) {
        groups[place] = (struct group){GET_IPV4_ADDRESS(*address), 1};
        for (struct udp_socket* each = sockets; each != NULL; each = each->next) {
            if (!open_group_locked(each, place)) {
                result = WICED_ERROR;
            }
        }
        if (result != WICED_SUCCESS) {
            close_group_locked(place);
        }
    } else {
        result = WICED_ERROR;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

wiced_result_t wiced_multicast_leave(wiced_interface_t interface,
                                     const wiced_ip_address_t* address) {
    (void)interface;
    WICED_VERIFY(check_group(address));
    wiced_result_t result = WICED_ERROR;
    pthread_mutex_lock(&lock);
    size_t place = find_group_locked(GET_IPV4_ADDRESS(*address));
    if (place < MULTICAST_GROUPS_MAX) {
        result = WICED_SUCCESS;
        if (--groups[place].joins == 0) {
            close_group_locked(place);
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}
