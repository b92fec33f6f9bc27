#include "chip.h"

#include <errno.h>
#include <glob.h>
#include <gpiod.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "gpio.h"
#include "kernel.h"

/* Edges read at once, and those that the kernel holds for each line in the meantime. */
#define READ_EDGES_MAX 16
#define KERNEL_EDGES_MAX 256

typedef struct {
    struct gpiod_line_request* request; /* NULL: the pin is no line of the chip */
    unsigned offset;
    wiced_gpio_config_t configuration;
} line_t;

/* Set once by chip_boot; a request is then only reconfigured, never replaced, so that the thread
 * that waits for edges may use it meanwhile: each of its uses is one system call. */
static line_t lines[WICED_GPIO_MAX];
static void (*chip_lost)(void);

static bool has_label(const char* path, const char* label) {
    struct gpiod_chip* chip = gpiod_is_gpiochip_device(path) ? gpiod_chip_open(path) : NULL;
    struct gpiod_chip_info* info = chip != NULL ? gpiod_chip_get_info(chip) : NULL;
    bool result = info != NULL && strcmp(gpiod_chip_info_get_label(info), label) == 0;
    gpiod_chip_info_free(info);
    if (chip != NULL) {
        gpiod_chip_close(chip);
    }
    return result;
}

static struct gpiod_chip* open_chip(const char* name) {
    if (strchr(name, '/') != NULL) {
        return gpiod_chip_open(name);
    }
    struct gpiod_chip* chip = NULL;
    glob_t found;
    if (glob("/dev/gpiochip*", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && chip == NULL; ++i) {
            if (has_label(found.gl_pathv[i], name)) {
                chip = gpiod_chip_open(found.gl_pathv[i]);
            }
        }
        globfree(&found);
    }
    if (chip == NULL) {
        errno = ENODEV;
    }
    return chip;
}

static bool is_output(wiced_gpio_config_t configuration) {
    return configuration == OUTPUT_PUSH_PULL || configuration == OUTPUT_OPEN_DRAIN_NO_PULL ||
           configuration == OUTPUT_OPEN_DRAIN_PULL_UP;
}

static enum gpiod_line_bias bias_of(wiced_gpio_config_t configuration) {
    switch (configuration) {
        case INPUT_PULL_UP:
        case OUTPUT_OPEN_DRAIN_PULL_UP:
            return GPIOD_LINE_BIAS_PULL_UP;
        case INPUT_PULL_DOWN:
            return GPIOD_LINE_BIAS_PULL_DOWN;
        case INPUT_HIGH_IMPEDANCE:
        case OUTPUT_OPEN_DRAIN_NO_PULL:
        case OUTPUT_PUSH_PULL:
            break;
    }
    return GPIOD_LINE_BIAS_AS_IS;
}

/* The settings of one line, or NULL when memory is short. */
static struct gpiod_line_config* make_config(unsigned offset, wiced_gpio_config_t configuration,
                                             uint8_t level) {
    struct gpiod_line_settings* settings = gpiod_line_settings_new();
    struct gpiod_line_config* config = gpiod_line_config_new();
    bool is_made = settings != NULL && config != NULL;
    if (is_made) {
        if (is_output(configuration)) {
            gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT);
            gpiod_line_settings_set_output_value(
                settings, level ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
            gpiod_line_settings_set_drive(settings, configuration == OUTPUT_PUSH_PULL
                                                        ? GPIOD_LINE_DRIVE_PUSH_PULL
                                                        : GPIOD_LINE_DRIVE_OPEN_DRAIN);
        } else {
            gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT);
            gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH);
        }
        gpiod_line_settings_set_bias(settings, bias_of(configuration));
        is_made = gpiod_line_config_add_line_settings(config, &offset, 1, settings) == 0;
    }
    gpiod_line_settings_free(settings);
    if (!is_made) {
        gpiod_line_config_free(config);
        return NULL;
    }
    return config;
}

static void take_level(uint8_t pin) {
    enum gpiod_line_value value =
        gpiod_line_request_get_value(lines[pin].request, lines[pin].offset);
    if (value != GPIOD_LINE_VALUE_ERROR) {
        gpio_drive(pin, value == GPIOD_LINE_VALUE_ACTIVE ? GPIO_DRIVE_HIGH : GPIO_DRIVE_LOW);
    }
}

