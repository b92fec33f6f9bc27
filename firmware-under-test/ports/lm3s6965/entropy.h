/*
 * Where randomness comes from. The chip has no source of its own: the rig provisions a seed of 64
 * bytes at ENTROPY_SEED_ADDRESS before each boot. A reset finds the same seed there again, so each
 * draw mixes in a boot counter, which RAM keeps across resets, and a count of draws.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot_counter.h"

#define ENTROPY_SEED_SIZE 64u
#define ENTROPY_SEED_ADDRESS 0x20000000u
#define ENTROPY_BOOT_COUNTER_ADDRESS 0x20000040u

/* Counts this boot and says on the console where randomness comes from. */
void entropy_boot(void);

/* False when nothing was provisioned: a seed that is all zeroes. */
bool entropy_is_provisioned(void);

typedef struct {
    uint8_t seed[ENTROPY_SEED_SIZE];
    uint32_t boot;
    uint32_t draw;
} entropy_material_t;

/* What a generator is to be seeded with, by way of a hash; never the same twice. */
entropy_material_t entropy_draw(void);

/* For port numbers and identifiers, which must differ but need not be secret. */
uint32_t entropy_unpredictable(void);
