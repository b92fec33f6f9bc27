/* Small programs in C, as a lab's would be written: what C++ tests cannot say themselves. */
#pragma once

#include <stdint.h>

#include "wiced_tcpip.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a thread whose main takes a uint32_t is given when argument is passed. */
uint32_t c_program_thread_u32(uint32_t argument);
/* The same for a main that takes a wiced_thread_arg_t. */
void* c_program_thread_pointer(void* argument);

wiced_result_t c_program_lookup_with_three_arguments(const char* name, wiced_ip_address_t* address);
wiced_result_t c_program_lookup_with_four_arguments(const char* name, wiced_ip_address_t* address);

/* 198.51.100.3 by each of the address macros; 0 when they disagree. */
uint32_t c_program_address(void);

/* fe80::1:2 as SET_IPV6_ADDRESS sets it from MAKE_IPV6_ADDRESS. */
wiced_ip_address_t c_program_ipv6_address(void);

/* Tries the utility macros; the first that says something else than in the SDK, or "". */
const char* c_program_macros(void);

#ifdef __cplusplus
}
#endif
