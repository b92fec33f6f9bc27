/* Start and stop of the part of the SDK that needs no network. */
#include <stdbool.h>
#include <stdio.h>

#include "wiced_management.h"

static bool is_initialised;

wiced_result_t wiced_core_init(void) {
    if (!is_initialised) {
        is_initialised = true;
        printf("Board of the LM3S6965 port up\n");
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_core_deinit(void) {
    is_initialised = false;
    return WICED_SUCCESS;
}
