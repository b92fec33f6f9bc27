/*
 * The wires between two chips of the kernel's gpio-sim: what is driven on a line of one becomes the
 * pull of the line with the same number on the other. Runs until it is killed; ends by itself, with
 * a reason, rather than carry something wrong.
 *
 *     wire RIG BOARD BUTTONS LEDS CONTROLS
 *
 * RIG and BOARD are the folders that hold sim_gpioN/. The first BUTTONS lines go from the rig to
 * the board, the LEDS lines after them from the board to the rig, and the CONTROLS lines after
 * those, for reset and power, from the rig to the board again.
 *
 * The kernel's trace of GPIO calls tells every level that a line was set to, in order, so none is
 * missed however short it was. The simulator runs two edges together when the second comes before
 * the listener's interrupt thread has looked at the first. That look is in the trace as well: the
 * next level waits for it, a millisecond as a rule. What the trace does not show, a line that was
 * given back because its holder died, the chip itself reports.
 */
#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 32
#define PATH_SIZE 256
#define LEVELS_MAX 1024
/* When nobody looks by then, nobody listens for edges, or only after a debounce. */
#define LOOK_NS_MAX (10u * 1000u * 1000u)
#define TRACE "/sys/kernel/tracing/instances/wwep-wire"

typedef struct {
    const char* folder;
    struct gpiod_chip* chip;
    unsigned first; /* the kernel's number of its first line */
} chip_t;

/* A level is '0' or '1', as the simulator's files have it. */
typedef struct {
    unsigned from, to; /* the kernel's numbers */
    int from_value;
    int to_pull;
    char idle;    /* what the line is at when nobody drives it */
    char carried; /* what the other side was last told */
    char newest;  /* what it will be told last */
    char waiting[LEVELS_MAX];
    unsigned waiting_begin, waiting_count;
    bool is_unseen; /* carried was not looked at yet */
    uint64_t carried_ns;
} wire_t;

static wire_t wires[LINES_MAX];
static unsigned wire_count;

static void give_up(const char* verb, const char* object) {
    fprintf(stderr, "wire: %s %s: %s\n", verb, object, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int open_path(const char* path, int flags) {
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        give_up("open", path);
    }
    return fd;
}

static void put_text(int fd, const char* text) {
    if (pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) {
        give_up("write", text);
    }
}

static void put_file(const char* path, const char* text) {
    int fd = open_path(path, O_WRONLY);
    put_text(fd, text);
    close(fd);
}

static int open_line(const chip_t* chip, unsigned line, const char* file, int flags) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/sim_gpio%u/%s", chip->folder, line, file);
    return open_path(path, flags);
}

static void pull(int fd, char level) {
    put_text(fd, level == '1' ? "pull-up" : "pull-down");
}

static void push(wire_t* wire, char level) {
    if (level == wire->newest) {
        return;
    }
    if (wire->waiting_count == LEVELS_MAX) {
        errno = ENOBUFS;
        give_up("keep", "levels that come faster than anybody looks at them");
    }
    wire->waiting[(wire->waiting_begin + wire->waiting_count++) % LEVELS_MAX] = level;
    wire->newest = level;
}

/* Tells the other side the next level, unless it has not looked at the last one yet. */
static void carry(wire_t* wire, uint64_t at_ns) {
    if (wire->is_unseen && at_ns - wire->carried_ns >= LOOK_NS_MAX) {
        wire->is_unseen = false;
    }
    if (wire->is_unseen || wire->waiting_count == 0) {
        return;
    }
    wire->carried = wire->waiting[wire->waiting_begin];
    wire->waiting_begin = (wire->waiting_begin + 1) % LEVELS_MAX;
    --wire->waiting_count;
    wire->is_unseen = true;
    wire->carried_ns = at_ns;
    pull(wire->to_pull, wire->carried);
}

/* "  irq/25-wwep-boar-153 [000] D..1.  12.345678: gpio_value: 514 get 1", or "gpio_direction: 514
 *  in (0)", or "CPU:0 [LOST 12 EVENTS]" where the trace overran its buffer. */
