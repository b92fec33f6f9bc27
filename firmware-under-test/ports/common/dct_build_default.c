/* An object of its own, so that the linker takes it only when the build makes none. */
#include "dct_build.h"

const dct_build_t dct_build = {.ssid = "", .passphrase = ""};
