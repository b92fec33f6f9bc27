/* The board's pins: buttons inputs with pull-up, LEDs outputs and off, the rest inputs. */
#pragma once

void gpio_boot(void);

/* Both LEDs off, whatever the application had them do. */
void gpio_leds_off(void);
