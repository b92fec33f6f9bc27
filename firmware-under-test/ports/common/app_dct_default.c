/*
 * The application section of the DCT for applications without one. It stands in an object of its
 * own, so that the linker takes it from the library only when the application defines nothing.
 */
#include <stdint.h>

extern const uint32_t wiced_app_dct_size;
extern const char wiced_app_dct_initial[1];

const uint32_t wiced_app_dct_size = 0;
const char wiced_app_dct_initial[1] = {0};
