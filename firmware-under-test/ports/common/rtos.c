#define WICED_RTOS_IMPLEMENTATION
#include "wiced_rtos.h"

#include <stdlib.h>
#include <string.h>

#include "kernel.h"

/* How long a deleted thread may take to reach its next wait. */
#define DELETE_TIMEOUT_MS 1000

static void run_thread(void* context, void* arg) {
    wiced_thread_function_t function;
    memcpy(&function, &context, sizeof(function));
    function((wiced_thread_arg_t)(uintptr_t)arg);
}

static wiced_result_t create_thread(wiced_thread_t* thread, const kernel_thread_plan_t* plan) {
    if (thread == NULL || plan->context == NULL) {
        return WICED_BADARG;
    }
    thread->record = kernel_thread_start(plan);
    return thread->record != NULL ? WICED_SUCCESS : WICED_WWD_THREAD_CREATE_FAILED;
}

wiced_result_t wiced_rtos_create_thread(wiced_thread_t* thread, uint8_t priority, const char* name,
                                        wiced_thread_function_t function, uint32_t stack_size,
                                        void* arg) {
    return wiced_rtos_create_thread_with_stack(thread, priority, name, function, NULL, stack_size,
                                               arg);
}

wiced_result_t wiced_rtos_create_thread_with_stack(wiced_thread_t* thread, uint8_t priority,
                                                   const char* name,
                                                   wiced_thread_function_t function, void* stack,
                                                   uint32_t stack_size, void* arg) {
    kernel_thread_plan_t plan = {.name = name,
                                 .priority = priority,
                                 .main = run_thread,
                                 .arg = arg,
                                 .stack = stack,
                                 .stack_size = stack_size};
    memcpy(&plan.context, &function, sizeof(plan.context));
    return create_thread(thread, &plan);
}

#if UINTPTR_MAX > 0xFFFFFFFFu
static void run_thread_u32(void* context, void* arg) {
    wiced_thread_function_u32_t function;
    memcpy(&function, &context, sizeof(function));
    function((uint32_t)(uintptr_t)arg);
}

wiced_result_t wiced_rtos_create_thread_u32(wiced_thread_t* thread, uint8_t priority,
                                            const char* name, wiced_thread_function_u32_t function,
                                            uint32_t stack_size, void* arg) {
    return wiced_rtos_create_thread_with_stack_u32(thread, priority, name, function, NULL,
                                                   stack_size, arg);
}

wiced_result_t wiced_rtos_create_thread_with_stack_u32(wiced_thread_t* thread, uint8_t priority,
                                                       const char* name,
                                                       wiced_thread_function_u32_t function,
                                                       void* stack, uint32_t stack_size,
                                                       void* arg) {
    kernel_thread_plan_t plan = {.name = name,
                                 .priority = priority,
                                 .main = run_thread_u32,
                                 .arg = arg,
                                 .stack = stack,
                                 .stack_size = stack_size};
    memcpy(&plan.context, &function, sizeof(plan.context));
    return create_thread(thread, &plan);
}
#endif

/* The handle's record if there is such a thread; a handle may change under one who reads it. */
static struct kernel_thread* known_record(const wiced_thread_t* thread) {
    kernel_lock();
    struct kernel_thread* record = thread != NULL ? thread->record : NULL;
    kernel_unlock();
    return kernel_thread_is_known(record) ? record : NULL;
}

static void set_record(wiced_thread_t* thread, struct kernel_thread* record) {
    kernel_lock();
    thread->record = record;
    kernel_unlock();
}

