/*
 * Blinks LED 0: on for ON_MS, off for OFF_MS, from the first press of button 0 on; the next press
 * puts it out for good until the one after. For trying what a rig says about an LED.
 */
#include "wiced.h"

/* Options of the build. */
#ifndef ON_MS
#define ON_MS 50
#endif
#ifndef OFF_MS
#define OFF_MS 150
#endif

static wiced_semaphore_t presses;

static void button_pressed(void* arg) {
    wiced_rtos_set_semaphore(arg);
}

/* A pause that the next press ends; whether one did. */
static wiced_bool_t pressed_within(uint32_t pause_ms) {
    return wiced_rtos_get_semaphore(&presses, pause_ms) == WICED_SUCCESS ? WICED_TRUE : WICED_FALSE;
}

static void blink(void) {
    do {
        wiced_gpio_output_high(WICED_LED1);
        if (pressed_within(ON_MS)) {
            break;
        }
        wiced_gpio_output_low(WICED_LED1);
    } while (!pressed_within(OFF_MS));
    wiced_gpio_output_low(WICED_LED1);
}

void application_start(void) {
    wiced_core_init();
    wiced_rtos_init_semaphore(&presses);
    wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, button_pressed, &presses);
    WPRINT_APP_INFO(("ready\n"));
    for (;;) {
        if (pressed_within(WICED_WAIT_FOREVER)) {
            blink();
        }
    }
}
