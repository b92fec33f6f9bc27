/*
 * The device configuration table. It stands in flash: what the build put into the image, and over
 * that what the board was provisioned with, in the flash's last 8 KiB. A section that the
 * application writes, or that differs from board to board, is copied to the heap when it is first
 * asked for, and lasts until the next reset: QEMU's flash cannot be written.
 */
#pragma once

#include <stdint.h>

#include "platform_dct.h"

#define DCT_PROVISIONED_ADDRESS 0x3E000u
#define DCT_PROVISIONED_MAGIC "WWEPDCT1"

/* As whoever provisions the board writes it: an empty text leaves the image's in force. */
typedef struct {
    char magic[8];
    platform_dct_security_t security;
} dct_provisioned_t;

_Static_assert(sizeof(dct_provisioned_t) <= 8192, "the flash's last pages hold it");

wiced_mac_t dct_mac(void);
