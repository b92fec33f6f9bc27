/*
 * The board's pins. Inputs follow what the wire drives or else their pull; changes of outputs go
 * out over the wire or to a GPIO chip. Interrupt handlers run in whatever thread calls gpio_drive:
 * the wire's reader, or the one that waits for the chip's edges.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "platform.h"
#include "wiced_platform.h"

typedef enum {
    GPIO_DRIVE_LOW = 0,
    GPIO_DRIVE_HIGH = 1,
    GPIO_DRIVE_RELEASED = 2,
} gpio_drive_t;

/* Buttons inputs with pull-up, LEDs outputs and off, everything else an input without pull. */
void gpio_boot(void);

/* The outside drives a pin or lets go of it. Runs the interrupt handler when its edge is there. */
void gpio_drive(uint8_t pin, gpio_drive_t drive);

/* Lets go of every pin without running any handler: the board is about to stop. */
void gpio_release_all(void);

/* How a pin is configured, and in level what its own output driver holds. */
wiced_gpio_config_t gpio_configuration(uint8_t pin, uint8_t* level);

/* Calls visit for every output pin, with its level. */
void gpio_visit_outputs(void (*visit)(uint8_t pin, uint8_t level));
