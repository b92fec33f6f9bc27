/*
 * The server for one connection at a time, with packets: accepts, reads a packet, answers,
 * disconnects. accept waits 3 s for a peer and is then called again.
 */
#include "registers.h"
#include "wiced.h"

#define SERVER_PORT 27708
#define FRAME_TIMEOUT_MS 5000

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

void application_start(void) {
    wiced_tcp_socket_t socket;
    wiced_packet_t* packet = NULL;

    wiced_init();
    registers_init();
    if (wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL) !=
        WICED_SUCCESS) {
        WPRINT_APP_INFO(("no network\n"));
        return;
    }
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_result_t result = wiced_tcp_listen(&socket, SERVER_PORT);
    WPRINT_APP_INFO(("listening: %d\n", (int)result));
    for (;;) {
        if (wiced_tcp_accept(&socket) != WICED_SUCCESS) {
            continue;
        }
        if (wiced_tcp_receive(&socket, &packet, FRAME_TIMEOUT_MS) == WICED_SUCCESS) {
            answer_packet(&socket, packet);
        }
        wiced_tcp_disconnect(&socket);
    }
}
