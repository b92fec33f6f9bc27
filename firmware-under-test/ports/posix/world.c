#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wiced_tcpip.h"

/* Buttons and LEDs, on the lines with the numbers of their pins. */
#define LINES_BY_DEFAULT 4
#define GPIO_OFFSET_MAX 1023

static const char* variable(const char* name) {
    const char* text = getenv(name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static bool parse_number(const char* text, unsigned long max, unsigned long* number) {
    char* end = NULL;
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    *number = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *number <= max;
}

static bool parse_mac(const char* text, wiced_mac_t* mac) {
    unsigned octets[6];
    int used = 0;
    if (strlen(text) != 17 ||
        sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &octets[0], &octets[1], &octets[2], &octets[3],
               &octets[4], &octets[5], &used) != 6 ||
        used != 17) {
        return false;
    }
    for (size_t i = 0; i < 6; ++i) {
        mac->octet[i] = (uint8_t)octets[i];
    }
    return true;
}

world_t world_empty(void) {
    world_t world;
    memset(&world, 0, sizeof(world));
    world.wire_fd = -1;
    for (int pin = 0; pin < WORLD_PINS_MAX; ++pin) {
        world.gpio_offsets[pin] = pin < LINES_BY_DEFAULT ? pin : -1;
    }
    world.mac = (wiced_mac_t){{0x02, 0, 0, 0, 0, 0x01}};
    return world;
}

bool world_add_routes(world_t* world, const char* text, char* error, size_t error_size) {
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        const char* equals = memchr(text, '=', length);
        char quad[16] = "";
        wiced_ip_address_t address;
        size_t name_length = equals != NULL ? (size_t)(equals - text) : 0;
        size_t quad_length = equals != NULL ? length - name_length - 1 : 0;
        if (quad_length < sizeof(quad)) {
            memcpy(quad, equals != NULL ? equals + 1 : "", quad_length);
        }
        if (name_length == 0 || name_length >= WORLD_NAME_SIZE || str_to_ip(quad, &address) != 0) {
            snprintf(error, error_size, "WWEP_ROUTES: \"%.*s\" is not NAME=IPV4", (int)length,
                     text);
            return false;
        }
        if (world->route_count == WORLD_ROUTES_MAX) {
            snprintf(error, error_size, "WWEP_ROUTES: more than %d routes", WORLD_ROUTES_MAX);
            return false;
        }
        world_route_t* route = &world->routes[world->route_count++];
        memcpy(route->name, text, name_length);
        route->name[name_length] = '\0';
        route->address = GET_IPV4_ADDRESS(address);
        text += length;
        text += *text == ',';
    }
    return true;
}

const world_route_t* world_find_route(const world_t* world, const char* name) {
    for (size_t i = 0; i < world->route_count; ++i) {
        if (strcasecmp(world->routes[i].name, name) == 0) {
            return &world->routes[i];
        }
    }
    return NULL;
}

bool world_set_pins(world_t* world, const char* text, char* error, size_t error_size) {
    for (int pin = 0; pin < WORLD_PINS_MAX; ++pin) {
        world->gpio_offsets[pin] = -1;
    }
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        unsigned pin = 0;
        unsigned offset = 0;
        int used = 0;
        if (text[0] < '0' || text[0] > '9' ||
            sscanf(text, "%2u:%4u%n", &pin, &offset, &used) != 2 || (size_t)used != length ||
            pin >= WORLD_PINS_MAX || offset > GPIO_OFFSET_MAX) {
            snprintf(error, error_size,
                     "WWEP_GPIO_PINS: \"%.*s\" is not PIN:OFFSET, 0 to %d:0 to %d", (int)length,
                     text, WORLD_PINS_MAX - 1, GPIO_OFFSET_MAX);
            return false;
        }
        world->gpio_offsets[pin] = (int)offset;
        text += length;
        text += *text == ',';
    }
    return true;
}

bool world_from_environment(world_t* world, char* error, size_t error_size) {
    *world = world_empty();
    unsigned long number = 0;

    const char* text = variable("WWEP_WIRE_FD");
    if (text != NULL) {
        if (!parse_number(text, 1u << 20, &number)) {
            snprintf(error, error_size, "WWEP_WIRE_FD: \"%s\" is not a descriptor", text);
            return false;
        }
        world->wire_fd = (int)number;
    }
    text = variable("WWEP_MAC");
    if (text != NULL && !parse_mac(text, &world->mac)) {
        snprintf(error, error_size, "WWEP_MAC: \"%s\" is not like 02:00:00:00:00:01", text);
        return false;
    }
    text = variable("WWEP_ROUTES");
    if (text != NULL && !world_add_routes(world, text, error, error_size)) {
        return false;
    }
    text = variable("WWEP_BIND_ADDRESS");
    if (text != NULL) {
        wiced_ip_address_t address;
        if (str_to_ip(text, &address) != 0) {
            snprintf(error, error_size, "WWEP_BIND_ADDRESS: \"%s\" is not an IPv4 address", text);
            return false;
        }
        world->bind_address = GET_IPV4_ADDRESS(address);
    }
    text = variable("WWEP_BOOT_DELAY_MS");
    if (text != NULL) {
        if (!parse_number(text, 600000, &number)) {
            snprintf(error, error_size, "WWEP_BOOT_DELAY_MS: \"%s\" is not 0 to 600000", text);
            return false;
        }
        world->boot_delay_ms = (uint32_t)number;
    }
    world->gpio_chip = variable("WWEP_GPIO_CHIP");
    if (world->gpio_chip != NULL && world->wire_fd >= 0) {
        snprintf(error, error_size, "WWEP_GPIO_CHIP: \"%s\", but WWEP_WIRE_FD is set too",
                 world->gpio_chip);
        return false;
    }
    text = variable("WWEP_GPIO_PINS");
    if (text != NULL && !world_set_pins(world, text, error, error_size)) {
        return false;
    }
    world->board_log = variable("WWEP_BOARD_LOG");
    world->second_uart = variable("WWEP_UART_2");
    world->name_trouble = variable("WWEP_NAME_TROUBLE");
    world->dct_certificate = variable("WWEP_DCT_CERTIFICATE");
    world->dct_private_key = variable("WWEP_DCT_PRIVATE_KEY");
    return true;
}
