/* The DNS client's one function that applications call. */
#pragma once

#include "wiced_network.h"

#ifdef __cplusplus
extern "C" {
#endif

wiced_result_t dns_client_add_server_address(wiced_ip_address_t address);

#ifdef __cplusplus
}
#endif
