#include "uart_device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_poll.h"
#include "uart.h"

typedef struct {
    int in_fd; /* -1: nothing will ever come */
    int out_fd;
} device_t;

static device_t devices[WICED_UART_MAX];

bool uart_device_boot(const world_t* world, bool has_stdio, char* error, size_t error_size) {
    device_t* second = &devices[WICED_UART_2];
    *second = (device_t){.in_fd = -1, .out_fd = -1};
    if (world->second_uart != NULL) {
        int fd = open(world->second_uart, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            snprintf(error, error_size, "WWEP_UART_2: open %s: %s", world->second_uart,
                     strerror(errno));
            return false;
        }
        second->in_fd = second->out_fd = fd;
    }
    devices[STDIO_UART] = (device_t){STDIN_FILENO, STDOUT_FILENO};
    if (!has_stdio) {
        /* What the SDK prints has nowhere to go: the UART is the application's. */
        devices[STDIO_UART].out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
        if (devices[STDIO_UART].out_fd < 0 || freopen("/dev/null", "w", stdout) == NULL) {
            snprintf(error, error_size, "standard output: %s", strerror(errno));
            return false;
        }
    }
    /* A UART has no buffer that waits for the end of a line. One printf is still one write. */
    setvbuf(stdout, NULL, _IONBF, 0);
    return true;
}

wiced_result_t uart_device_send(wiced_uart_t uart, const uint8_t* data, uint32_t size) {
    int fd = devices[uart].out_fd;
    while (size > 0 && fd >= 0) {
        ssize_t sent = write(fd, data, size);
        if (sent >= 0) {
            data += sent;
            size -= (uint32_t)sent;
            continue;
        }
        struct pollfd output = {.fd = fd, .events = POLLOUT};
        bool is_full = errno == EAGAIN || errno == EINTR;
        if (!is_full || kernel_poll(&output, 1, KERNEL_NO_DEADLINE) != KERNEL_WOKEN) {
            return WICED_ERROR;
        }
    }
    return WICED_SUCCESS;
}

uint32_t uart_device_take(wiced_uart_t uart, uint8_t* to, uint32_t size, uint64_t deadline_ns) {
    device_t* device = &devices[uart];
    for (;;) {
        struct pollfd input = {.fd = device->in_fd, .events = POLLIN};
        nfds_t count = device->in_fd >= 0 ? 1 : 0;
        if (kernel_poll(&input, count, deadline_ns) != KERNEL_WOKEN) {
            return 0;
        }
        ssize_t got = count > 0 ? read(device->in_fd, to, size) : 0;
        if (got > 0) {
            return (uint32_t)got;
        }
        if (count > 0 && (got == 0 || (errno != EAGAIN && errno != EINTR))) {
            device->in_fd = -1; /* A line has no end: from now on it is silent. */
        }
    }
}
