/*
 * Toggles LED 0 as fast as it can for one second after each press of button 0, and prints how many
 * edges that made. The LED is low again at the end. For trying how a rig copes with a flood.
 */
#include "wiced.h"

#define FLOOD_MS 1000
/* Reading the clock takes about as long as an edge, so it is read once in so many. */
#define EDGES_BETWEEN_LOOKS 64

static wiced_semaphore_t presses;

static void button_pressed(void* arg) {
    wiced_rtos_set_semaphore(arg);
}

static uint32_t flood(void) {
    wiced_time_t began_ms = 0;
    wiced_time_t now_ms = 0;
    uint32_t edges = 0;
    wiced_time_get_time(&began_ms);
    do {
        for (unsigned i = 0; i < EDGES_BETWEEN_LOOKS; i += 2) {
            wiced_gpio_output_high(WICED_LED1);
            wiced_gpio_output_low(WICED_LED1);
        }
        edges += EDGES_BETWEEN_LOOKS;
        wiced_time_get_time(&now_ms);
    } while (now_ms - began_ms < FLOOD_MS);
    return edges;
}

void application_start(void) {
    wiced_core_init();
    wiced_rtos_init_semaphore(&presses);
    wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, button_pressed, &presses);
    WPRINT_APP_INFO(("ready\n"));
    for (;;) {
        wiced_rtos_get_semaphore(&presses, WICED_WAIT_FOREVER);
        WPRINT_APP_INFO(("flood: made %lu edges\n", (unsigned long)flood()));
    }
}
