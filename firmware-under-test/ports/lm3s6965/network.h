/*
 * The board's one interface, over lwIP. lwIP runs in the dispatcher, and in threads between two of
 * their waits: never in two places at once.
 */
#pragma once

#include <stdbool.h>

bool network_is_up(void);
