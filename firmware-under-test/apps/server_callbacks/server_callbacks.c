/*
 * The server with callbacks, for one connection at a time. All three run one after another in the
 * SDK's networking worker; after a disconnect the socket has to listen again.
 */
#include "registers.h"
#include "wiced.h"

#define SERVER_PORT 27708

static wiced_tcp_socket_t listener;

/* A packet is taken for a frame: one that TCP has cut in two is refused. */
static void answer_packet(wiced_tcp_socket_t* socket, wiced_packet_t* packet) {
    uint8_t* data = NULL;
    uint16_t length = 0;
    uint16_t total = 0;
    char reply[REPLY_LENGTH_MAX + 1];

    wiced_packet_get_data(packet, 0, &data, &length, &total);
    uint32_t reply_length = registers_answer((const char*)data, length, reply);
    WPRINT_APP_INFO(("%.*s: %s\n", (int)MIN(length, REPLY_LENGTH_MAX), (const char*)data, reply));
    wiced_packet_delete(packet);
    wiced_tcp_send_buffer(socket, reply, (uint16_t)reply_length);
}

static wiced_result_t peer_connects(wiced_tcp_socket_t* socket, void* arg) {
    (void)arg;
    return wiced_tcp_accept(socket);
}

static wiced_result_t data_is_there(wiced_tcp_socket_t* socket, void* arg) {
    wiced_packet_t* packet = NULL;
    (void)arg;
    if (wiced_tcp_receive(socket, &packet, WICED_NO_WAIT) == WICED_SUCCESS) {
        answer_packet(socket, packet);
        wiced_tcp_disconnect(socket);
    }
    return WICED_SUCCESS;
}

static wiced_result_t peer_is_gone(wiced_tcp_socket_t* socket, void* arg) {
    (void)arg;
    wiced_tcp_disconnect(socket);
    return wiced_tcp_listen(socket, SERVER_PORT);
}

void application_start(void) {
    wiced_init();
    registers_init();
    if (wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL) !=
        WICED_SUCCESS) {
        WPRINT_APP_INFO(("no network\n"));
        return;
    }
    wiced_tcp_create_socket(&listener, WICED_STA_INTERFACE);
    wiced_tcp_register_callbacks(&listener, peer_connects, data_is_there, peer_is_gone, NULL);
    wiced_result_t result = wiced_tcp_listen(&listener, SERVER_PORT);
    WPRINT_APP_INFO(("listening: %d\n", (int)result));
}
