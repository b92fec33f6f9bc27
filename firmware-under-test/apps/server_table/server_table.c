/*
 * The server that prints its table of transactions: a line for each as it happens, and on a press
 * of button 0 how many were accepted and refused.
 */
#include "registers.h"
#include "wiced.h"

#define SERVER_PORT 27708
#define IDLE_TIMEOUT_MS 5000
#define FRAME_TIMEOUT_MS 200

typedef struct {
    uint32_t accepted;
    uint32_t refused;
} counts_t;

static counts_t counts;

static wiced_result_t print_counts(void* arg) {
    (void)arg;
    WPRINT_APP_INFO(
        ("accepted %u, refused %u\n", (unsigned)counts.accepted, (unsigned)counts.refused));
    return WICED_SUCCESS;
}

static void button_pressed(void* arg) {
    wiced_rtos_send_asynchronous_event(WICED_NETWORKING_WORKER_THREAD, print_counts, arg);
}

static void print_row(wiced_tcp_socket_t* socket, const char* frame, uint32_t length,
                      const char* reply) {
    wiced_ip_address_t peer;
    uint16_t port = 0;
    char address[16] = "?";

    if (wiced_tcp_server_peer(socket, &peer, &port) == WICED_SUCCESS) {
        snprintf(address, sizeof(address), IPV4_PRINT_FORMAT, IPV4_SPLIT_TO_PRINT(peer));
    }
    if (reply[0] == 'A') {
        ++counts.accepted;
        WPRINT_APP_INFO(("%4u | %-15s | %-5s | %.4s   | %.2s       | %.4s\n",
                         (unsigned)(counts.accepted + counts.refused), address,
                         frame[0] == 'W' ? "write" : "read", reply + 1, reply + 5, reply + 7));
    } else {
        ++counts.refused;
        WPRINT_APP_INFO(("%4u | %-15s | refused %.*s\n",
                         (unsigned)(counts.accepted + counts.refused), address, (int)length,
                         frame));
    }
}

/* The command letter tells how much to wait for. What is not there in time is refused. */
static void serve_peer(wiced_tcp_socket_t* socket) {
    wiced_tcp_stream_t stream;
    char frame[REPLY_LENGTH_MAX] = "";
    char reply[REPLY_LENGTH_MAX + 1];
    uint32_t rest = 0;

    wiced_tcp_stream_init(&stream, socket);
    if (wiced_tcp_stream_read(&stream, frame, 1, IDLE_TIMEOUT_MS) == WICED_SUCCESS) {
        uint16_t wanted = frame[0] == 'R' ? 6 : frame[0] == 'W' ? 10 : 0;
        wiced_tcp_stream_read_with_count(&stream, frame + 1, wanted, FRAME_TIMEOUT_MS, &rest);
        uint32_t length = registers_answer(frame, 1 + rest, reply);
        wiced_tcp_stream_write(&stream, reply, length);
        wiced_tcp_stream_flush(&stream);
        print_row(socket, frame, 1 + rest, reply);
    }
    wiced_tcp_stream_deinit(&stream);
    wiced_tcp_disconnect(socket);
}

void application_start(void) {
    wiced_tcp_socket_t socket;

    wiced_init();
    registers_init();
    if (wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL) !=
        WICED_SUCCESS) {
        WPRINT_APP_INFO(("no network\n"));
        return;
    }
    wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, button_pressed, NULL);
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_result_t result = wiced_tcp_listen(&socket, SERVER_PORT);
    WPRINT_APP_INFO(("listening: %d\n", (int)result));
    WPRINT_APP_INFO(("     | peer            | what  | device | register | value\n"));
    for (;;) {
        if (wiced_tcp_accept(&socket) == WICED_SUCCESS) {
            serve_peer(&socket);
        }
    }
}
