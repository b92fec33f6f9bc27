#include "gpio.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "chip.h"
#include "kernel_poll.h"
#include "wiced_platform.h"
#include "wire.h"

typedef struct {
    wiced_gpio_config_t configuration;
    gpio_drive_t drive;
    uint8_t latch;    /* what the board's own output driver holds */
    uint8_t floating; /* what a pin without pull was last at */
    wiced_gpio_irq_trigger_t trigger;
    wiced_gpio_irq_handler_t handler; /* NULL: interrupt off */
    void* handler_arg;
} pin_t;

_Static_assert(WICED_GPIO_MAX == WIRE_PINS_MAX, "every pin can travel on the wire");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pin_t pins[WICED_GPIO_MAX];

static bool is_pin(wiced_gpio_t gpio) {
    return (unsigned)gpio < (unsigned)WICED_GPIO_MAX;
}

static bool is_output(const pin_t* pin) {
    return pin->configuration == OUTPUT_PUSH_PULL ||
           pin->configuration == OUTPUT_OPEN_DRAIN_NO_PULL ||
           pin->configuration == OUTPUT_OPEN_DRAIN_PULL_UP;
}

static uint8_t undriven_level(const pin_t* pin) {
    if (pin->drive != GPIO_DRIVE_RELEASED) {
        return pin->drive == GPIO_DRIVE_HIGH;
    }
    switch (pin->configuration) {
        case INPUT_PULL_UP:
        case OUTPUT_OPEN_DRAIN_PULL_UP:
            return 1;
        case INPUT_PULL_DOWN:
            return 0;
        case INPUT_HIGH_IMPEDANCE:
        case OUTPUT_OPEN_DRAIN_NO_PULL:
        case OUTPUT_PUSH_PULL:
            break;
    }
    return pin->floating;
}

static uint8_t level_of(const pin_t* pin) {
    if (pin->configuration == OUTPUT_PUSH_PULL) {
        return pin->latch;
    }
    return is_output(pin) && pin->latch == 0 ? 0 : undriven_level(pin);
}

static void configure(pin_t* pin, wiced_gpio_config_t configuration) {
    pin->floating = level_of(pin);
    pin->configuration = configuration;
}

void gpio_boot(void) {
    pthread_mutex_lock(&lock);
    memset(pins, 0, sizeof(pins));
    for (size_t i = 0; i < WICED_GPIO_MAX; ++i) {
        pins[i].configuration = INPUT_HIGH_IMPEDANCE;
        pins[i].drive = GPIO_DRIVE_RELEASED;
    }
    pins[WICED_BUTTON1].configuration = INPUT_PULL_UP;
    pins[WICED_BUTTON2].configuration = INPUT_PULL_UP;
    pins[WICED_LED1].configuration = OUTPUT_PUSH_PULL;
    pins[WICED_LED2].configuration = OUTPUT_PUSH_PULL;
    pthread_mutex_unlock(&lock);
}

void gpio_visit_outputs(void (*visit)(uint8_t pin, uint8_t level)) {
    pthread_mutex_lock(&lock);
    for (uint8_t i = 0; i < WICED_GPIO_MAX; ++i) {
        if (is_output(&pins[i])) {
            visit(i, pins[i].latch);
        }
    }
    pthread_mutex_unlock(&lock);
}

wiced_gpio_config_t gpio_configuration(uint8_t pin, uint8_t* level) {
    pthread_mutex_lock(&lock);
    wiced_gpio_config_t configuration = pins[pin].configuration;
    *level = pins[pin].latch;
    pthread_mutex_unlock(&lock);
    return configuration;
}

void gpio_drive(uint8_t number, gpio_drive_t drive) {
    wiced_gpio_irq_handler_t handler = NULL;
    void* handler_arg = NULL;
    pthread_mutex_lock(&lock);
    pin_t* pin = &pins[number];
    uint8_t before = level_of(pin);
    if (pin->drive != GPIO_DRIVE_RELEASED) {
        pin->floating = undriven_level(pin);
    }
    pin->drive = drive;
    uint8_t after = level_of(pin);
    if (before != after) {
        wire_log_level(number, after);
        wiced_gpio_irq_trigger_t edge = after ? IRQ_TRIGGER_RISING_EDGE : IRQ_TRIGGER_FALLING_EDGE;
        if (pin->handler != NULL && ((unsigned)pin->trigger & (unsigned)edge) != 0) {
            handler = pin->handler;
            handler_arg = pin->handler_arg;
        }
    }
    pthread_mutex_unlock(&lock);
    if (handler != NULL) {
        kernel_enter_interrupt();
        handler(handler_arg);
        kernel_leave_interrupt();
    }
}

