#include "uart_device.h"

#include "application.h"
#include "board.h"
#include "handlers.h"
#include "kernel.h"
#include "registers.h"
#include "uart.h"

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
} uart_t;

_Static_assert((UART_RING_SIZE & (UART_RING_SIZE - 1)) == 0, "the counts wrap at a power of two");

static uart_t uarts[WICED_UART_MAX] = {{.base = UART0}, {.base = UART1}};
static bool is_console_taken; /* by an application that reads it */

void uart_device_boot(void) {
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
    uart_boot(application_settings.has_stdio);
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

wiced_result_t uart_device_send(wiced_uart_t uart, const uint8_t* data, uint32_t size) {
    uint32_t base = uarts[uart].base;
    for (uint32_t i = 0; i < size; ++i) {
        while ((UART_FR(base) & UART_FR_TXFF) != 0) {
        }
        UART_DR(base) = data[i];
    }
    return WICED_SUCCESS;
}

void uart_console_write(const char* text, size_t size) {
    (void)uart_device_send(STDIO_UART, (const uint8_t*)text, size);
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

uint32_t uart_device_take(wiced_uart_t uart, uint8_t* to, uint32_t size, uint64_t deadline_ns) {
    uart_t* device = &uarts[uart];
    uint32_t count = 0;
    is_console_taken = is_console_taken || uart == STDIO_UART;
    kernel_lock();
    do {
        for (int byte; count < size && (byte = take(device)) >= 0; ++count) {
            to[count] = (uint8_t)byte;
        }
    } while (count == 0 && kernel_wait(&device->readers, deadline_ns) == KERNEL_WOKEN);
    kernel_unlock();
    return count;
}
