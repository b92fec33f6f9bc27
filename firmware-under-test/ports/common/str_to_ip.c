#include <stddef.h>

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
