/*
 * The board's pins as lines of one of the kernel's GPIO chips, over libgpiod: a board that is wired
 * to something. Without a chip every call here does nothing. Owns the chip's lines from chip_boot
 * to the end of the process, which lets go of them. One thread waits for edges and drives the pins.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "platform.h"
#include "wiced_platform.h"
#include "world.h"

/*
 * Requests the lines that world names, as the pins are configured now, and starts the thread that
 * waits for edges. lost runs once in that thread when the chip has gone. False: said on standard
 * error.
 */
bool chip_boot(const world_t* world, void (*lost)(void));

/* A pin has a configuration now; for an output, level is what it drives. Not under the pins' lock:
 * an input's level comes back through gpio_drive. */
void chip_configure(uint8_t pin, wiced_gpio_config_t configuration, uint8_t level);

/* An output pin has another level. */
void chip_set(uint8_t pin, uint8_t level);
