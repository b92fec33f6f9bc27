#include "linked_list.h"

#include <stddef.h>
#include <string.h>

/*
 * Results on an empty list differ from function to function (bad argument here, not found there):
 * that is how the SDK answers, and programs test for it.
 */

wiced_result_t linked_list_init(linked_list_t* list) {
    if (list == NULL) {
        return WICED_BADARG;
    }
    memset(list, 0, sizeof(*list));
    return WICED_SUCCESS;
}

wiced_result_t linked_list_deinit(linked_list_t* list) {
    if (list == NULL) {
        return WICED_BADARG;
    }
    linked_list_node_t* node = list->front;
    while (node != NULL) {
        linked_list_node_t* next = node->next;
        node->next = NULL;
        node->prev = NULL;
        node = next;
    }
    return linked_list_init(list);
}

wiced_result_t linked_list_get_count(linked_list_t* list, uint32_t* count) {
    if (list == NULL || count == NULL) {
        return WICED_BADARG;
    }
    *count = list->count;
    return WICED_SUCCESS;
}

wiced_result_t linked_list_set_node_data(linked_list_node_t* node, const void* data) {
    if (node == NULL) {
        return WICED_BADARG;
    }
    memcpy(&node->data, &data, sizeof(node->data));
    return WICED_SUCCESS;
}

wiced_result_t linked_list_get_node_data(linked_list_node_t* node, void** data) {
    if (node == NULL || data == NULL) {
        return WICED_BADARG;
    }
    *data = node->data;
    return WICED_SUCCESS;
}

static wiced_result_t get_end(linked_list_node_t* end, linked_list_node_t** node) {
    *node = end;
    return end != NULL ? WICED_SUCCESS : WICED_NOT_FOUND;
}

wiced_result_t linked_list_get_front_node(linked_list_t* list, linked_list_node_t** front_node) {
    return list == NULL || front_node == NULL ? WICED_BADARG : get_end(list->front, front_node);
}

wiced_result_t linked_list_get_rear_node(linked_list_t* list, linked_list_node_t** rear_node) {
    return list == NULL || rear_node == NULL ? WICED_BADARG : get_end(list->rear, rear_node);
}

wiced_result_t linked_list_find_node(linked_list_t* list, linked_list_compare_callback_t callback,
                                     void* user_data, linked_list_node_t** node_found) {
    if (list == NULL || callback == NULL || node_found == NULL || list->count == 0) {
        return WICED_BADARG;
    }
    for (linked_list_node_t* node = list->front; node != NULL; node = node->next) {
        if (callback(node, user_data) == WICED_TRUE) {
            *node_found = node;
            return WICED_SUCCESS;
        }
    }
    return WICED_NOT_FOUND;
}

/* Puts node between two neighbours, either of which may be missing. */
static void insert_between(linked_list_t* list, linked_list_node_t* before,
                           linked_list_node_t* after, linked_list_node_t* node) {
    node->prev = before;
    node->next = after;
    *(before != NULL ? &before->next : &list->front) = node;
    *(after != NULL ? &after->prev : &list->rear) = node;
    ++list->count;
}

wiced_result_t linked_list_insert_node_at_front(linked_list_t* list, linked_list_node_t* node) {
    if (list == NULL || node == NULL) {
        return WICED_BADARG;
    }
    insert_between(list, NULL, list->front, node);
    return WICED_SUCCESS;
}

wiced_result_t linked_list_insert_node_at_rear(linked_list_t* list, linked_list_node_t* node) {
    if (list == NULL || node == NULL) {
        return WICED_BADARG;
    }
    insert_between(list, list->rear, NULL, node);
    return WICED_SUCCESS;
}

wiced_result_t linked_list_insert_node_before(linked_list_t* list,
                                              linked_list_node_t* reference_node,
                                              linked_list_node_t* node) {
    if (list == NULL || reference_node == NULL || node == NULL || list->count == 0) {
        return WICED_BADARG;
    }
    insert_between(list, reference_node->prev, reference_node, node);
    return WICED_SUCCESS;
}

wiced_result_t linked_list_insert_node_after(linked_list_t* list,
                                             linked_list_node_t* reference_node,
                                             linked_list_node_t* node) {
    if (list == NULL || reference_node == NULL || node == NULL || list->count == 0) {
        return WICED_BADARG;
    }
    insert_between(list, reference_node, reference_node->next, node);
    return WICED_SUCCESS;
}

wiced_result_t linked_list_remove_node(linked_list_t* list, linked_list_node_t* node) {
    if (list == NULL || node == NULL) {
        return WICED_BADARG;
    }
    if (list->count == 0) {
        return WICED_NOT_FOUND;
    }
    if (list->count == 1) {
        /* Whatever node was passed: the SDK does not look either. */
        list->front = NULL;
        list->rear = NULL;
    } else if (node != list->front && node != list->rear &&
               (node->prev == NULL || node->next == NULL)) {
        return WICED_BADARG; /* an inner node that was removed before */
    } else {
        *(node->prev != NULL ? &node->prev->next : &list->front) = node->next;
        *(node->next != NULL ? &node->next->prev : &list->rear) = node->prev;
    }
    --list->count;
    node->next = NULL;
    node->prev = NULL;
    return WICED_SUCCESS;
}

wiced_result_t linked_list_remove_node_from_front(linked_list_t* list,
                                                  linked_list_node_t** removed_node) {
    if (list == NULL || removed_node == NULL || list->count == 0) {
        return WICED_BADARG;
    }
    *removed_node = list->front;
    return linked_list_remove_node(list, *removed_node);
}

wiced_result_t linked_list_remove_node_from_rear(linked_list_t* list,
                                                 linked_list_node_t** removed_node) {
    if (list == NULL || removed_node == NULL) {
        return WICED_BADARG;
    }
    if (list->count == 0) {
        return WICED_NOT_FOUND;
    }
    *removed_node = list->rear;
    return linked_list_remove_node(list, *removed_node);
}
