/*
 * Boots the board: console, DCT, kernel threads, pins, network, wire, in this order. Once a
 * process.
 */
#pragma once

#include <stdbool.h>

#include "wire.h"
#include "world.h"

/* Everything but the wire. world must outlive the board. False after a line on standard error. */
bool board_boot(const world_t* world);

/* Connects the wire: from here the board is up. */
bool board_connect(const world_t* world, void (*ended)(wire_end_t end));
