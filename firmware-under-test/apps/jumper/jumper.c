/*
 * Each LED pin follows its button's pin, level for level, as if a wire joined the two. With it in
 * the board's place a rig measures what it adds to every latency itself.
 */
#include "wiced.h"

typedef struct {
    wiced_gpio_t from;
    wiced_gpio_t to;
} wire_t;

static wire_t wires[] = {{WICED_BUTTON1, WICED_LED1}, {WICED_BUTTON2, WICED_LED2}};

/* In interrupt context: a wire waits for no thread. */
static void carry(void* arg) {
    const wire_t* wire = arg;
    if (wiced_gpio_input_get(wire->from)) {
        wiced_gpio_output_high(wire->to);
    } else {
        wiced_gpio_output_low(wire->to);
    }
}

void application_start(void) {
    wiced_core_init();
    for (size_t i = 0; i < ARRAY_SIZE(wires); ++i) {
        wiced_gpio_input_irq_enable(wires[i].from, IRQ_TRIGGER_BOTH_EDGES, carry, &wires[i]);
        carry(&wires[i]);
    }
    WPRINT_APP_INFO(("ready\n"));
}
