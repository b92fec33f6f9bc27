#include "wiced_resource.h"

#include <string.h>

/* Every resource of this port is in memory. */
resource_result_t resource_get_readonly_buffer(const resource_hnd_t* resource, uint32_t offset,
                                               uint32_t maxsize, uint32_t* size_out,
                                               const void** buffer) {
    if (resource->location != RESOURCE_IN_MEMORY) {
        return RESOURCE_UNSUPPORTED;
    }
    if (offset > resource->size) {
        return RESOURCE_OFFSET_TOO_BIG;
    }
    unsigned long left = resource->size - offset;
    *size_out = left < maxsize ? (uint32_t)left : maxsize;
    *buffer = resource->val.mem.data + offset;
    return RESOURCE_SUCCESS;
}

resource_result_t resource_free_readonly_buffer(const resource_hnd_t* resource,
                                                const void* buffer) {
    (void)resource;
    (void)buffer;
    return RESOURCE_SUCCESS;
}

resource_result_t resource_read(const resource_hnd_t* resource, uint32_t offset, uint32_t maxsize,
                                uint32_t* size, void* buffer) {
    const void* data = NULL;
    resource_result_t result = resource_get_readonly_buffer(resource, offset, maxsize, size, &data);
    if (result == RESOURCE_SUCCESS) {
        memcpy(buffer, data, *size);
    }
    return result;
}
