#include "testing/c_program.h"

#include "wiced.h"

static uint32_t seen_u32;
static void* seen_pointer;

static void main_u32(uint32_t arg) {
    seen_u32 = arg;
    WICED_END_OF_CURRENT_THREAD();
}

static void main_arg(wiced_thread_arg_t arg) {
    seen_pointer = (void*)(uintptr_t)arg;
}

uint32_t c_program_thread_u32(uint32_t argument) {
    wiced_thread_t thread;
    wiced_rtos_create_thread(&thread, WICED_APPLICATION_PRIORITY, "u32", main_u32, 6200,
                             (void*)(uintptr_t)argument);
    wiced_rtos_thread_join(&thread);
    wiced_rtos_delete_thread(&thread);
    return seen_u32;
}

void* c_program_thread_pointer(void* argument) {
    static uint8_t stack[6200];
    wiced_thread_t thread;
    wiced_rtos_create_thread_with_stack(&thread, WICED_APPLICATION_PRIORITY, "pointer", main_arg,
                                        stack, sizeof(stack), argument);
    wiced_rtos_thread_join(&thread);
    wiced_rtos_delete_thread(&thread);
    return seen_pointer;
}

wiced_result_t c_program_lookup_with_three_arguments(const char* name,
                                                     wiced_ip_address_t* address) {
    return wiced_hostname_lookup(name, address, 100);
}

wiced_result_t c_program_lookup_with_four_arguments(const char* name, wiced_ip_address_t* address) {
    return wiced_hostname_lookup(name, address, 100, WICED_STA_INTERFACE);
}

uint32_t c_program_address(void) {
    const wiced_ip_address_t INITIALISER_IPV4_ADDRESS(server, MAKE_IPV4_ADDRESS(198, 51, 100, 3));
    static const wiced_ip_setting_t settings = {
        INITIALISER_IPV4_ADDRESS(.ip_address, MAKE_IPV4_ADDRESS(198, 51, 100, 3)),
    };
    wiced_ip_address_t set;
    SET_IPV4_ADDRESS(set, MAKE_IPV4_ADDRESS(198, 51, 100, 3));
    bool is_same = GET_IPV4_ADDRESS(set) == GET_IPV4_ADDRESS(server) &&
                   GET_IPV4_ADDRESS(set) == GET_IPV4_ADDRESS(settings.ip_address) &&
                   set.version == WICED_IPV4;
    return is_same ? GET_IPV4_ADDRESS(set) : 0;
}
