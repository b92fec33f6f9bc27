/* The vector table, and what happens before main. */
#include <string.h>

#include "board.h"
#include "handlers.h"
#include "registers.h"

extern uint32_t data_image[];
extern uint32_t data_start[];
extern uint32_t data_end[];
extern uint32_t bss_start[];
extern uint32_t bss_end[];
extern uint32_t stack_bottom[];
extern uint32_t stack_top[];

int main(void);
void start_up(void);

/* Fills the part of the main stack that is not in use yet, so that its high-water mark shows. */
static void paint_main_stack(void) {
    uint32_t* here = __builtin_frame_address(0);
    for (uint32_t* word = stack_bottom; word < here - 16; ++word) {
        *word = BOARD_STACK_PAINT;
    }
}

void start_up(void) {
    memcpy(data_start, data_image, (size_t)((char*)data_end - (char*)data_start));
    memset(bss_start, 0, (size_t)((char*)bss_end - (char*)bss_start));
    SCB_CCR |= SCB_CCR_STKALIGN;
    paint_main_stack();
    (void)main();
    board_halt("main returned", 0);
}

static void unexpected(void) {
    board_halt("interrupt without a handler", SCB_ICSR & 0x1FFu);
}

/* An image that does not use the network has no driver for it. */
void handle_ethernet(void) __attribute__((weak, alias("unexpected")));

/* The frame that the processor pushed, on whichever stack was in use. */
static void fault(const uint32_t* frame) {
    board_halt(SCB_CFSR != 0 || SCB_HFSR != 0 ? "fault at" : "stop at", frame[6]);
}

__attribute__((naked)) static void fault_entry(void) {
    __asm volatile(
        "tst lr, #4\n"
        "ite eq\n"
        "mrseq r0, msp\n"
        "mrsne r0, psp\n"
        "b %c0\n" ::"i"(fault));
}

typedef void (*vector_t)(void);
typedef struct {
    const void* initial_stack;
    vector_t exceptions[15];
    vector_t interrupts[IRQ_COUNT];
} vectors_t;

__attribute__((section(".vectors"), used)) static const vectors_t vectors = {
    .initial_stack = stack_top,
    .exceptions = {start_up, unexpected, fault_entry, fault_entry, fault_entry, fault_entry,
                   unexpected, unexpected, unexpected, unexpected, unexpected, unexpected,
                   unexpected, unexpected, handle_systick},
    .interrupts =
        {
            [0] = handle_gpio,
            [1] = handle_gpio,
            [2] = handle_gpio,
            [3] = handle_gpio,
            [IRQ_GPIO_E] = handle_gpio,
            [IRQ_UART0] = handle_uart0,
            [IRQ_UART1] = handle_uart1,
            [7 ... 18] = unexpected,
            [IRQ_TIMER0A] = handle_timer0,
            [20 ... 29] = unexpected,
            [IRQ_GPIO_F] = handle_gpio,
            [IRQ_GPIO_G] = handle_gpio,
            [32 ... 41] = unexpected,
            [IRQ_ETHERNET] = handle_ethernet,
            [43] = unexpected,
        },
};
