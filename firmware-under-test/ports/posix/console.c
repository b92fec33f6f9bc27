#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel.h"
#include "wiced_platform.h"

void console_boot(void) {
    /* A UART has no buffer that waits for the end of a line. One printf is still one write. */
    setvbuf(stdout, NULL, _IONBF, 0);
}

wiced_result_t wiced_uart_init(wiced_uart_t uart, const wiced_uart_config_t* config,
                               wiced_ring_buffer_t* optional_rx_buffer) {
    (void)config;
    (void)optional_rx_buffer;
    /* The one UART belongs to the console already, as on the lab's boards. */
    return uart == STDIO_UART ? WICED_ERROR : WICED_BADARG;
}

wiced_result_t wiced_uart_deinit(wiced_uart_t uart) {
    return uart == STDIO_UART ? WICED_SUCCESS : WICED_BADARG;
}

wiced_result_t wiced_uart_transmit_bytes(wiced_uart_t uart, const void* data, uint32_t size) {
    if (uart != STDIO_UART || (data == NULL && size > 0)) {
        return WICED_BADARG;
    }
    return fwrite(data, 1, size, stdout) == size ? WICED_SUCCESS : WICED_ERROR;
}

wiced_result_t wiced_uart_receive_bytes(wiced_uart_t uart, void* data, uint32_t* size,
                                        uint32_t timeout_ms) {
    if (uart != STDIO_UART || data == NULL || size == NULL || *size == 0) {
        return WICED_BADARG;
    }
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    uint32_t wanted = *size;
    for (*size = 0; *size < wanted;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        if (kernel_poll(&input, 1, deadline_ns) != KERNEL_WOKEN) {
            return WICED_TIMEOUT;
        }
        ssize_t got = read(STDIN_FILENO, (uint8_t*)data + *size, wanted - *size);
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
            return WICED_ERROR;
        }
        *size += got > 0 ? (uint32_t)got : 0;
    }
    return WICED_SUCCESS;
}

wiced_result_t ring_buffer_init(wiced_ring_buffer_t* ring, uint8_t* buffer, uint32_t size) {
    if (ring == NULL || buffer == NULL || size == 0) {
        return WICED_BADARG;
    }
    ring->buffer = buffer;
    ring->size = size;
    ring->head = 0;
    ring->tail = 0;
    return WICED_SUCCESS;
}
