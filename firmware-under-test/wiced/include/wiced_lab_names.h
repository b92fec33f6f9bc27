/*
 * Names that the lab's text spells and the SDK does not have. Opt-in: the build includes this file
 * before each source (build-app --lab-names). Each use warns and names what the SDK calls it.
 * It includes nothing, so that what an application defines before wiced.h keeps its effect.
 */
#pragma once

#define WICED_LAB_PRAGMA_(text) _Pragma(#text)
#define WICED_LAB_NAME_(message, sdk_name) WICED_LAB_PRAGMA_(GCC warning message) sdk_name

#define wiced_socket_delete                                                                   \
    WICED_LAB_NAME_("wiced_socket_delete is deprecated: the SDK has wiced_tcp_delete_socket", \
                    wiced_tcp_delete_socket)
#define wiced_listen \
    WICED_LAB_NAME_("wiced_listen is deprecated: the SDK has wiced_tcp_listen", wiced_tcp_listen)
#define wiced_tcp_packet_create                                                                   \
    WICED_LAB_NAME_("wiced_tcp_packet_create is deprecated: the SDK has wiced_packet_create_tcp", \
                    wiced_packet_create_tcp)
#define wiced_tcp_packet_create_tcp                                                       \
    WICED_LAB_NAME_(                                                                      \
        "wiced_tcp_packet_create_tcp is deprecated: the SDK has wiced_packet_create_tcp", \
        wiced_packet_create_tcp)
#define wiced_tcp_set_data_end                                                                     \
    WICED_LAB_NAME_("wiced_tcp_set_data_end is deprecated: the SDK has wiced_packet_set_data_end", \
                    wiced_packet_set_data_end)
#define INITIALIZER_IPV4_ADDRESS                                                        \
    WICED_LAB_NAME_(                                                                    \
        "INITIALIZER_IPV4_ADDRESS is deprecated: the SDK has INITIALISER_IPV4_ADDRESS", \
        INITIALISER_IPV4_ADDRESS)
