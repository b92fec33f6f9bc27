#include "registers.h"

#include <ctype.h>

#include "linked_list.h"

#define READ_LENGTH 7
#define WRITE_LENGTH 11

typedef struct {
    linked_list_node_t node;
    uint32_t address; /* the device's sixteen bits, then the register's eight */
    uint16_t value;
} entry_t;

static linked_list_t written;
static entry_t entries[REGISTERS_MAX];
static wiced_mutex_t lock;

wiced_result_t registers_init(void) {
    WICED_VERIFY(linked_list_init(&written));
    return wiced_rtos_init_mutex(&lock);
}

static wiced_bool_t has_address(linked_list_node_t* node, void* address) {
    const entry_t* entry = node->data;
    return entry->address == *(uint32_t*)address ? WICED_TRUE : WICED_FALSE;
}

static entry_t* find(uint32_t address) {
    linked_list_node_t* node = NULL;
    return linked_list_find_node(&written, has_address, &address, &node) == WICED_SUCCESS
               ? node->data
               : NULL;
}

static entry_t* find_or_add(uint32_t address) {
    entry_t* entry = find(address);
    if (entry == NULL && written.count < REGISTERS_MAX) {
        entry = &entries[written.count];
        entry->address = address;
        linked_list_set_node_data(&entry->node, entry);
        linked_list_insert_node_at_rear(&written, &entry->node);
    }
    return entry;
}

static uint32_t number_of(const char* digits, uint32_t count) {
    char text[9] = "";
    memcpy(text, digits, count);
    return (uint32_t)strtoul(text, NULL, 16);
}

static wiced_bool_t is_frame(const char* text, uint32_t length) {
    uint32_t wanted = 0;
    if (length > 0) {
        wanted = text[0] == 'R' ? READ_LENGTH : text[0] == 'W' ? WRITE_LENGTH : 0;
    }
    if (wanted == 0 || length < wanted) {
        return WICED_FALSE;
    }
    for (uint32_t i = 1; i < wanted; ++i) {
        if (!isxdigit((unsigned char)text[i])) {
            return WICED_FALSE;
        }
    }
    return WICED_TRUE;
}

uint32_t registers_answer(const char* text, uint32_t length, char* reply) {
    strcpy(reply, "X");
    if (!is_frame(text, length)) {
        return 1;
    }
    uint32_t address = number_of(text + 1, 6);
    wiced_rtos_lock_mutex(&lock);
    entry_t* entry = text[0] == 'W' ? find_or_add(address) : find(address);
    if (entry != NULL && text[0] == 'W') {
        entry->value = (uint16_t)number_of(text + 7, 4);
        snprintf(reply, REPLY_LENGTH_MAX + 1, "A%.10s", text + 1);
    } else if (entry != NULL) {
        snprintf(reply, REPLY_LENGTH_MAX + 1, "A%06X%04X", (unsigned)address,
                 (unsigned)entry->value);
    }
    wiced_rtos_unlock_mutex(&lock);
    return (uint32_t)strlen(reply);
}