wiced_result_t wiced_rtos_delete_thread(wiced_thread_t* thread) {
    struct kernel_thread* record = known_record(thread);
    if (record == NULL) {
        return WICED_WWD_THREAD_DELETE_FAIL;
    }
    if (kernel_thread_is_current(record)) {
        set_record(thread, NULL);
    }
    if (!kernel_thread_delete(record, kernel_deadline_ns(DELETE_TIMEOUT_MS))) {
        return WICED_WWD_THREAD_FINISH_FAIL;
    }
    set_record(thread, NULL);
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_thread_join(wiced_thread_t* thread) {
    struct kernel_thread* record = known_record(thread);
    if (record == NULL) {
        return WICED_BADARG;
    }
    return kernel_thread_join(record) ? WICED_SUCCESS : WICED_WWD_WAIT_ABORTED;
}

wiced_result_t wiced_rtos_thread_force_awake(wiced_thread_t* thread) {
    struct kernel_thread* record = known_record(thread);
    if (record == NULL) {
        return WICED_BADARG;
    }
    kernel_thread_force_awake(record);
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_is_current_thread(wiced_thread_t* thread) {
    return thread != NULL && kernel_thread_is_current(thread->record) ? WICED_SUCCESS : WICED_ERROR;
}

wiced_result_t wiced_rtos_check_stack(void) {
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_thread_yield(void) {
    return wiced_rtos_delay_milliseconds(0);
}

wiced_result_t wiced_rtos_delay_milliseconds(uint32_t milliseconds) {
    if (milliseconds == 0) {
        return WICED_SUCCESS;
    }
    kernel_wait_result_t waited = kernel_sleep_until(kernel_deadline_ns(milliseconds));
    return waited == KERNEL_ABORTED ? WICED_WWD_WAIT_ABORTED : WICED_SUCCESS;
}

wiced_result_t wiced_rtos_delay_microseconds(uint32_t microseconds) {
    uint64_t until_ns = kernel_now_ns() + (uint64_t)microseconds * 1000u;
    while (kernel_now_ns() < until_ns) {
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_init_semaphore(wiced_semaphore_t* semaphore) {
    if (semaphore == NULL) {
        return WICED_BADARG;
    }
    kernel_lock();
    memset(semaphore, 0, sizeof(*semaphore));
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_set_semaphore(wiced_semaphore_t* semaphore) {
    kernel_lock();
    ++semaphore->count;
    kernel_wake_one(&semaphore->waiters);
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_get_semaphore(wiced_semaphore_t* semaphore, uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    wiced_result_t result = WICED_SUCCESS;
    kernel_lock();
    while (semaphore->count == 0 && result == WICED_SUCCESS) {
        switch (kernel_wait(&semaphore->waiters, deadline_ns)) {
            case KERNEL_WOKEN:
                break;
            case KERNEL_TIMED_OUT:
                result = WICED_TIMEOUT;
                break;
            case KERNEL_ABORTED:
                result = WICED_WWD_WAIT_ABORTED;
                break;
        }
    }
    if (result == WICED_SUCCESS) {
        --semaphore->count;
    }
    kernel_unlock();
    return result;
}

wiced_result_t wiced_rtos_deinit_semaphore(wiced_semaphore_t* semaphore) {
    kernel_lock();
    semaphore->count = 0;
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_init_mutex(wiced_mutex_t* mutex) {
    if (mutex == NULL) {
        return WICED_BADARG;
    }
    kernel_lock();
    memset(mutex, 0, sizeof(*mutex));
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_lock_mutex(wiced_mutex_t* mutex) {
    const void* self = kernel_current();
    wiced_result_t result = WICED_SUCCESS;
    kernel_lock();
    while (mutex->owner != NULL && mutex->owner != self && result == WICED_SUCCESS) {
        kernel_wait_result_t waited = kernel_wait(&mutex->waiters, KERNEL_NO_DEADLINE);
        if (waited != KERNEL_WOKEN) {
            result = waited == KERNEL_ABORTED ? WICED_WWD_WAIT_ABORTED : WICED_ERROR;
        }
    }
    if (result == WICED_SUCCESS) {
        mutex->owner = self;
        ++mutex->depth;
    }
    kernel_unlock();
    return result;
}

wiced_result_t wiced_rtos_unlock_mutex(wiced_mutex_t* mutex) {
    wiced_result_t result = WICED_ERROR;
    kernel_lock();
    if (mutex->owner == kernel_current()) {
        result = WICED_SUCCESS;
        if (--mutex->depth == 0) {
            mutex->owner = NULL;
            kernel_wake_one(&mutex->waiters);
        }
    }
    kernel_unlock();
    return result;
}

wiced_result_t wiced_rtos_deinit_mutex(wiced_mutex_t* mutex) {
    kernel_lock();
    mutex->owner = NULL;
    mutex->depth = 0;
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_init_event_flags(wiced_event_flags_t* event_flags) {
    if (event_flags == NULL) {
        return WICED_BADARG;
    }
    kernel_lock();
    memset(event_flags, 0, sizeof(*event_flags));
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_set_event_flags(wiced_event_flags_t* event_flags, uint32_t flags_to_set) {
    kernel_lock();
    event_flags->flags |= flags_to_set;
    kernel_wake_all(&event_flags->waiters);
    kernel_unlock();
    return WICED_SUCCESS;
}

wiced_result_t wiced_rtos_wait_for_event_flags(wiced_event_flags_t* event_flags,
                                               uint32_t flags_to_wait_for, uint32_t* flags_set,
                                               wiced_bool_t clear_set_flags,
                                               wiced_event_flags_wait_option_t wait_option,
                                               uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    wiced_result_t result = WICED_SUCCESS;
    kernel_lock();
    for (;;) {
        uint32_t present = event_flags->flags & flags_to_wait_for;
        if (wait_option == WAIT_FOR_ALL_EVENTS ? present == flags_to_wait_for : present != 0) {
            break;
        }
        kernel_wait_result_t waited = kernel_wait(&event_flags->waiters, deadline_ns);
        if (waited != KERNEL_WOKEN) {
            /* The default RTOS gives the general error here, not WICED_TIMEOUT. */
            result = waited == KERNEL_ABORTED ? WICED_WWD_WAIT_ABORTED : WICED_ERROR;
            break;
        }
    }
    if (result == WICED_SUCCESS) {
        *flags_set = event_flags->flags;
        if (clear_set_flags == WICED_TRUE) {
            event_flags->flags &= ~flags_to_wait_for;
        }
    }
    kernel_unlock();
    return result;
}

wiced_result_t wiced_rtos_deinit_event_flags(wiced_event_flags_t* event_flags) {
    kernel_lock();
    event_flags->flags = 0;
    kernel_unlock();
    return WICED_SUCCESS;
}
