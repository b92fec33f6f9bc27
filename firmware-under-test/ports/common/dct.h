/*
 * The device configuration table: how an application reads and writes it. Each port brings the
 * sections, and what it writes to one lasts as long as the port says.
 */
#pragma once

#include <stdint.h>

#include "wiced_framework.h"

/* As it stands now, and how long it is; NULL for a section that the board does not have. */
const uint8_t* dct_section(dct_section_t section, uint32_t* size);
/* One of these sections, to write to; NULL without memory for it. */
uint8_t* dct_section_to_write(dct_section_t section);

/* The one access point that a board knows of: the build's, else the bench's. */
void dct_know_access_point(platform_dct_wifi_config_t* wifi);
