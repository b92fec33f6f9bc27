/* The heap, between the image's variables and the main stack; counted in bytes. */
#pragma once

#include <stdint.h>

/* All there is; how far it has ever reached; and what is allocated at this moment. */
uint32_t heap_size(void);
uint32_t heap_used_max(void);
uint32_t heap_in_use(void);
