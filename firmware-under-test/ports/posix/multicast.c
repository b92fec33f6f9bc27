#include "multicast.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network.h"
#include "routes.h"
#include "system_socket.h"
#include "udp.h"
#include "wiced_utilities.h"

typedef struct {
    uint32_t address;
    unsigned joins; /* 0: a free place */
} group_t;

static group_t groups[MULTICAST_GROUPS_MAX]; /* under udp_lock */

/*
 * A non-blocking descriptor that gets what is sent to group's port on the board's interface; -1.
 * Several boards on one machine may have the same. Host byte order.
 */
static int open_descriptor(uint32_t group, uint16_t port) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;
    int zero = 0;
    struct sockaddr_in in = system_address(group, port);
    struct ip_mreqn membership = {.imr_multiaddr.s_addr = htonl(group),
                                  .imr_address.s_addr = htonl(routes_listening_address())};
    /* Without the second option it would hear what other programs of the machine have joined. */
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof(zero)) == 0 &&
        bind(fd, (const struct sockaddr*)&in, sizeof(in)) == 0 &&
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof(membership)) == 0) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static bool open_group_locked(udp_socket_t* state, size_t place) {
    struct sockaddr_in in;
    socklen_t size = sizeof(in);
    if (getsockname(state->fd, (struct sockaddr*)&in, &size) != 0) {
        return false;
    }
    int fd = open_descriptor(groups[place].address, ntohs(in.sin_port));
    if (fd >= 0 && !udp_watch_descriptor(state, fd)) {
        close(fd);
        fd = -1;
    }
    state->group_fds[place] = fd;
    return fd >= 0;
}

void multicast_enlist_locked(udp_socket_t* state) {
    for (size_t i = 0; i < MULTICAST_GROUPS_MAX; ++i) {
        if (groups[i].joins != 0) {
            (void)open_group_locked(state, i);
        }
    }
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
    for (udp_socket_t* each = udp_sockets; each != NULL; each = each->next) {
        if (each->group_fds[place] >= 0) {
            close(each->group_fds[place]);
            each->group_fds[place] = -1;
        }
    }
    groups[place] = (group_t){0};
}

wiced_result_t wiced_multicast_join(wiced_interface_t interface,
                                    const wiced_ip_address_t* address) {
    (void)interface;
    WICED_VERIFY(check_group(address));
    wiced_result_t result = WICED_SUCCESS;
    pthread_mutex_lock(&udp_lock);
    size_t place = find_group_locked(GET_IPV4_ADDRESS(*address));
    if (place < MULTICAST_GROUPS_MAX) {
        ++groups[place].joins;
    } else if ((place = find_group_locked(0)) < MULTICAST_GROUPS_MAX) {
        groups[place] = (group_t){GET_IPV4_ADDRESS(*address), 1};
        for (udp_socket_t* each = udp_sockets; each != NULL; each = each->next) {
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
    pthread_mutex_unlock(&udp_lock);
    return result;
}

wiced_result_t wiced_multicast_leave(wiced_interface_t interface,
                                     const wiced_ip_address_t* address) {
    (void)interface;
    WICED_VERIFY(check_group(address));
    wiced_result_t result = WICED_ERROR;
    pthread_mutex_lock(&udp_lock);
    size_t place = find_group_locked(GET_IPV4_ADDRESS(*address));
    if (place < MULTICAST_GROUPS_MAX) {
        result = WICED_SUCCESS;
        if (--groups[place].joins == 0) {
            close_group_locked(place);
        }
    }
    pthread_mutex_unlock(&udp_lock);
    return result;
}
