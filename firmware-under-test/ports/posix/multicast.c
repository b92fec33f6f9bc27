#include "multicast.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network.h"
#include "tcp.h"

int multicast_open(uint32_t group, uint16_t port) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;
    int zero = 0;
    struct sockaddr_in in = tcp_system_address(group, port);
    struct ip_mreqn membership = {.imr_multiaddr.s_addr = htonl(group),
                                  .imr_address.s_addr = htonl(network_listening_address())};
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
