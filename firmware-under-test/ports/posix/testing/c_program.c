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

wiced_ip_address_t c_program_ipv6_address(void) {
    wiced_ip_address_t set;
    memset(&set, 0, sizeof(set));
    SET_IPV6_ADDRESS(set, MAKE_IPV6_ADDRESS(0xFE80, 0, 0, 0, 0, 0, 1, 0));
    GET_IPV6_ADDRESS(set)[3] += 2;
    return set;
}

static wiced_result_t verified(wiced_result_t result, int* passed) {
    WICED_VERIFY(result);
    ++*passed;
    return WICED_SUCCESS;
}

static int evaluated;

static int count_evaluation(void) {
    return ++evaluated;
}

const char* c_program_macros(void) {
    char text[8] = "";
    int passed = 0;
    int* made = MALLOC_OBJECT("made", int);
    free(made);
    if (MIN(2, 3) != 2 || MAX(2, 3) != 3 || ROUND_UP(5, 4) != 8 || ROUND_UP(8, 4) != 8) {
        return "MIN, MAX, ROUND_UP";
    }
    if (MEMCAT(MEMCAT(text, "ab", 2), "cd", 3) != text + 5 || strcmp(text, "abcd") != 0) {
        return "MEMCAT";
    }
    if (htobe16(0x1234) != 0x3412 || htobe32(0x12345678u) != 0x78563412u) {
        return "htobe";
    }
    if (verified(WICED_NOTUP, &passed) != WICED_NOTUP || passed != 0 ||
        verified(WICED_SUCCESS, &passed) != WICED_SUCCESS || passed != 1) {
        return "WICED_VERIFY";
    }
    wiced_assert("evaluated, and no more in a release build", count_evaluation() == 2);
    if (evaluated != 1) {
        return "wiced_assert";
    }
    WPRINT_APP_DEBUG(("%d", count_evaluation()));
    if (evaluated != 1) {
        return "WPRINT_APP_DEBUG evaluates its arguments while it is off";
    }
    WPRINT_LIB_INFO(("%d", count_evaluation()));
    WPRINT_WEBSERVER_INFO(("%d", count_evaluation()));
    WPRINT_NETWORK_DEBUG(("%d", count_evaluation()));
    WPRINT_RTOS_ERROR(("%d", count_evaluation()));
    WPRINT_SECURITY_DEBUG(("%d", count_evaluation()));
    WPRINT_PLATFORM_ERROR(("%d", count_evaluation()));
    WPRINT_WICED_DEBUG(("%d", count_evaluation()));
    WPRINT_WWD_INFO(("%d", count_evaluation()));
    if (evaluated != 1) {
        return "a family of WPRINT that nobody has switched on";
    }
    wiced_ip_address_t address;
    SET_IPV4_ADDRESS(address, MAKE_IPV4_ADDRESS(198, 51, 100, 3));
    char quad[16];
    snprintf(quad, sizeof(quad), IPV4_PRINT_FORMAT, IPV4_SPLIT_TO_PRINT(address));
    return strcmp(quad, "198.51.100.3") == 0 ? "" : "IPV4_PRINT_FORMAT";
}
