/*
 * The wires between two chips of the kernel's gpio-sim: what is driven on a line of one becomes the
 * pull of the line with the same number on the other. Runs until it is killed.
 *
 *     wire RIG BOARD BUTTONS LEDS
 *
 * RIG and BOARD are the folders that hold sim_gpioN/. The first BUTTONS lines go from the rig to
 * the board, the LEDS lines after them from the board to the rig.
 *
 * It sleeps until the kernel's trace of GPIO calls says that a line was set. The trace comes before
 * the driver has applied the level, hence the second and third look a little later.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
/* The simulator makes one edge of two that follow each other within a few milliseconds. A contact
 * that bounces faster does not come through; a press soon after another comes a little later. */
#define CHANGES_APART_NS_MIN (10u * 1000u * 1000u)
#define TRACE "/sys/kernel/tracing/instances/wwep-wire"

static const int looks_after_ms[] = {1, 2};

typedef struct {
    int from_value;
    int from_pull; /* -1: what the line is pulled to when nobody drives it is left alone */
    int to_pull;
    char level; /* '0', '1', or 0 before the first look */
    uint64_t changed_ns;
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

static void put_text(int fd, const char* text) {
    if (pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) {
        give_up("write", text);
    }
}

static int open_path(const char* path, int flags) {
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        give_up("open", path);
    }
    return fd;
}

static int open_line(const char* chip, unsigned line, const char* file) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/sim_gpio%u/%s", chip, line, file);
    return open_path(path, strcmp(file, "value") == 0 ? O_RDONLY : O_WRONLY);
}

static void set_up_trace(void) {
    if (mkdir(TRACE, 0700) != 0 && errno != EEXIST) {
        give_up("make", TRACE);
    }
    int fd = open_path(TRACE "/events/gpio/gpio_value/filter", O_WRONLY);
    put_text(fd, "get == 0");
    close(fd);
    /* Wake at the first record, not when a share of the buffer is full. */
    fd = open_path(TRACE "/buffer_percent", O_WRONLY);
    put_text(fd, "0");
    close(fd);
    fd = open_path(TRACE "/events/gpio/enable", O_WRONLY);
    put_text(fd, "1");
    close(fd);
}

/* False: the line changed too soon after its last change, and the other side is not told yet. */
static bool look(wire_t* wire) {
    /* A line that was let go of keeps its level in the simulator until its pull is set again; on a
     * line that is driven the pull has no effect. */
    if (wire->from_pull >= 0) {
        put_text(wire->from_pull, "pull-up");
    }
    char level = 0;
    if (pread(wire->from_value, &level, 1, 0) != 1) {
        give_up("read", "the value of a line");
    }
    uint64_t at_ns = now_ns();
    if (level != wire->level) {
        if (wire->level != 0 && at_ns - wire->changed_ns < CHANGES_APART_NS_MIN) {
            return false;
        }
        wire->level = level;
        wire->changed_ns = at_ns;
    }
    /* Also when it is the level of before: whoever requests a line with a bias changes its pull. */
    put_text(wire->to_pull, level == '1' ? "pull-up" : "pull-down");
    return true;
}

static bool look_at_all(void) {
    bool all_told = true;
    for (unsigned i = 0; i < wire_count; ++i) {
        all_told &= look(&wires[i]);
    }
    return all_told;
}

/* Waits for a record and takes all there are; false after timeout_ms without one (-1: never). */
static bool wait_for_trace(int trace, int timeout_ms) {
    struct pollfd wanted = {.fd = trace, .events = POLLIN};
    if (poll(&wanted, 1, timeout_ms) <= 0) {
        return false;
    }
    char text[4096];
    while (read(trace, text, sizeof(text)) > 0) {
    }
    return true;
}

int main(int argc, char** argv) {
    unsigned buttons = argc == 5 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    wire_count = argc == 5 ? buttons + (unsigned)strtoul(argv[4], NULL, 10) : 0;
    if (wire_count == 0 || wire_count > LINES_MAX) {
        fprintf(stderr, "usage: wire RIG BOARD BUTTONS LEDS, at most %d lines\n", LINES_MAX);
        return 2;
    }
    for (unsigned i = 0; i < wire_count; ++i) {
        const char* from = i < buttons ? argv[1] : argv[2];
        const char* to = i < buttons ? argv[2] : argv[1];
        wires[i].from_value = open_line(from, i, "value");
        wires[i].from_pull = i < buttons ? open_line(from, i, "pull") : -1;
        wires[i].to_pull = open_line(to, i, "pull");
    }
    set_up_trace();
    int trace = open_path(TRACE "/trace_pipe", O_RDONLY | O_NONBLOCK);
    (void)look_at_all();
    printf("wire: ready\n");
    fflush(stdout);
    for (;;) {
        wait_for_trace(trace, -1);
        (void)look_at_all();
        for (size_t i = 0; i < sizeof(looks_after_ms) / sizeof(looks_after_ms[0]);) {
            /* Whatever comes in between starts the looks anew. */
            i = wait_for_trace(trace, looks_after_ms[i]) ? 0 : i + 1;
            i = look_at_all() ? i : 0;
        }
    }
}
