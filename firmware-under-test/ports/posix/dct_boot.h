/* The DCT, kept in memory for the life of the process. Filled once at boot. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "world.h"

/* False, and an error that names the file, when a PEM file cannot be read or does not fit. */
bool dct_boot(const world_t* world, char* error, size_t error_size);
