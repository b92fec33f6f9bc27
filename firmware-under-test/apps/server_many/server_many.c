/*
 * The server for many connections, with the SDK's server helper. A connection stays until its peer
 * closes it, and every packet on it is answered.
 */
#include "registers.h"
#include "wiced.h"

#define SERVER_PORT 27708
#define CONNECTIONS_MAX 5

static wiced_tcp_server_t server;

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
    return wiced_tcp_server_accept(&server, socket);
}

/* One call can stand for several packets. */
static wiced_result_t data_is_there(wiced_tcp_socket_t* socket, void* arg) {
    wiced_packet_t* packet = NULL;
    (void)arg;
    while (wiced_tcp_receive(socket, &packet, WICED_NO_WAIT) == WICED_SUCCESS) {
        answer_packet(socket, packet);
    }
    return WICED_SUCCESS;
}

static wiced_result_t peer_is_gone(wiced_tcp_socket_t* socket, void* arg) {
    (void)arg;
    return wiced_tcp_server_disconnect_socket(&server, socket);
}

void application_start(void) {
    wiced_init();
    registers_init();
    if (wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL) !=
        WICED_SUCCESS) {
        WPRINT_APP_INFO(("no network\n"));
        return;
    }
    wiced_result_t result =
        wiced_tcp_server_start(&server, WICED_STA_INTERFACE, SERVER_PORT, CONNECTIONS_MAX,
                               peer_connects, data_is_there, peer_is_gone, NULL);
    WPRINT_APP_INFO(("listening: %d\n", (int)result));
}
