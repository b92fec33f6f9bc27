/* What a wait inside the TCP/IP half of the API ends with. */
#pragma once

#include "kernel.h"
#include "wiced_result.h"

static inline wiced_result_t tcpip_wait_result(kernel_wait_result_t waited) {
    switch (waited) {
        case KERNEL_WOKEN:
            break;
        case KERNEL_TIMED_OUT:
            return WICED_TIMEOUT;
        case KERNEL_ABORTED:
            return WICED_TCPIP_WAIT_ABORTED;
    }
    return WICED_SUCCESS;
}
