#include "dns.h"

#include <stddef.h>

#include "network.h"
#include "wiced_tcpip.h"

int str_to_ip(const char* text, wiced_ip_address_t* address) {
    uint32_t value = 0;
    if (text == NULL || address == NULL) {
        return -1;
    }
    for (unsigned part = 0; part < 4; ++part) {
        uint32_t octet = 0;
        unsigned digits = 0;
        for (; *text >= '0' && *text <= '9'; ++text, ++digits) {
            octet = octet * 10 + (uint32_t)(*text - '0');
            if (digits == 3) {
                return -1;
            }
        }
        if (digits == 0 || octet > 255 || *text != (part < 3 ? '.' : '\0')) {
            return -1;
        }
        text += part < 3;
        value = value << 8 | octet;
    }
    SET_IPV4_ADDRESS(*address, value);
    return 0;
}

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
