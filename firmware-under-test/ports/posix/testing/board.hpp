// The board that all suites run on, booted once by the test program's main.
#pragma once

extern "C" {
#include "world.h"
}

/// The world that the board was booted with.
const world_t& board_world();