static void take_record(const char* record) {
    unsigned number = 0;
    int level = 0;
    char verb[4] = "";
    if (strstr(record, " EVENTS]") != NULL) {
        errno = ENOBUFS;
        give_up("read the trace:", record);
    }
    const char* value = strstr(record, "gpio_value: ");
    const char* direction = strstr(record, "gpio_direction: ");
    bool is_value =
        value != NULL && sscanf(value, "gpio_value: %u %3s %d", &number, verb, &level) == 3;
    bool is_input = direction != NULL &&
                    sscanf(direction, "gpio_direction: %u %3s", &number, verb) == 2 &&
                    strcmp(verb, "in") == 0;
    for (wire_t* wire = wires; wire < wires + wire_count; ++wire) {
        if (is_value && strcmp(verb, "set") == 0 && number == wire->from) {
            push(wire, level ? '1' : '0');
        } else if (is_value && strcmp(verb, "get") == 0 && number == wire->to) {
            wire->is_unseen = false;
        } else if (is_input && number == wire->from) {
            push(wire, wire->idle);
        } else if (is_input && number == wire->to) {
            /* Whoever requests a line with a bias changes its pull. */
            pull(wire->to_pull, wire->carried);
        }
    }
}

/* Takes all records that there are. */
static void take_trace(int trace) {
    static char text[4096];
    static size_t length;
    for (;;) {
        ssize_t got = read(trace, text + length, sizeof(text) - 1 - length);
        if (got <= 0) {
            return;
        }
        length += (size_t)got;
        text[length] = '\0';
        char* record = text;
        for (char* end = strchr(record, '\n'); end != NULL; end = strchr(record, '\n')) {
            *end = '\0';
            take_record(record);
            record = end + 1;
        }
        length -= (size_t)(record - text);
        memmove(text, record, length);
    }
}

/* Somebody took a line of the chip or gave one back: one that nobody holds is at its pull. */
static void take_report(const chip_t* chip) {
    struct gpiod_info_event* event = gpiod_chip_read_info_event(chip->chip);
    if (event == NULL) {
        give_up("watch", chip->folder);
    }
    unsigned number =
        chip->first + gpiod_line_info_get_offset(gpiod_info_event_get_line_info(event));
    bool is_released = gpiod_info_event_get_event_type(event) == GPIOD_INFO_EVENT_LINE_RELEASED;
    gpiod_info_event_free(event);
    for (wire_t* wire = wires; wire < wires + wire_count; ++wire) {
        if (is_released && wire->from == number) {
            char level = 0;
            if (pread(wire->from_value, &level, 1, 0) != 1) {
                give_up("read", "the value of a line");
            }
            push(wire, level);
        }
    }
}

static void set_up_trace(void) {
    if (mkdir(TRACE, 0700) != 0 && errno != EEXIST) {
        give_up("make", TRACE);
    }
    /* Wake at the first record, not when a share of the buffer is full. */
    put_file(TRACE "/buffer_percent", "0");
    put_file(TRACE "/events/gpio/enable", "1");
}

static chip_t open_chip(const char* folder, int trace) {
    char path[PATH_SIZE];
    const char* name = strrchr(folder, '/');
    snprintf(path, sizeof(path), "/dev/%s", name != NULL ? name + 1 : folder);
    chip_t chip = {.folder = folder, .chip = gpiod_chip_open(path)};
    if (chip.chip == NULL) {
        give_up("open", path);
    }
    /* Only the trace tells by which number the kernel calls a line: so look at the first one. */
    unsigned offset = 0;
    struct gpiod_line_config* config = gpiod_line_config_new();
    struct gpiod_line_settings* settings = gpiod_line_settings_new();
    if (config == NULL || settings == NULL ||
        gpiod_line_config_add_line_settings(config, &offset, 1, settings) != 0) {
        give_up("configure", path);
    }
    struct gpiod_line_request* request = gpiod_chip_request_lines(chip.chip, NULL, config);
    if (request == NULL || gpiod_line_request_get_value(request, 0) == GPIOD_LINE_VALUE_ERROR) {
        give_up("look at line 0 of", path);
    }
    gpiod_line_request_release(request);
    gpiod_line_settings_free(settings);
    gpiod_line_config_free(config);
    char text[4096];
    ssize_t got = read(trace, text, sizeof(text) - 1);
    text[got > 0 ? got : 0] = '\0';
    const char* look = strstr(text, "gpio_value: ");
    if (look == NULL || sscanf(look, "gpio_value: %u get", &chip.first) != 1) {
        errno = EPROTO;
        give_up("find in the trace the look at", path);
    }
    return chip;
}

