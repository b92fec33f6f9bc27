/*
 * The board's end of the wire: records of 24 bytes, as the wire's page in the rig describes them.
 * Owns the descriptor it was given. Sending never waits: what does not fit is dropped, and the gap
 * in the sequence numbers tells. One thread reads and drives the pins.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WIRE_PINS_MAX 32
#define WIRE_RECORD_SIZE 24
#define WIRE_VERSION 1

typedef enum {
    WIRE_HELLO = 1,
    WIRE_EDGE = 2,
    WIRE_DRIVE = 3,
    WIRE_INITIAL = 4,
} wire_kind_t;

/* How the wire came to its end. */
typedef enum {
    WIRE_CUT,
    WIRE_PROTOCOL_ERROR,
} wire_end_t;

/* Opens the board's log, of which NULL means none; for boards without a wire. */
bool wire_open_log(const char* board_log);

/*
 * Takes over fd (-1: no wire), sends the outputs' levels and hello, and starts the reader.
 * board_log may be NULL. ended runs once in the reader's thread, after every driven pin was
 * released.
 */
bool wire_boot(int fd, const char* board_log, void (*ended)(wire_end_t end));

/* An output changed to level at at_ns. Called under the pins' lock, so that records keep order. */
void wire_send_edge(uint8_t pin, uint8_t level, uint64_t at_ns);

/* A line in the board's log: a driven pin is at level now. */
void wire_log_level(uint8_t pin, uint8_t level);

/* Ends the wire from the board's side: the reader then ends it as if it had been cut. False: there
 * is no wire. */
bool wire_switch_off(void);
