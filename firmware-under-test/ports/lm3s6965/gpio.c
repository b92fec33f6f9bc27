#include "gpio.h"

#include <stdbool.h>
#include <string.h>

#include "board.h"
#include "handlers.h"
#include "kernel.h"
#include "registers.h"
#include "wiced_platform.h"

#define PORT_COUNT 7
#define ALL_PORTS 0x7Fu

static const uint32_t bases[PORT_COUNT] = {0x40004000u, 0x40005000u, 0x40006000u, 0x40007000u,
                                           0x40024000u, 0x40025000u, 0x40026000u};
/* The UARTs' pins and the debugger's: not for applications. */
static const uint8_t reserved[PORT_COUNT] = {0x03u, 0x80u, 0x0Fu, 0x0Cu, 0, 0, 0};

typedef struct {
    wiced_gpio_irq_handler_t handler;
    void* arg;
} interrupt_t;

static interrupt_t interrupts[WICED_GPIO_MAX];

static bool is_pin(wiced_gpio_t gpio) {
    return (unsigned)gpio < WICED_GPIO_MAX && (reserved[gpio / 8] & 1u << gpio % 8) == 0;
}

static uint32_t base_of(wiced_gpio_t gpio) {
    return bases[gpio / 8];
}

static uint32_t bit_of(wiced_gpio_t gpio) {
    return 1u << (gpio % 8);
}

static void change(volatile uint32_t* reg, uint32_t bit, bool is_set) {
    *reg = is_set ? *reg | bit : *reg & ~bit;
}

void gpio_boot(void) {
    SYSCTL_RCGC2 |= ALL_PORTS;
    (void)wiced_gpio_init(WICED_BUTTON1, INPUT_PULL_UP);
    (void)wiced_gpio_init(WICED_BUTTON2, INPUT_PULL_UP);
    (void)wiced_gpio_init(WICED_LED1, OUTPUT_PUSH_PULL);
    (void)wiced_gpio_init(WICED_LED2, OUTPUT_PUSH_PULL);
    gpio_leds_off();
    interrupt_enable(0);
    interrupt_enable(1);
    interrupt_enable(2);
    interrupt_enable(3);
    interrupt_enable(IRQ_GPIO_E);
    interrupt_enable(IRQ_GPIO_F);
    interrupt_enable(IRQ_GPIO_G);
}

void gpio_leds_off(void) {
    (void)wiced_gpio_output_low(WICED_LED1);
    (void)wiced_gpio_output_low(WICED_LED2);
}

wiced_result_t wiced_gpio_init(wiced_gpio_t gpio, wiced_gpio_config_t configuration) {
    if (!is_pin(gpio)) {
        return WICED_BADARG;
    }
    uint32_t base = base_of(gpio);
    uint32_t bit = bit_of(gpio);
    bool is_open_drain =
        configuration == OUTPUT_OPEN_DRAIN_NO_PULL || configuration == OUTPUT_OPEN_DRAIN_PULL_UP;
    kernel_lock();
    change(&GPIO_AFSEL(base), bit, false);
    change(&GPIO_DIR(base), bit, is_open_drain || configuration == OUTPUT_PUSH_PULL);
    change(&GPIO_ODR(base), bit, is_open_drain);
    change(&GPIO_PDR(base), bit, configuration == INPUT_PULL_DOWN);
    change(&GPIO_PUR(base), bit,
           configuration == INPUT_PULL_UP || configuration == OUTPUT_OPEN_DRAIN_PULL_UP);
    change(&GPIO_DEN(base), bit, true);
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_gpio_deinit(wiced_gpio_t gpio) {
    if (!is_pin(gpio)) {
        return WICED_BADARG;
    }
    (void)wiced_gpio_input_irq_disable(gpio);
    return wiced_gpio_init(gpio, INPUT_HIGH_IMPEDANCE);
}

/* One store, to an address that holds the mask: no other pin of the port can be disturbed. */
static wiced_result_t put(wiced_gpio_t gpio, bool is_high) {
    if (!is_pin(gpio)) {
        return WICED_BADARG;
    }
    GPIO_DATA(base_of(gpio), bit_of(gpio)) = is_high ? bit_of(gpio) : 0;
    return WICED_SUCCESS;
}

wiced_result_t wiced_gpio_output_high(wiced_gpio_t gpio) {
    return put(gpio, true);
}

wiced_result_t wiced_gpio_output_low(wiced_gpio_t gpio) {
    return put(gpio, false);
}

wiced_bool_t wiced_gpio_input_get(wiced_gpio_t gpio) {
    return is_pin(gpio) && GPIO_DATA(base_of(gpio), bit_of(gpio)) != 0 ? WICED_TRUE : WICED_FALSE;
}

wiced_result_t wiced_gpio_input_irq_enable(wiced_gpio_t gpio, wiced_gpio_irq_trigger_t trigger,
                                           wiced_gpio_irq_handler_t handler, void* arg) {
    bool is_edge = (trigger & IRQ_TRIGGER_BOTH_EDGES) != 0 &&
                   (trigger & ~(unsigned)IRQ_TRIGGER_BOTH_EDGES) == 0;
    if (!is_pin(gpio) || handler == NULL || !is_edge) {
        return WICED_BADARG;
    }
    if (interrupts[gpio].handler != NULL) {
        return WICED_PLATFORM_NO_EFFECT;
    }
    uint32_t base = base_of(gpio);
    uint32_t bit = bit_of(gpio);
    kernel_lock();
    interrupts[gpio] = (interrupt_t){.handler = handler, .arg = arg};
    change(&GPIO_IS(base), bit, false);
    change(&GPIO_IBE(base), bit, trigger == IRQ_TRIGGER_BOTH_EDGES);
    change(&GPIO_IEV(base), bit, trigger == IRQ_TRIGGER_RISING_EDGE);
    GPIO_ICR(base) = bit;
    change(&GPIO_IM(base), bit, true);
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_gpio_input_irq_disable(wiced_gpio_t gpio) {
    if (!is_pin(gpio)) {
        return WICED_BADARG;
    }
    if (interrupts[gpio].handler == NULL) {
        return WICED_PLATFORM_NO_EFFECT;
    }
    kernel_lock();
    change(&GPIO_IM(base_of(gpio)), bit_of(gpio), false);
    interrupts[gpio].handler = NULL;
    kernel_unlock();
    return WICED_SUCCESS;
}

/* The edge is taken back before its handler runs, so that one during the handler is not lost. */
void handle_gpio(void) {
    for (unsigned port = 0; port < PORT_COUNT; ++port) {
        uint32_t pending = GPIO_MIS(bases[port]);
        GPIO_ICR(bases[port]) = pending;
        for (unsigned bit = 0; pending != 0; ++bit, pending >>= 1) {
            const interrupt_t* interrupt = &interrupts[port * 8 + bit];
            if ((pending & 1u) != 0 && interrupt->handler != NULL) {
                interrupt->handler(interrupt->arg);
            }
        }
    }
}

wiced_result_t wiced_led_set_state(wiced_led_index_t led, wiced_led_state_t state) {
    switch (led) {
        case WICED_LED_INDEX_1:
            return put(WICED_LED1, state == WICED_LED_ON);
        case WICED_LED_INDEX_2:
            return put(WICED_LED2, state == WICED_LED_ON);
        case WICED_LED_INDEX_3:
        case WICED_LED_INDEX_4:
            break;
    }
    return WICED_BADARG;
}
