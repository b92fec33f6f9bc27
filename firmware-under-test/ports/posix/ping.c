#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel_poll.h"
#include "network.h"
#include "routes.h"
#include "wiced_tcpip.h"

/* Needs a machine that lets its users open ICMP sockets; where it does not, the result is 4. */
wiced_result_t wiced_ping(wiced_interface_t interface, const wiced_ip_address_t* address,
                          uint32_t timeout_ms, uint32_t* elapsed_ms) {
    if (wiced_network_is_up(interface) != WICED_TRUE) {
        return WICED_NOTUP;
    }
    if (address->version != WICED_IPV4) {
        return WICED_UNSUPPORTED;
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fd < 0) {
        return WICED_ERROR;
    }
    struct icmphdr echo;
    memset(&echo, 0, sizeof(echo));
    echo.type = ICMP_ECHO;
    struct sockaddr_in in;
    memset(&in, 0, sizeof(in));
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(routes_follow(GET_IPV4_ADDRESS(*address)));

    uint64_t sent_ns = kernel_now_ns();
    wiced_result_t result = WICED_ERROR;
    if (sendto(fd, &echo, sizeof(echo), 0, (const struct sockaddr*)&in, sizeof(in)) ==
        (ssize_t)sizeof(echo)) {
        struct pollfd descriptor = {.fd = fd, .events = POLLIN};
        bool is_answered =
            kernel_poll(&descriptor, 1, kernel_deadline_ns(timeout_ms)) == KERNEL_WOKEN;
        result = is_answered ? WICED_SUCCESS : WICED_TIMEOUT;
        *elapsed_ms = (uint32_t)((kernel_now_ns() - sent_ns) / 1000000u);
    }
    close(fd);
    return result;
}
