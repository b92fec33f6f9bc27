#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "wiced_rtos.h"

wiced_result_t wiced_rtos_init_queue(wiced_queue_t* queue, const char* name, uint32_t message_size,
                                     uint32_t number_of_messages) {
    (void)name;
    if (queue == NULL) {
        return WICED_BADARG;
    }
    /* The default RTOS counts messages in words. */
    if (message_size == 0 || message_size % 4 != 0 || number_of_messages == 0) {
        return WICED_ERROR;
    }
    uint8_t* storage = calloc(number_of_messages, message_size);
    if (storage == NULL) {
        return WICED_OUT_OF_HEAP_SPACE;
    }
    kernel_lock();
    memset(queue, 0, sizeof(*queue));
    queue->storage = storage;
    queue->message_size = message_size;
    queue->capacity = number_of_messages;
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_push_to_queue(wiced_queue_t* queue, void* message, uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    wiced_result_t result = WICED_SUCCESS;
    kernel_lock();
    while (queue->count == queue->capacity && result == WICED_SUCCESS) {
        kernel_wait_result_t waited =
            queue->storage != NULL ? kernel_wait(&queue->pushers, deadline_ns) : KERNEL_TIMED_OUT;
        if (waited != KERNEL_WOKEN) {
            result = waited == KERNEL_ABORTED ? WICED_WWD_WAIT_ABORTED : WICED_WWD_QUEUE_ERROR;
        }
    }
    if (result == WICED_SUCCESS) {
        uint32_t tail = (queue->head + queue->count) % queue->capacity;
        memcpy(queue->storage + (size_t)tail * queue->message_size, message, queue->message_size);
        ++queue->count;
        kernel_wake_one(&queue->poppers);
    }
    kernel_unlock();
    return result;
}

wiced_result_t wiced_rtos_pop_from_queue(wiced_queue_t* queue, void* message, uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    wiced_result_t result = WICED_SUCCESS;
    kernel_lock();
    while (queue->count == 0 && result == WICED_SUCCESS) {
        kernel_wait_result_t waited =
            queue->storage != NULL ? kernel_wait(&queue->poppers, deadline_ns) : KERNEL_TIMED_OUT;
        if (waited != KERNEL_WOKEN) {
            result = waited == KERNEL_ABORTED ? WICED_WWD_WAIT_ABORTED : WICED_TIMEOUT;
        }
    }
    if (result == WICED_SUCCESS) {
        memcpy(message, queue->storage + (size_t)queue->head * queue->message_size,
               queue->message_size);
        queue->head = (queue->head + 1) % queue->capacity;
        --queue->count;
        kernel_wake_one(&queue->pushers);
    }
    kernel_unlock();
    return result;
}

wiced_result_t wiced_rtos_deinit_queue(wiced_queue_t* queue) {
    kernel_lock();
    uint8_t* storage = queue->storage;
    queue->storage = NULL;
    queue->count = 0;
    queue->capacity = 0;
    kernel_wake_all(&queue->poppers);
    kernel_wake_all(&queue->pushers);
    kernel_unlock();
    free(storage);
    return WICED_SUCCESS;
}

static wiced_result_t answer(bool is_yes) {
    return is_yes ? WICED_SUCCESS : WICED_ERROR;
}

wiced_result_t wiced_rtos_is_queue_empty(wiced_queue_t* queue) {
    kernel_lock();
    bool is_empty = queue->count == 0;
    kernel_unlock();
    return answer(is_empty);
}

wiced_result_t wiced_rtos_is_queue_full(wiced_queue_t* queue) {
    kernel_lock();
    bool is_full = queue->count == queue->capacity;
    kernel_unlock();
    return answer(is_full);
}

wiced_result_t wiced_rtos_get_queue_occupancy(wiced_queue_t* queue, uint32_t* count) {
    kernel_lock();
    *count = queue->count;
    kernel_unlock();
    return WICED_SUCCESS;
}
