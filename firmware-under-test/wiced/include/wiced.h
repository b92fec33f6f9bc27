/*
 * What an application includes. It does not include resources.h, which a build makes. In the SDK
 * the network's headers pull in the TLS types and the linked list, so code that forgot to include
 * them compiles. The application's entry is application_start, which may return.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "linked_list.h"
#include "wiced_debug.h"
#include "wiced_defaults.h"
#include "wiced_framework.h"
#include "wiced_management.h"
#include "wiced_network.h"
#include "wiced_platform.h"
#include "wiced_resource.h"
#include "wiced_result.h"
#include "wiced_rtos.h"
#include "wiced_tcpip.h"
#include "wiced_time.h"
#include "wiced_tls.h"
#include "wiced_utilities.h"
#include "wiced_wifi.h"

#ifdef __cplusplus
extern "C" {
#endif

void application_start(void);

#ifdef __cplusplus
}
#endif
