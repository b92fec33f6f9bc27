/* The server helper: several sockets that take turns at one port. */
#include <stdlib.h>
#include <string.h>

#include "wiced_tcpip.h"

struct wiced_tcp_server_slot {
    wiced_tcp_socket_t socket;
    bool is_taken;
};

static void delete_sockets(wiced_tcp_server_t* server) {
    for (uint16_t i = 0; i < server->max_sockets; ++i) {
        (void)wiced_tcp_delete_socket(&server->slots[i].socket);
    }
    free(server->slots);
    server->slots = NULL;
    server->max_sockets = 0;
}

static wiced_tcp_server_slot_t* slot_of(wiced_tcp_server_t* server,
                                        const wiced_tcp_socket_t* socket) {
    for (uint16_t i = 0; i < server->max_sockets; ++i) {
        if (&server->slots[i].socket == socket) {
            return &server->slots[i];
        }
    }
    return NULL;
}

/* Gives the port to a free socket. Harmless when one has it or all are taken. */
static void listen_with_free_socket(wiced_tcp_server_t* server) {
    for (uint16_t i = 0; i < server->max_sockets; ++i) {
        if (!server->slots[i].is_taken) {
            (void)wiced_tcp_listen(&server->slots[i].socket, server->port);
            return;
        }
    }
}

wiced_result_t wiced_tcp_server_start(wiced_tcp_server_t* server, wiced_interface_t interface,
                                      uint16_t port, uint16_t max_sockets,
                                      wiced_tcp_socket_callback_t connect_callback,
                                      wiced_tcp_socket_callback_t receive_callback,
                                      wiced_tcp_socket_callback_t disconnect_callback, void* arg) {
    if (server == NULL || max_sockets == 0 ||
        max_sockets > WICED_MAXIMUM_NUMBER_OF_SERVER_SOCKETS) {
        return WICED_BADARG;
    }
    memset(server, 0, sizeof(*server));
    server->slots = calloc(max_sockets, sizeof(*server->slots));
    if (server->slots == NULL) {
        return WICED_OUT_OF_HEAP_SPACE;
    }
    server->max_sockets = max_sockets;
    server->port = port;
    server->interface = interface;
    wiced_result_t result = WICED_SUCCESS;
    for (uint16_t i = 0; i < max_sockets && result == WICED_SUCCESS; ++i) {
        wiced_tcp_socket_t* socket = &server->slots[i].socket;
        result = wiced_tcp_create_socket(socket, interface);
        if (result == WICED_SUCCESS) {
            result = wiced_tcp_register_callbacks(socket, connect_callback, receive_callback,
                                                  disconnect_callback, arg);
        }
    }
    if (result == WICED_SUCCESS) {
        result = wiced_tcp_listen(&server->slots[0].socket, port);
    }
    if (result != WICED_SUCCESS) {
        delete_sockets(server);
    }
    return result;
}

wiced_result_t wiced_tcp_server_accept(wiced_tcp_server_t* server, wiced_tcp_socket_t* socket) {
    wiced_tcp_server_slot_t* slot = slot_of(server, socket);
    if (slot == NULL) {
        return WICED_BADARG;
    }
    wiced_result_t result = wiced_tcp_accept(socket);
    if (result != WICED_SUCCESS) {
        (void)wiced_tcp_disconnect(socket);
        (void)wiced_tcp_listen(socket, server->port);
        return result;
    }
    slot->is_taken = true;
    listen_with_free_socket(server);
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_server_disconnect_socket(wiced_tcp_server_t* server,
                                                  wiced_tcp_socket_t* socket) {
    wiced_tcp_server_slot_t* slot = slot_of(server, socket);
    if (slot == NULL) {
        return WICED_BADARG;
    }
    wiced_result_t result = wiced_tcp_disconnect(socket);
    slot->is_taken = false;
    listen_with_free_socket(server);
    return result;
}

wiced_result_t wiced_tcp_server_enable_tls(wiced_tcp_server_t* server,
                                           wiced_tls_identity_t* tls_identity) {
    if (server == NULL) {
        return WICED_BADARG;
    }
    server->tls_identity = tls_identity;
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_server_stop(wiced_tcp_server_t* server) {
    if (server == NULL) {
        return WICED_BADARG;
    }
    delete_sockets(server);
    return WICED_SUCCESS;
}
