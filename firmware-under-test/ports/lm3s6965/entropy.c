#include "entropy.h"

#include <stdio.h>
#include <string.h>

#include "kernel.h"

static const volatile uint8_t* const seed = (const volatile uint8_t*)ENTROPY_SEED_ADDRESS;
static volatile boot_counter_t* const counter =
    (volatile boot_counter_t*)ENTROPY_BOOT_COUNTER_ADDRESS;

_Static_assert(ENTROPY_SEED_ADDRESS + ENTROPY_SEED_SIZE == ENTROPY_BOOT_COUNTER_ADDRESS,
               "the counter follows the seed");

static uint32_t boot;
static uint32_t draws;
static uint32_t state; /* of the generator that need not be secret */

bool entropy_is_provisioned(void) {
    uint8_t any = 0;
    for (size_t i = 0; i < ENTROPY_SEED_SIZE; ++i) {
        any |= seed[i];
    }
    return any != 0;
}

void entropy_boot(void) {
    boot = boot_counter_next(counter);
    state = 2166136261u;
    for (size_t i = 0; i < ENTROPY_SEED_SIZE; ++i) {
        state = (state ^ seed[i]) * 16777619u;
    }
    state = (state ^ boot) * 16777619u;
    printf("boot %u since power-on; entropy: %s\n", (unsigned)boot,
           entropy_is_provisioned() ? "provisioned by the rig, mixed with the boot's number"
                                    : "none provisioned, so no TLS");
}

entropy_material_t entropy_draw(void) {
    entropy_material_t material = {.boot = boot, .draw = ++draws};
    for (size_t i = 0; i < ENTROPY_SEED_SIZE; ++i) {
        material.seed[i] = seed[i];
    }
    return material;
}

uint32_t entropy_unpredictable(void) {
    state ^= (uint32_t)kernel_now_ns();
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state != 0 ? state : (state = 1u);
}
