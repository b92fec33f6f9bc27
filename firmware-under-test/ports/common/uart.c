#include "uart.h"

#include <string.h>

#include "kernel.h"
#include "wiced_utilities.h"

#define STDIO_RING_SIZE 64

typedef struct {
    bool is_initialised;
    wiced_ring_buffer_t* ring; /* NULL: bytes go straight to whoever asks */
} uart_t;

static uart_t uarts[WICED_UART_MAX];
static bool is_stdio_taken;
static uint8_t stdio_bytes[STDIO_RING_SIZE];
static wiced_ring_buffer_t stdio_ring;

void uart_boot(bool has_stdio) {
    is_stdio_taken = has_stdio;
    (void)ring_buffer_init(&stdio_ring, stdio_bytes, sizeof(stdio_bytes));
    memset(uarts, 0, sizeof(uarts));
    uarts[STDIO_UART] = (uart_t){has_stdio, &stdio_ring};
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
    return uart_device_send(uart, data, size);
}

static uint32_t used(const wiced_ring_buffer_t* ring) {
    return (ring->tail + ring->size - ring->head) % ring->size;
}

/* Waits until the ring holds so many bytes. They stay there: a chunk that is late is not lost. */
static bool collect(wiced_uart_t uart, uint32_t size, uint64_t deadline_ns) {
    wiced_ring_buffer_t* ring = uarts[uart].ring;
    while (used(ring) < size) {
        uint8_t bytes[STDIO_RING_SIZE];
        uint32_t room = ring->size - 1 - used(ring);
        uint32_t got =
            uart_device_take(uart, bytes, MIN(room, (uint32_t)sizeof(bytes)), deadline_ns);
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
    wiced_ring_buffer_t* ring = uarts[uart].ring;
    uint8_t* to = data;
    uint32_t wanted = *size;
    uint32_t done = 0;
    *size = 0;
    if (!uarts[uart].is_initialised) {
        return WICED_ERROR;
    }
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    while (done < wanted && ring == NULL) {
        uint32_t got = uart_device_take(uart, to + done, wanted - done, deadline_ns);
        if (got == 0) {
            return WICED_TIMEOUT; /* and what had come is lost, as the hardware has it */
        }
        done += got;
    }
    while (done < wanted) {
        uint32_t chunk = MIN(wanted - done, MAX(ring->size / 2, 1));
        if (!collect(uart, chunk, kernel_deadline_ns(timeout_ms))) {
            *size = done;
            return WICED_TIMEOUT;
        }
        for (uint32_t i = 0; i < chunk; ++i) {
            to[done + i] = ring->buffer[ring->head];
            ring->head = (ring->head + 1) % ring->size;
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