static bool request_line(struct gpiod_chip* chip, uint8_t pin, unsigned offset) {
    line_t* line = &lines[pin];
    uint8_t level = 0;
    line->offset = offset;
    line->configuration = gpio_configuration(pin, &level);
    struct gpiod_line_config* config = make_config(offset, line->configuration, level);
    struct gpiod_request_config* request = gpiod_request_config_new();
    if (config != NULL && request != NULL) {
        gpiod_request_config_set_consumer(request, "wwep-board");
        gpiod_request_config_set_event_buffer_size(request, KERNEL_EDGES_MAX);
        line->request = gpiod_chip_request_lines(chip, request, config);
    }
    int error = errno;
    gpiod_request_config_free(request);
    gpiod_line_config_free(config);
    if (line->request == NULL) {
        fprintf(stderr, "WWEP_GPIO_CHIP: request line %u of %s for pin %u: %s\n", offset,
                gpiod_chip_get_path(chip), pin, strerror(error));
        return false;
    }
    if (!is_output(line->configuration)) {
        take_level(pin);
    }
    return true;
}

static bool read_edges(uint8_t pin, struct gpiod_edge_event_buffer* buffer) {
    int count = gpiod_line_request_read_edge_events(lines[pin].request, buffer, READ_EDGES_MAX);
    for (int i = 0; i < count; ++i) {
        struct gpiod_edge_event* event =
            gpiod_edge_event_buffer_get_event(buffer, (unsigned long)i);
        bool is_rising = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE;
        gpio_drive(pin, is_rising ? GPIO_DRIVE_HIGH : GPIO_DRIVE_LOW);
    }
    return count >= 0;
}

static void* wait_for_edges(void* arg) {
    struct gpiod_edge_event_buffer* buffer = arg;
    struct pollfd waits[WICED_GPIO_MAX];
    uint8_t pins[WICED_GPIO_MAX];
    nfds_t count = 0;
    for (uint8_t pin = 0; pin < WICED_GPIO_MAX; ++pin) {
        if (lines[pin].request != NULL) {
            waits[count].fd = gpiod_line_request_get_fd(lines[pin].request);
            waits[count].events = POLLIN;
            pins[count++] = pin;
        }
    }
    for (;;) {
        if (poll(waits, count, -1) < 0 && errno != EINTR) {
            break;
        }
        for (nfds_t i = 0; i < count; ++i) {
            if ((waits[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ||
                ((waits[i].revents & POLLIN) != 0 && !read_edges(pins[i], buffer))) {
                fprintf(stderr, "pin %u: its GPIO chip has gone\n", pins[i]);
                gpio_release_all();
                chip_lost();
                return NULL;
            }
        }
    }
    return NULL;
}

bool chip_boot(const world_t* world, void (*lost)(void)) {
    struct gpiod_chip* chip = open_chip(world->gpio_chip);
    if (chip == NULL) {
        fprintf(stderr, "WWEP_GPIO_CHIP: open chip \"%s\": %s\n", world->gpio_chip,
                strerror(errno));
        return false;
    }
    bool is_ready = true;
    for (uint8_t pin = 0; pin < WICED_GPIO_MAX && is_ready; ++pin) {
        if (world->gpio_offsets[pin] >= 0) {
            is_ready = request_line(chip, pin, (unsigned)world->gpio_offsets[pin]);
        }
    }
    gpiod_chip_close(chip);
    chip_lost = lost;
    struct gpiod_edge_event_buffer* buffer =
        is_ready ? gpiod_edge_event_buffer_new(READ_EDGES_MAX) : NULL;
    pthread_t waiter;
    if (buffer == NULL || pthread_create(&waiter, NULL, wait_for_edges, buffer) != 0) {
        return false;
    }
    pthread_detach(waiter);
    return true;
}

void chip_configure(uint8_t pin, wiced_gpio_config_t configuration, uint8_t level) {
    line_t* line = &lines[pin];
    if (line->request == NULL || line->configuration == configuration) {
        return;
    }
    struct gpiod_line_config* config = make_config(line->offset, configuration, level);
    if (config == NULL || gpiod_line_request_reconfigure_lines(line->request, config) != 0) {
        fprintf(stderr, "pin %u: reconfigure line %u: %s\n", pin, line->offset, strerror(errno));
    } else {
        line->configuration = configuration;
        if (!is_output(configuration)) {
            take_level(pin);
        }
    }
    gpiod_line_config_free(config);
}

void chip_set(uint8_t pin, uint8_t level) {
    line_t* line = &lines[pin];
    if (line->request != NULL &&
        gpiod_line_request_set_value(line->request, line->offset,
                                     level ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE) !=
            0) {
        fprintf(stderr, "pin %u: set line %u: %s\n", pin, line->offset, strerror(errno));
    }
}
