/* Files that the build puts into the image. resources.h, which the build makes, declares them. */
#pragma once

#include <stdint.h>

#include "wiced_result.h"

typedef wiced_result_t resource_result_t;
#define RESOURCE_SUCCESS WICED_RESOURCE_SUCCESS
#define RESOURCE_UNSUPPORTED WICED_RESOURCE_UNSUPPORTED
#define RESOURCE_OFFSET_TOO_BIG WICED_RESOURCE_OFFSET_TOO_BIG

typedef enum {
    RESOURCE_IN_MEMORY = 0,
    RESOURCE_IN_FILESYSTEM = 1,
    RESOURCE_IN_EXTERNAL_STORAGE = 2,
} resource_location_t;

typedef struct {
    unsigned long offset;
    const char* filename;
} filesystem_resource_handle_t;

typedef struct {
    const char* data;
} memory_resource_handle_t;

typedef struct {
    resource_location_t location;
    unsigned long size;
    union {
        filesystem_resource_handle_t fs;
        memory_resource_handle_t mem;
        void* external_storage_context;
    } val;
} resource_hnd_t;

#define resource_get_size(handle) ((handle)->size)

#ifdef __cplusplus
extern "C" {
#endif

/* size_out is at most maxsize: what is longer is cut without an error. */
resource_result_t resource_get_readonly_buffer(const resource_hnd_t* resource, uint32_t offset,
                                               uint32_t maxsize, uint32_t* size_out,
                                               const void** buffer);
resource_result_t resource_free_readonly_buffer(const resource_hnd_t* resource, const void* buffer);
resource_result_t resource_read(const resource_hnd_t* resource, uint32_t offset, uint32_t maxsize,
                                uint32_t* size, void* buffer);

#ifdef __cplusplus
}
#endif