void gpio_release_all(void) {
    pthread_mutex_lock(&lock);
    for (uint8_t i = 0; i < WICED_GPIO_MAX; ++i) {
        uint8_t before = level_of(&pins[i]);
        if (pins[i].drive != GPIO_DRIVE_RELEASED) {
            pins[i].floating = undriven_level(&pins[i]);
        }
        pins[i].drive = GPIO_DRIVE_RELEASED;
        if (before != level_of(&pins[i])) {
            wire_log_level(i, level_of(&pins[i]));
        }
    }
    pthread_mutex_unlock(&lock);
}

wiced_result_t wiced_gpio_init(wiced_gpio_t gpio, wiced_gpio_config_t configuration) {
    if (!is_pin(gpio) || (unsigned)configuration > OUTPUT_OPEN_DRAIN_PULL_UP) {
        return WICED_BADARG;
    }
    pthread_mutex_lock(&lock);
    configure(&pins[gpio], configuration);
    uint8_t latch = pins[gpio].latch;
    pthread_mutex_unlock(&lock);
    chip_configure((uint8_t)gpio, configuration, latch);
    return WICED_SUCCESS;
}

wiced_result_t wiced_gpio_deinit(wiced_gpio_t gpio) {
    if (!is_pin(gpio)) {
        return WICED_BADARG;
    }
    pthread_mutex_lock(&lock);
    configure(&pins[gpio], INPUT_HIGH_IMPEDANCE);
    pins[gpio].handler = NULL;
    pthread_mutex_unlock(&lock);
    chip_configure((uint8_t)gpio, INPUT_HIGH_IMPEDANCE, 0);
    return WICED_SUCCESS;
}

static wiced_result_t set_output(wiced_gpio_t gpio, uint8_t level) {
    if (!is_pin(gpio)) {
        return WICED_BADARG;
    }
    pthread_mutex_lock(&lock);
    pin_t* pin = &pins[gpio];
    if (pin->latch != level) {
        pin->latch = level;
        uint64_t at_ns = kernel_now_ns();
        if (is_output(pin)) {
            wire_send_edge((uint8_t)gpio, level, at_ns);
            chip_set((uint8_t)gpio, level);
        }
    }
    pthread_mutex_unlock(&lock);
    return WICED_SUCCESS;
}

wiced_result_t wiced_gpio_output_high(wiced_gpio_t gpio) {
    return set_output(gpio, 1);
}

wiced_result_t wiced_gpio_output_low(wiced_gpio_t gpio) {
    return set_output(gpio, 0);
}

wiced_bool_t wiced_gpio_input_get(wiced_gpio_t gpio) {
    if (!is_pin(gpio)) {
        return WICED_FALSE;
    }
    pthread_mutex_lock(&lock);
    uint8_t level = level_of(&pins[gpio]);
    pthread_mutex_unlock(&lock);
    return level ? WICED_TRUE : WICED_FALSE;
}

wiced_result_t wiced_gpio_input_irq_enable(wiced_gpio_t gpio, wiced_gpio_irq_trigger_t trigger,
                                           wiced_gpio_irq_handler_t handler, void* arg) {
    if (!is_pin(gpio) || handler == NULL || trigger < IRQ_TRIGGER_RISING_EDGE ||
        trigger > IRQ_TRIGGER_BOTH_EDGES) {
        return WICED_BADARG;
    }
    wiced_result_t result = WICED_PLATFORM_NO_EFFECT;
    pthread_mutex_lock(&lock);
    if (pins[gpio].handler == NULL) {
        pins[gpio].trigger = trigger;
        pins[gpio].handler = handler;
        pins[gpio].handler_arg = arg;
        result = WICED_SUCCESS;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

wiced_result_t wiced_gpio_input_irq_disable(wiced_gpio_t gpio) {
    if (!is_pin(gpio)) {
        return WICED_BADARG;
    }
    pthread_mutex_lock(&lock);
    bool was_enabled = pins[gpio].handler != NULL;
    pins[gpio].handler = NULL;
    pthread_mutex_unlock(&lock);
    return was_enabled ? WICED_SUCCESS : WICED_PLATFORM_NO_EFFECT;
}

wiced_result_t wiced_led_set_state(wiced_led_index_t led, wiced_led_state_t state) {
    static const wiced_gpio_t led_pins[] = {WICED_LED1, WICED_LED2};
    if ((size_t)led >= sizeof(led_pins) / sizeof(led_pins[0])) {
        return WICED_BADARG;
    }
    return set_output(led_pins[led], state == WICED_LED_ON ? 1 : 0);
}