static void connect_lines(const chip_t* from, const chip_t* to, unsigned line, char idle) {
    wire_t* wire = &wires[wire_count++];
    wire->from = from->first + line;
    wire->to = to->first + line;
    wire->from_value = open_line(from, line, "value", O_RDONLY);
    wire->to_pull = open_line(to, line, "pull", O_WRONLY);
    wire->idle = wire->carried = wire->newest = idle;
    int from_pull = open_line(from, line, "pull", O_WRONLY);
    pull(from_pull, idle);
    close(from_pull);
    pull(wire->to_pull, idle);
    struct gpiod_line_info* info = gpiod_chip_watch_line_info(from->chip, line);
    if (info == NULL) {
        give_up("watch a line of", from->folder);
    }
    gpiod_line_info_free(info);
}

static int timeout_ms(void) {
    for (const wire_t* wire = wires; wire < wires + wire_count; ++wire) {
        if (wire->waiting_count > 0) {
            return 1;
        }
    }
    return -1;
}

int main(int argc, char** argv) {
    unsigned buttons = argc == 6 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    unsigned controls = argc == 6 ? buttons + (unsigned)strtoul(argv[4], NULL, 10) : 0;
    unsigned lines = argc == 6 ? controls + (unsigned)strtoul(argv[5], NULL, 10) : 0;
    if (lines == 0 || lines > LINES_MAX) {
        fprintf(stderr, "usage: wire RIG BOARD BUTTONS LEDS CONTROLS, at most %d lines\n",
                LINES_MAX);
        return 2;
    }
    /* Copper waits for no processor. */
    struct sched_param priority = {.sched_priority = 10};
    if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
        give_up("take", "a real-time priority");
    }
    set_up_trace();
    int trace = open_path(TRACE "/trace_pipe", O_RDONLY | O_NONBLOCK);
    chip_t rig = open_chip(argv[1], trace);
    chip_t board = open_chip(argv[2], trace);
    put_file(TRACE "/events/gpio/gpio_value/filter", "get == 0 || comm ~ \"irq/*\"");
    for (unsigned line = 0; line < lines; ++line) {
        /* The board pulls its buttons and controls up; its LEDs are dark when it does nothing. */
        if (line < buttons || line >= controls) {
            connect_lines(&rig, &board, line, '1');
        } else {
            connect_lines(&board, &rig, line, '0');
        }
    }
    printf("wire: ready\n");
    fflush(stdout);
    struct pollfd ready[] = {{.fd = trace, .events = POLLIN},
                             {.fd = gpiod_chip_get_fd(rig.chip), .events = POLLIN},
                             {.fd = gpiod_chip_get_fd(board.chip), .events = POLLIN}};
    for (;;) {
        if (poll(ready, sizeof(ready) / sizeof(ready[0]), timeout_ms()) < 0 && errno != EINTR) {
            give_up("wait for", "the trace");
        }
        take_trace(trace);
        if (ready[1].revents != 0) {
            take_report(&rig);
        }
        if (ready[2].revents != 0) {
            take_report(&board);
        }
        uint64_t at_ns = now_ns();
        for (unsigned i = 0; i < wire_count; ++i) {
            carry(&wires[i], at_ns);
        }
    }
}
