#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gpio.h"
#include "kernel.h"

/* Records are read many at a time, so that a bouncing button costs one system call. */
#define READ_RECORDS_MAX 64

static _Atomic int wire_fd = -1;
static int log_fd = -1;
static uint64_t seqnos[WIRE_PINS_MAX];
/* The part of a record that the socket did not take; it goes out before anything else. */
static uint8_t unsent[WIRE_RECORD_SIZE];
static size_t unsent_size;
static void (*wire_ended)(wire_end_t end);

static void put_u64(uint8_t* to, uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static bool flush_unsent(int fd) {
    if (unsent_size > 0) {
        ssize_t sent = send(fd, unsent, unsent_size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            unsent_size -= (size_t)sent;
            memmove(unsent, unsent + sent, unsent_size);
        }
    }
    return unsent_size == 0;
}

static void send_record(wire_kind_t kind, uint8_t pin, uint8_t level, uint64_t seqno,
                        uint64_t at_ns) {
    int fd = atomic_load(&wire_fd);
    if (fd < 0 || !flush_unsent(fd)) {
        return;
    }
    uint8_t record[WIRE_RECORD_SIZE] = {(uint8_t)kind, pin, level, WIRE_VERSION};
    put_u64(record + 8, seqno);
    put_u64(record + 16, at_ns);
    ssize_t sent = send(fd, record, sizeof(record), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0 && sent < WIRE_RECORD_SIZE) {
        unsent_size = sizeof(record) - (size_t)sent;
        memcpy(unsent, record + sent, unsent_size);
    }
}

static void send_initial(uint8_t pin, uint8_t level) {
    send_record(WIRE_INITIAL, pin, level, 0, kernel_now_ns());
}

void wire_send_edge(uint8_t pin, uint8_t level, uint64_t at_ns) {
    send_record(WIRE_EDGE, pin, level, ++seqnos[pin], at_ns);
}

static void log_line(const char* line, int length) {
    if (log_fd >= 0 && write(log_fd, line, (size_t)length) != length) {
        close(log_fd);
        log_fd = -1;
    }
}

void wire_log_level(uint8_t pin, uint8_t level) {
    char line[64];
    log_line(line, snprintf(line, sizeof(line), "%" PRIu64 " pin %u %s\n", kernel_now_ns(), pin,
                            level ? "high" : "low"));
}

static void end(wire_end_t how) {
    char line[64];
    log_line(line, snprintf(line, sizeof(line), "%" PRIu64 " wire cut\n", kernel_now_ns()));
    gpio_release_all();
    if (how == WIRE_PROTOCOL_ERROR) {
        shutdown(atomic_load(&wire_fd), SHUT_RDWR);
    }
    wire_ended(how);
}

static bool apply(const uint8_t* record) {
    if (record[0] != WIRE_DRIVE || record[1] >= WIRE_PINS_MAX || record[2] > GPIO_DRIVE_RELEASED ||
        record[3] != WIRE_VERSION) {
        fprintf(stderr,
                "wire: record of kind %u, pin %u, level %u, version %u; expected a drive record\n",
                record[0], record[1], record[2], record[3]);
        return false;
    }
    gpio_drive(record[1], (gpio_drive_t)record[2]);
    return true;
}

static void* read_wire(void* arg) {
    (void)arg;
    int fd = atomic_load(&wire_fd);
    uint8_t buffer[READ_RECORDS_MAX * WIRE_RECORD_SIZE];
    size_t filled = 0;
    for (;;) {
        ssize_t got = recv(fd, buffer + filled, sizeof(buffer) - filled, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            end(WIRE_CUT);
            return NULL;
        }
        filled += (size_t)got;
        size_t used = 0;
        for (; filled - used >= WIRE_RECORD_SIZE; used += WIRE_RECORD_SIZE) {
            if (!apply(buffer + used)) {
                end(WIRE_PROTOCOL_ERROR);
                return NULL;
            }
        }
        filled -= used;
        memmove(buffer, buffer + used, filled);
    }
}

bool wire_open_log(const char* board_log) {
    if (board_log != NULL) {
        log_fd = open(board_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (log_fd < 0) {
            fprintf(stderr, "board log %s: %s\n", board_log, strerror(errno));
            return false;
        }
    }
    return true;
}

bool wire_boot(int fd, const char* board_log, void (*ended)(wire_end_t end)) {
    if (!wire_open_log(board_log)) {
        return false;
    }
    if (fd < 0) {
        fprintf(stderr, "no WWEP_WIRE_FD: this board runs without wires\n");
        return true;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        fprintf(stderr, "WWEP_WIRE_FD: descriptor %d: %s\n", fd, strerror(errno));
        return false;
    }
    wire_ended = ended;
    memset(seqnos, 0, sizeof(seqnos));
    unsent_size = 0;
    atomic_store(&wire_fd, fd);
    gpio_visit_outputs(send_initial);
    send_record(WIRE_HELLO, 0, 0, 0, kernel_now_ns());

    pthread_t reader;
    if (pthread_create(&reader, NULL, read_wire, NULL) != 0) {
        fprintf(stderr, "wire: no thread for the reader\n");
        return false;
    }
    pthread_detach(reader);
    return true;
}

bool wire_switch_off(void) {
    int fd = atomic_load(&wire_fd);
    return fd >= 0 && shutdown(fd, SHUT_RDWR) == 0;
}
