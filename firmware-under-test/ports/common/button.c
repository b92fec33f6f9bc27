/* The buttons library, on the pins. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiced_platform.h"

static const wiced_gpio_t pins[PLATFORM_BUTTON_MAX] = {WICED_BUTTON1, WICED_BUTTON2};
static _Atomic(platform_button_state_change_callback_t) changed;

static bool is_button(platform_button_t button) {
    return (unsigned)button < PLATFORM_BUTTON_MAX;
}

static void on_edge(void* arg) {
    platform_button_t button = (platform_button_t)(uintptr_t)arg;
    platform_button_state_change_callback_t callback = atomic_load(&changed);
    if (callback != NULL) {
        callback(button, platform_button_get_value(button));
    }
}

wiced_result_t platform_button_init(platform_button_t button) {
    return is_button(button) ? wiced_gpio_init(pins[button], INPUT_PULL_UP) : WICED_BADARG;
}

wiced_result_t platform_button_deinit(platform_button_t button) {
    return is_button(button) ? wiced_gpio_deinit(pins[button]) : WICED_BADARG;
}

wiced_result_t platform_button_enable(platform_button_t button) {
    if (!is_button(button)) {
        return WICED_BADARG;
    }
    return wiced_gpio_input_irq_enable(pins[button], IRQ_TRIGGER_BOTH_EDGES, on_edge,
                                       (void*)(uintptr_t)button);
}

wiced_result_t platform_button_disable(platform_button_t button) {
    return is_button(button) ? wiced_gpio_input_irq_disable(pins[button]) : WICED_BADARG;
}

wiced_bool_t platform_button_get_value(platform_button_t button) {
    bool is_pressed = is_button(button) && wiced_gpio_input_get(pins[button]) == WICED_FALSE;
    return is_pressed ? WICED_TRUE : WICED_FALSE;
}

wiced_result_t platform_button_register_state_change_callback(
    platform_button_state_change_callback_t callback) {
    atomic_store(&changed, callback);
    return WICED_SUCCESS;
}
