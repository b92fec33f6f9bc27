/*
 * What the board finds around it: everything that reaches the port through the environment.
 * Read once at boot by main, then handed on; nothing else in the port reads the environment.
 * The texts belong to whoever filled the structure and must outlive the board.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiced_wifi.h"

#define WORLD_ROUTES_MAX 32
#define WORLD_NAME_SIZE 128
#define WORLD_PINS_MAX 32

typedef struct {
    char name[WORLD_NAME_SIZE]; /* a host's name, or a dotted quad */
    uint32_t address;           /* host byte order */
} world_route_t;

typedef struct {
    int wire_fd;                      /* -1: no wires */
    const char* board_log;            /* NULL: none */
    const char* gpio_chip;            /* path or label; NULL: none */
    int gpio_offsets[WORLD_PINS_MAX]; /* each pin's line of that chip; -1: none */
    wiced_mac_t mac;
    world_route_t routes[WORLD_ROUTES_MAX];
    size_t route_count;
    uint32_t bind_address;   /* host byte order; 0: not set */
    const char* second_uart; /* device of WICED_UART_2; NULL: nothing is wired to it */
    const char* dct_certificate;
    const char* dct_private_key;
    uint32_t boot_delay_ms;
    const char* name_trouble; /* file; see dns.c. NULL: names are answered as they should be */
} world_t;

/* A board on its own: no wires, the default MAC, no routes. */
world_t world_empty(void);

/*
 * Reads the WWEP_ variables. On false, error (of error_size bytes) names the variable, what it held
 * and what was expected.
 */
bool world_from_environment(world_t* world, char* error, size_t error_size);

/* Adds the comma-separated routes of text; false and an error for what is not NAME=IPV4. */
bool world_add_routes(world_t* world, const char* text, char* error, size_t error_size);

/* Takes PIN:OFFSET,... for which line of the GPIO chip each pin is; false and an error if not so.
 */
bool world_set_pins(world_t* world, const char* text, char* error, size_t error_size);

/* The route for a name or dotted quad, or NULL. Letters' case does not matter. */
const world_route_t* world_find_route(const world_t* world, const char* name);
