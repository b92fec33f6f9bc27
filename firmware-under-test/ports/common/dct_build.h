/*
 * What an application's makefile puts into the DCT: CERTIFICATE, PRIVATE_KEY, and the access point
 * and interface of WIFI_CONFIG_DCT_H. The build compiles one such object into the program; without
 * one the library brings an empty one.
 */
#pragma once

#include "wiced_framework.h"

typedef struct {
    platform_dct_security_t security; /* a NUL between several files of one text */
    const char* ssid;                 /* "": the bench's */
    const char* passphrase;
    wiced_interface_t interface; /* for wiced_network_up_default */
} dct_build_t;

extern const dct_build_t dct_build;
