/*
 * What an application's makefile puts into the DCT: CERTIFICATE, PRIVATE_KEY and the access point
 * of WIFI_CONFIG_DCT_H. The build compiles one such object into the program; without one the
 * library brings an empty one.
 */
#pragma once

#include "wiced_framework.h"

typedef struct {
    char certificate[CERTIFICATE_SIZE]; /* ends in NUL; a NUL between several files */
    char private_key[PRIVATE_KEY_SIZE];
    const char* ssid; /* "": the bench's */
    const char* passphrase;
} dct_build_t;

extern const dct_build_t dct_build;
