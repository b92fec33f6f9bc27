#include "uart.h"

#include <string.h>

#include "application.h"
#include "board.h"
#include "handlers.h"
#include "kernel.h"
#include "registers.h"
#include "wiced_platform.h"
#include "wiced_rtos.h"
#include "wiced_utilities.h"

#define RCGC1_UARTS 3u
#define LCRH_8N1_FIFO 0x70u
#define CTL_ON 0x301u
/* 115200 baud out of 50 MHz, in 64ths. */
#define IBRD_115200 27u
#define FBRD_115200 8u

typedef struct {
    uint32_t base;
    uint8_t received[UART_RING_SIZE];
    volatile uint32_t head; /* counts on without end, like tail */
    volatile uint32_t tail;
    kernel_wait_list_t readers;
    wiced_ring_buffer_t* ring; /* the application's, if it gave one */
    bool is_initialised;
} uart_t;

_Static_assert((UART_RING_SIZE & (UART_RING_SIZE - 1)) == 0, "the counts wrap at a power of two");

static uart_t uarts[WICED_UART_MAX] = {{.base = UART0}, {.base = UART1}};
static bool is_console_taken; /* by an application that reads it */

void uart_boot(void) {
    SYSCTL_RCGC1 |= RCGC1_UARTS;
    SYSCTL_RCGC2 |= 0x9u; /* ports A and D, on whose pins they are */
    GPIO_AFSEL(0x40004000u) |= 3u;
    GPIO_DEN(0x40004000u) |= 3u;
    GPIO_AFSEL(0x40007000u) |= 0xCu;
    GPIO_DEN(0x40007000u) |= 0xCu;
    for (unsigned i = 0; i < WICED_UART_MAX; ++i) {
        uint32_t base = uarts[i].base;
        UART_CTL(base) = 0;
        UART_IBRD(base) = IBRD_115200;
        UART_FBRD(base) = FBRD_115200;
        UART_LCRH(base) = LCRH_8N1_FIFO;
        UART_CTL(base) = CTL_ON;
        UART_IFLS(base) = 0;
        UART_IM(base) = UART_RECEIVED;
    }
    uarts[STDIO_UART].is_initialised = application_settings.has_stdio;
    interrupt_enable(IRQ_UART0);
    interrupt_enable(IRQ_UART1);
}

static void receive(uart_t* uart) {
    UART_ICR(uart->base) = UART_RECEIVED;
    while ((UART_FR(uart->base) & UART_FR_RXFE) == 0) {
        uint8_t byte = (uint8_t)UART_DR(uart->base);
        if (uart->tail - uart->head < UART_RING_SIZE) {
            uart->received[uart->tail % UART_RING_SIZE] = byte;
            ++uart->tail;
        }
    }
    kernel_wake_all(&uart->readers);
    board_wake();
}

void handle_uart0(void) {
    receive(&uarts[WICED_UART_1]);
}

void handle_uart1(void) {
    receive(&uarts[WICED_UART_2]);
}

static void send(const uart_t* uart, const uint8_t* data, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        while ((UART_FR(uart->base) & UART_FR_TXFF) != 0) {
        }
        UART_DR(uart->base) = data[i];
    }
}

void uart_console_write(const char* text, size_t size) {
    send(&uarts[STDIO_UART], (const uint8_t*)text, size);
}

static int take(uart_t* uart) {
    if (uart->head == uart->tail) {
        return -1;
    }
    int byte = uart->received[uart->head % UART_RING_SIZE];
    ++uart->head;
    return byte;
}

int uart_console_read(void) {
    return is_console_taken ? -1 : take(&uarts[STDIO_UART]);
}

static bool is_uart(wiced_uart_t uart) {
    return (unsigned)uart < WICED_UART_MAX;
}

wiced_result_t wiced_uart_init(wiced_uart_t uart, const wiced_uart_config_t* config,
                               wiced_ring_buffer_t* optional_rx_buffer) {
    if (!is_uart(uart) || config == NULL) {
        return WICED_BADARG;
    }
    if (uart == STDIO_UART && application_settings.has_stdio) {
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
    if (uart != STDIO_UART || !application_settings.has_stdio) {
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
    send(&uarts[uart], data, size);
    return WICED_SUCCESS;
}

/* The next byte; -1 when there was none in time. */
static int await_byte(uart_t* uart, uint64_t deadline_ns) {
    kernel_lock();
    int byte = take(uart);
    while (byte < 0 && kernel_wait(&uart->readers, deadline_ns) == KERNEL_WOKEN) {
        byte = take(uart);
    }
    kernel_unlock();
    return byte;
}

/*
 * Without a ring of the application's what came is lost when the rest is late; with one it is
 * handed out in chunks of at most half the ring, each with the whole time to itself.
 */
wiced_result_t wiced_uart_receive_bytes(wiced_uart_t uart, void* data, uint32_t* size,
                                        uint32_t timeout_ms) {
    if (!is_uart(uart) || data == NULL || size == NULL || *size == 0) {
        return WICED_BADARG;
    }
    uart_t* port = &uarts[uart];
    uint8_t* to = data;
    uint32_t wanted = *size;
    uint32_t chunk = wanted;
    *size = 0;
    if (!port->is_initialised) {
        return WICED_ERROR;
    }
    if (port->ring != NULL) {
        chunk = MAX(port->ring->size / 2, 1);
    }
    is_console_taken = is_console_taken || uart == STDIO_UART;
    uint64_t deadline_ns = 0;
    for (uint32_t done = 0; done < wanted; ++done) {
        if (done % chunk == 0) {
            deadline_ns = kernel_deadline_ns(timeout_ms);
            *size = port->ring != NULL ? done : 0;
        }
        int byte = await_byte(port, deadline_ns);
        if (byte < 0) {
            return WICED_TIMEOUT;
        }
        to[done] = (uint8_t)byte;
    }
    *size = wanted;
    return WICED_SUCCESS;
}

/* head is where the next byte is taken from, tail where the next one goes; one place stays free. */
wiced_result_t ring_buffer_init(wiced_ring_buffer_t* ring, uint8_t* buffer, uint32_t size) {
    if (ring == NULL || buffer == NULL || size < 2) {
        return WICED_BADARG;
    }
    *ring = (wiced_ring_buffer_t){.buffer = buffer, .size = size};
    return WICED_SUCCESS;
}
