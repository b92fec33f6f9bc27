#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel_poll.h"
#include "routes.h"
#include "system_socket.h"
#include "transport.h"
#include "transport_connection.h"

bool transport_listen(tcp_listener_t* listener) {
    int fd = system_open_bound(routes_listening_address(), listener->port);
    if (fd < 0 || listen(fd, WICED_DEFAULT_TCP_LISTEN_QUEUE_SIZE) != 0) {
        fprintf(stderr, "tcp: listen on port %u: %s\n", listener->port, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    listener->transport.fd = fd;
    return true;
}

void transport_stop_listening(tcp_listener_t* listener) {
    close(listener->transport.fd);
}

wiced_result_t transport_accept(tcp_socket_t* socket, tcp_listener_t* listener,
                                uint64_t deadline_ns, tcp_connection_t** connection) {
    int listening_fd = listener->transport.fd;
    int fd;
    while ((fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0) {
        struct pollfd descriptors[2] = {{.fd = listening_fd, .events = POLLIN},
                                        {.fd = socket->transport.cancel_fd, .events = POLLIN}};
        kernel_wait_result_t waited = kernel_poll(descriptors, 2, deadline_ns);
        if (waited == KERNEL_ABORTED) {
            return WICED_TCPIP_WAIT_ABORTED;
        }
        if (waited == KERNEL_TIMED_OUT || descriptors[1].revents != 0) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
    *connection = transport_connection_make(fd);
    if (*connection == NULL) {
        close(fd);
        return WICED_OUT_OF_HEAP_SPACE;
    }
    return WICED_SUCCESS;
}
