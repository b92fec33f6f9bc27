/* Names, by lwIP's resolver. */
#include <stdbool.h>
#include <stdlib.h>

#include "kernel.h"
#include "lwip/dns.h"
#include "network.h"
#include "wiced_tcpip.h"

/* lwIP calls back exactly once, maybe long after the thread that asked has given up. */
typedef struct {
    bool is_answered;
    bool is_abandoned;
    bool is_found;
    uint32_t address;
    kernel_wait_list_t answered;
} lookup_t;

static void take_answer(const char* name, const ip_addr_t* address, void* arg) {
    lookup_t* lookup = arg;
    (void)name;
    if (lookup->is_abandoned) {
        free(lookup);
        return;
    }
    lookup->is_answered = true;
    lookup->is_found = address != NULL;
    lookup->address = address != NULL ? lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(address))) : 0;
    kernel_lock();
    kernel_wake_all(&lookup->answered);
    kernel_unlock();
}

static wiced_result_t await_answer(lookup_t* lookup, uint64_t deadline_ns) {
    kernel_lock();
    while (!lookup->is_answered && kernel_wait(&lookup->answered, deadline_ns) == KERNEL_WOKEN) {
    }
    kernel_unlock();
    return lookup->is_found ? WICED_SUCCESS : WICED_ERROR;
}

wiced_result_t wiced_hostname_lookup_on_interface(const char* hostname, wiced_ip_address_t* address,
                                                  uint32_t timeout_ms,
                                                  wiced_interface_t interface) {
    if (hostname == NULL || address == NULL) {
        return WICED_BADARG;
    }
    if (wiced_network_is_up(interface) != WICED_TRUE) {
        return WICED_NOTUP;
    }
    if (str_to_ip(hostname, address) == 0) {
        return WICED_SUCCESS;
    }
    lookup_t* lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL) {
        return WICED_OUT_OF_HEAP_SPACE;
    }
    ip_addr_t found;
    wiced_result_t result = WICED_ERROR;
    bool is_asked = false;
    switch (dns_gethostbyname(hostname, &found, take_answer, lookup)) {
        case ERR_OK:
            take_answer(hostname, &found, lookup);
            result = WICED_SUCCESS;
            break;
        case ERR_INPROGRESS:
            is_asked = true;
            result = await_answer(lookup, kernel_deadline_ns(timeout_ms));
            break;
        default:
            break;
    }
    if (result == WICED_SUCCESS) {
        SET_IPV4_ADDRESS(*address, lookup->address);
    }
    if (is_asked && !lookup->is_answered) {
        lookup->is_abandoned = true;
    } else {
        free(lookup);
    }
    return result;
}

/* The gateway is the one name server. */
wiced_result_t dns_client_add_server_address(wiced_ip_address_t address);
wiced_result_t dns_client_add_server_address(wiced_ip_address_t address) {
    (void)address;
    return WICED_SUCCESS;
}
