/*
 * The client that checks the reply. Button 0 flips the LED and writes its state, which the server
 * must accept by sending the same digits back. Button 1 sends a frame that is too short, which the
 * server must answer with X.
 */
#include "wiced.h"

#define SERVER_NAME "wwep.ww101.cypress.com"
#define SERVER_FALLBACK MAKE_IPV4_ADDRESS(198, 51, 100, 3)
#define SERVER_PORT 27708
#define DNS_TIMEOUT_MS 10000
#define CONNECT_TIMEOUT_MS 2000
#define REPLY_TIMEOUT_MS 500
#define MESSAGE_LENGTH 11
#define PRESSES_QUEUED_MAX 8

static wiced_queue_t presses;
static const uint32_t legal = 0;
static const uint32_t illegal = 1;

static void button_pressed(void* arg) {
    uint32_t message = *(const uint32_t*)arg;
    wiced_rtos_push_to_queue(&presses, &message, WICED_NO_WAIT);
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

static void check_reply(const char* message, const char* reply, uint32_t length) {
    if (length == MESSAGE_LENGTH && reply[0] == 'A' &&
        strncmp(reply + 1, message + 1, MESSAGE_LENGTH - 1) == 0) {
        WPRINT_APP_INFO(("%s: accepted\n", message));
    } else if (length > 0 && reply[0] == 'X') {
        WPRINT_APP_INFO(("%s: refused\n", message));
    } else {
        WPRINT_APP_INFO(("%s: wrong reply %.*s\n", message, (int)length, reply));
    }
}

static void send_message(const char* message) {
    wiced_ip_address_t server;
    wiced_tcp_socket_t socket;
    wiced_tcp_stream_t stream;
    char reply[MESSAGE_LENGTH];
    uint32_t length = 0;

    find_server(&server);
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_tcp_bind(&socket, WICED_ANY_PORT);
    wiced_result_t result = wiced_tcp_connect(&socket, &server, SERVER_PORT, CONNECT_TIMEOUT_MS);
    if (result == WICED_SUCCESS) {
        wiced_tcp_stream_init(&stream, &socket);
        wiced_tcp_stream_write(&stream, message, (uint32_t)strlen(message));
        wiced_tcp_stream_flush(&stream);
        result = wiced_tcp_stream_read_with_count(&stream, reply, sizeof(reply), REPLY_TIMEOUT_MS,
                                                  &length);
        wiced_tcp_stream_deinit(&stream);
    }
    if (result == WICED_SUCCESS) {
        check_reply(message, reply, length);
    } else {
        WPRINT_APP_INFO(("%s: no reply: %d\n", message, (int)result));
    }
    wiced_tcp_delete_socket(&socket);
}

void application_start(void) {
    char message[MESSAGE_LENGTH + 1];
    wiced_bool_t is_on = WICED_FALSE;
    uint32_t which = 0;

    wiced_init();
    uint16_t device = learn_device();
    if (wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL) !=
        WICED_SUCCESS) {
        WPRINT_APP_INFO(("no network\n"));
        return;
    }
    wiced_rtos_init_queue(&presses, "presses", sizeof(uint32_t), PRESSES_QUEUED_MAX);
    wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, button_pressed,
                                (void*)&legal);
    wiced_gpio_input_irq_enable(WICED_BUTTON2, IRQ_TRIGGER_FALLING_EDGE, button_pressed,
                                (void*)&illegal);
    WPRINT_APP_INFO(("ready\n"));
    for (;;) {
        wiced_rtos_pop_from_queue(&presses, &which, WICED_WAIT_FOREVER);
        if (which == legal) {
            is_on = is_on ? WICED_FALSE : WICED_TRUE;
            is_on ? wiced_gpio_output_high(WICED_LED1) : wiced_gpio_output_low(WICED_LED1);
            snprintf(message, sizeof(message), "W%04X05%04X", (unsigned)device, is_on ? 1u : 0u);
        } else {
            snprintf(message, sizeof(message), "W%04X0", (unsigned)device);
        }
        send_message(message);
    }
}
