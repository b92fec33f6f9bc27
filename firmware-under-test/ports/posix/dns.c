#include "dns.h"

#include <stddef.h>

#include "network.h"
#include "wiced_tcpip.h"

/* The routes are the board's whole DNS: the machine's own resolver is never asked. */
wiced_result_t wiced_hostname_lookup_on_interface(const char* hostname, wiced_ip_address_t* address,
                                                  uint32_t timeout_ms,
                                                  wiced_interface_t interface) {
    (void)timeout_ms;
    if (hostname == NULL || address == NULL) {
        return WICED_BADARG;
    }
    if (wiced_network_is_up(interface) != WICED_TRUE) {
        return WICED_NOTUP;
    }
    uint32_t found = 0;
    if (!network_resolve(hostname, &found)) {
        return WICED_ERROR;
    }
    SET_IPV4_ADDRESS(*address, found);
    return WICED_SUCCESS;
}

wiced_result_t dns_client_add_server_address(wiced_ip_address_t address) {
    (void)address;
    return WICED_SUCCESS;
}
