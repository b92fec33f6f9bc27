/* Compiled for each image: when it was built. */
#include "wall_clock.h"

const uint32_t wall_clock_build_s = WWEP_BUILD_DATE;
