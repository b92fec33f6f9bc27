/*
 * The client that shows the transaction on its console: what went to whom, what came back, what it
 * means, and how long it took.
 */
#include "wiced.h"

#define SERVER_NAME "wwep.ww101.cypress.com"
#define SERVER_FALLBACK MAKE_IPV4_ADDRESS(198, 51, 100, 3)
#define SERVER_PORT 27708
#define DNS_TIMEOUT_MS 10000
#define CONNECT_TIMEOUT_MS 2000
#define MESSAGE_LENGTH 11
#define REPLY_TIMEOUT_MS 500

static wiced_semaphore_t pressed;

static void button_pressed(void* arg) {
    (void)arg;
    wiced_rtos_set_semaphore(&pressed);
}

/* The device is the sum of the six bytes of the MAC address. */
static uint16_t learn_device(void) {
    wiced_mac_t mac;
    uint16_t sum = 0;
    wiced_wifi_get_mac_address(&mac);
    for (size_t i = 0; i < sizeof(mac.octet); ++i) {
        sum = (uint16_t)(sum + mac.octet[i]);
    }
    return sum;
}

static void find_server(wiced_ip_address_t* server) {
    if (wiced_hostname_lookup(SERVER_NAME, server, DNS_TIMEOUT_MS, WICED_STA_INTERFACE) !=
        WICED_SUCCESS) {
        SET_IPV4_ADDRESS(*server, SERVER_FALLBACK);
    }
}

static void show_reply(const char* reply, uint32_t length) {
    WPRINT_APP_INFO(("<- %.*s\n", (int)length, reply));
    if (length == MESSAGE_LENGTH && reply[0] == 'A') {
        WPRINT_APP_INFO(("   accepted: device %.4s register %.2s value %.4s\n", reply + 1,
                         reply + 5, reply + 7));
    } else {
        WPRINT_APP_INFO(("   not accepted\n"));
    }
}

static void send_message(const char* message) {
    wiced_ip_address_t server;
    wiced_tcp_socket_t socket;
    wiced_tcp_stream_t stream;
    char reply[MESSAGE_LENGTH];
    uint32_t length = 0;
    wiced_time_t began_ms = 0;
    wiced_time_t ended_ms = 0;

    wiced_time_get_time(&began_ms);
    find_server(&server);
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_tcp_bind(&socket, WICED_ANY_PORT);
    wiced_result_t result = wiced_tcp_connect(&socket, &server, SERVER_PORT, CONNECT_TIMEOUT_MS);
    WPRINT_APP_INFO(("-> %s to " IPV4_PRINT_FORMAT " port %d\n", message,
                     IPV4_SPLIT_TO_PRINT(server), SERVER_PORT));
    if (result == WICED_SUCCESS) {
        wiced_tcp_stream_init(&stream, &socket);
        wiced_tcp_stream_write(&stream, message, MESSAGE_LENGTH);
        wiced_tcp_stream_flush(&stream);
        result = wiced_tcp_stream_read_with_count(&stream, reply, sizeof(reply), REPLY_TIMEOUT_MS,
                                                  &length);
        wiced_tcp_stream_deinit(&stream);
    }
    wiced_time_get_time(&ended_ms);
    if (result == WICED_SUCCESS) {
        show_reply(reply, length);
    } else {
        WPRINT_APP_INFO(("   no reply: %d\n", (int)result));
    }
    WPRINT_APP_INFO(("   took %u ms\n", (unsigned)(ended_ms - began_ms)));
    wiced_tcp_delete_socket(&socket);
}

void application_start(void) {
    char message[MESSAGE_LENGTH + 1];
    wiced_bool_t is_on = WICED_FALSE;

    wiced_init();
    uint16_t device = learn_device();
    if (wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL) !=
        WICED_SUCCESS) {
        WPRINT_APP_INFO(("no network\n"));
        return;
    }
    wiced_rtos_init_semaphore(&pressed);
    wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, button_pressed, NULL);
    WPRINT_APP_INFO(("ready\n"));
    for (;;) {
        wiced_rtos_get_semaphore(&pressed, WICED_WAIT_FOREVER);
        is_on = is_on ? WICED_FALSE : WICED_TRUE;
        is_on ? wiced_gpio_output_high(WICED_LED1) : wiced_gpio_output_low(WICED_LED1);
        snprintf(message, sizeof(message), "W%04X05%04X", (unsigned)device, is_on ? 1u : 0u);
        send_message(message);
    }
}
