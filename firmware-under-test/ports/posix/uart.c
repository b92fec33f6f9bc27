#include "uart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_poll.h"
#include "wiced_platform.h"
#include "wiced_utilities.h"

#define STDIO_RING_SIZE 64

typedef struct {
    int in_fd; /* -1: nothing will ever come */
    int out_fd;
    bool is_initialised;
    wiced_ring_buffer_t* ring; /* NULL: bytes go straight to whoever asks */
} uart_t;

static uart_t uarts[WICED_UART_MAX];
static bool is_stdio_taken;
static uint8_t stdio_bytes[STDIO_RING_SIZE];
static wiced_ring_buffer_t stdio_ring;

bool uart_boot(const world_t* world, bool has_stdio, char* error, size_t error_size) {
    uart_t* second = &uarts[WICED_UART_2];
    *second = (uart_t){.in_fd = -1, .out_fd = -1};
    if (world->second_uart != NULL) {
        int fd = open(world->second_uart, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            snprintf(error, error_size, "WWEP_UART_2: open %s: %s", world->second_uart,
                     strerror(errno));
            return false;
        }
        second->in_fd = second->out_fd = fd;
    }
    is_stdio_taken = has_stdio;
    (void)ring_buffer_init(&stdio_ring, stdio_bytes, sizeof(stdio_bytes));
    uarts[STDIO_UART] = (uart_t){STDIN_FILENO, STDOUT_FILENO, has_stdio, &stdio_ring};
    if (!has_stdio) {
        /* What the SDK prints has nowhere to go: the UART is the application's. */
        uarts[STDIO_UART].out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
        if (uarts[STDIO_UART].out_fd < 0 || freopen("/dev/null", "w", stdout) == NULL) {
            snprintf(error, error_size, "standard output: %s", strerror(errno));
            return false;
        }
    }
    /* A UART has no buffer that waits for the end of a line. One printf is still one write. */
    setvbuf(stdout, NULL, _IONBF, 0);
    return true;
}

static bool is_uart(wiced_uart_t uart) {
    return (unsigned)uart < (unsigned)WICED_UART_MAX;
}

wiced_result_t wiced_uart_init(wiced_uart_t uart, const wiced_uart_config_t* config,
                               wiced_ring_buffer_t* optional_rx_buffer) {
    if (!is_uart(uart) || config == NULL) {
        return WICED_BADARG;
    }
    if (uart == STDIO_UART && is_stdio_taken) {
        return WICED_ERROR; /* as on the lab's boards: it belongs to the console already */
    }
    uarts[uart].ring = optional_rx_buffer;
    uarts[uart].is_initialised = true;
    return WICED_SUCCESS;
}

wiced_result_t wiced_uart_deinit(wiced_uart_t uart) {
    if (!is_uart(uart)) {
        return WICED_BADARG;
    }
    if (uart != STDIO_UART || !is_stdio_taken) {
        uarts[uart].is_initialised = false;
        uarts[uart].ring = NULL;
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_uart_transmit_bytes(wiced_uart_t uart, const void* data, uint32_t size) {
    if (!is_uart(uart) || (data == NULL && size > 0)) {
        return WICED_BADARG;
    }
    if (!uarts[uart].is_initialised) {
        return WICED_ERROR;
    }
    const uint8_t* next = data;
    while (size > 0 && uarts[uart].out_fd >= 0) {
        ssize_t sent = write(uarts[uart].out_fd, next, size);
        if (sent >= 0) {
            next += sent;
            size -= (uint32_t)sent;
            continue;
        }
        struct pollfd output = {.fd = uarts[uart].out_fd, .events = POLLOUT};
        bool is_full = errno == EAGAIN || errno == EINTR;
        if (!is_full || kernel_poll(&output, 1, KERNEL_NO_DEADLINE) != KERNEL_WOKEN) {
            return WICED_ERROR;
        }
    }
    return WICED_SUCCESS;
}

/* Waits for bytes and takes up to size of them; 0 when there were none in time. */
static uint32_t take(uart_t* uart, uint8_t* to, uint32_t size, uint64_t deadline_ns) {
    for (;;) {
        struct pollfd input = {.fd = uart->in_fd, .events = POLLIN};
        nfds_t count = uart->in_fd >= 0 ? 1 : 0;
        if (kernel_poll(&input, count, deadline_ns) != KERNEL_WOKEN) {
            return 0;
        }
        ssize_t got = count > 0 ? read(uart->in_fd, to, size) : 0;
        if (got > 0) {
            return (uint32_t)got;
        }
        if (count > 0 && (got == 0 || (errno != EAGAIN && errno != EINTR))) {
            uart->in_fd = -1; /* A line has no end: from now on it is silent. */
        }
    }
}

static uint32_t used(const wiced_ring_buffer_t* ring) {
    return (ring->tail + ring->size - ring->head) % ring->size;
}

/* Waits until the ring holds so many bytes. They stay there: a chunk that is late is not lost. */
static bool collect(uart_t* uart, uint32_t size, uint64_t deadline_ns) {
    wiced_ring_buffer_t* ring = uart->ring;
    while (used(ring) < size) {
        uint8_t bytes[STDIO_RING_SIZE];
        uint32_t room = ring->size - 1 - used(ring);
        uint32_t got = take(uart, bytes, MIN(room, (uint32_t)sizeof(bytes)), deadline_ns);
        if (got == 0) {
            return false;
        }
        for (uint32_t i = 0; i < got; ++i) {
            ring->buffer[ring->tail] = bytes[i];
            ring->tail = (ring->tail + 1) % ring->size;
        }
    }
    return true;
}

wiced_result_t wiced_uart_receive_bytes(wiced_uart_t uart, void* data, uint32_t* size,
                                        uint32_t timeout_ms) {
    if (!is_uart(uart) || data == NULL || size == NULL || *size == 0) {
        return WICED_BADARG;
    }
    uart_t* port = &uarts[uart];
    uint8_t* to = data;
    uint32_t wanted = *size;
    uint32_t done = 0;
    *size = 0;
    if (!port->is_initialised) {
        return WICED_ERROR;
    }
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    while (done < wanted && port->ring == NULL) {
        uint32_t got = take(port, to + done, wanted - done, deadline_ns);
        if (got == 0) {
            return WICED_TIMEOUT; /* and what had come is lost, as the hardware has it */
        }
        done += got;
    }
    while (done < wanted) {
        uint32_t chunk = MIN(wanted - done, MAX(port->ring->size / 2, 1));
        if (!collect(port, chunk, kernel_deadline_ns(timeout_ms))) {
            *size = done;
            return WICED_TIMEOUT;
        }
        for (uint32_t i = 0; i < chunk; ++i) {
            to[done + i] = port->ring->buffer[port->ring->head];
            port->ring->head = (port->ring->head + 1) % port->ring->size;
        }
        done += chunk;
    }
    *size = done;
    return WICED_SUCCESS;
}

/* head is where the next byte is taken from, tail where the next one goes; one place stays free. */
wiced_result_t ring_buffer_init(wiced_ring_buffer_t* ring, uint8_t* buffer, uint32_t size) {
    if (ring == NULL || buffer == NULL || size < 2) {
        return WICED_BADARG;
    }
    ring->buffer = buffer;
    ring->size = size;
    ring->head = 0;
    ring->tail = 0;
    return WICED_SUCCESS;
}
