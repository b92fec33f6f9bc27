/* The sockets of common/tcp.h on the system's: the lock, what each keeps, bind and connect. */
#include "transport.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel_poll.h"
#include "routes.h"
#include "system_socket.h"
#include "transport_connection.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t dispatched = PTHREAD_COND_INITIALIZER;

void tcp_lock(void) {
    pthread_mutex_lock(&lock);
}

void tcp_unlock(void) {
    pthread_mutex_unlock(&lock);
}

void transport_dispatched(tcp_socket_t* socket) {
    (void)socket;
    pthread_cond_broadcast(&dispatched);
}

void transport_await_dispatched(tcp_socket_t* socket) {
    (void)socket;
    pthread_cond_wait(&dispatched, &lock);
}

bool transport_prepare(tcp_socket_t* socket) {
    socket->transport.bound_fd = -1;
    socket->transport.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return socket->transport.cancel_fd >= 0;
}

void transport_cancel(tcp_socket_t* socket) {
    uint64_t one = 1;
    (void)!write(socket->transport.cancel_fd, &one, sizeof(one));
}

void transport_dispose(tcp_socket_t* socket) {
    close(socket->transport.cancel_fd);
}

void transport_unbind(tcp_socket_t* socket) {
    if (socket->transport.bound_fd >= 0) {
        close(socket->transport.bound_fd);
        socket->transport.bound_fd = -1;
    }
    socket->transport.bound_port = 0;
}

wiced_result_t transport_bind(tcp_socket_t* socket, uint16_t port) {
    int fd = system_open_bound(routes_outgoing_address(), port);
    if (fd < 0) {
        return errno == EADDRINUSE ? WICED_TCPIP_PORT_UNAVAILABLE : WICED_ERROR;
    }
    socket->transport.bound_fd = fd;
    socket->transport.bound_port = port;
    return WICED_SUCCESS;
}

/* Refusal, time-out and every other failure are one code on the lab's stack: 7014. */
static wiced_result_t connect_descriptor(int fd, int cancel_fd, uint32_t address, uint16_t port,
                                         uint64_t deadline_ns) {
    struct sockaddr_in in = system_address(routes_follow(address), port);
    if (connect(fd, (const struct sockaddr*)&in, sizeof(in)) == 0) {
        return WICED_SUCCESS;
    }
    if (errno != EINPROGRESS) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    struct pollfd descriptors[2] = {{.fd = fd, .events = POLLOUT},
                                    {.fd = cancel_fd, .events = POLLIN}};
    kernel_wait_result_t waited = kernel_poll(descriptors, 2, deadline_ns);
    if (waited == KERNEL_ABORTED) {
        return WICED_TCPIP_WAIT_ABORTED;
    }
    int failure = 0;
    socklen_t size = sizeof(failure);
    if (waited == KERNEL_TIMED_OUT || descriptors[1].revents != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure != 0) {
        return WICED_TCPIP_SOCKET_CLOSED;
    }
    return WICED_SUCCESS;
}

/* The descriptor to connect with, which is the caller's to close; negative: there is none. Another
 * thread may delete the socket meanwhile. */
static int take_bound(transport_socket_t* own) {
    tcp_lock();
    int fd = own->bound_fd;
    own->bound_fd = -1;
    uint16_t port = own->bound_port;
    tcp_unlock();
    return fd >= 0 ? fd : system_open_bound(routes_outgoing_address(), port);
}

wiced_result_t transport_connect(tcp_socket_t* socket, uint32_t address, uint16_t port,
                                 uint64_t deadline_ns, tcp_connection_t** connection) {
    int fd = take_bound(&socket->transport);
    if (fd < 0) {
        return WICED_TCPIP_PORT_UNAVAILABLE;
    }
    wiced_result_t result =
        connect_descriptor(fd, socket->transport.cancel_fd, address, port, deadline_ns);
    *connection = result == WICED_SUCCESS ? transport_connection_make(fd) : NULL;
    if (*connection == NULL) {
        close(fd);
        return result == WICED_SUCCESS ? WICED_OUT_OF_HEAP_SPACE : result;
    }
    return WICED_SUCCESS;
}
