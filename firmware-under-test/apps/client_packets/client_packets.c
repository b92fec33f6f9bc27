/*
 * The client with packets: fills one, sends it, and takes the reply from another. A packet belongs
 * to the stack once it was sent, and to the client when sending failed or it was received.
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

static wiced_result_t send_packet(wiced_tcp_socket_t* socket, const char* message) {
    wiced_packet_t* packet = NULL;
    uint8_t* data = NULL;
    uint16_t space = 0;

    WICED_VERIFY(wiced_packet_create_tcp(socket, MESSAGE_LENGTH, &packet, &data, &space));
    memcpy(data, message, MESSAGE_LENGTH);
    wiced_packet_set_data_end(packet, data + MESSAGE_LENGTH);
    wiced_result_t result = wiced_tcp_send_packet(socket, packet);
    if (result != WICED_SUCCESS) {
        wiced_packet_delete(packet); /* still ours */
    }
    return result;
}

static wiced_result_t receive_packet(wiced_tcp_socket_t* socket) {
    wiced_packet_t* packet = NULL;
    uint8_t* data = NULL;
    uint16_t length = 0;
    uint16_t total = 0;

    WICED_VERIFY(wiced_tcp_receive(socket, &packet, REPLY_TIMEOUT_MS));
    wiced_packet_get_data(packet, 0, &data, &length, &total);
    WPRINT_APP_INFO(("reply %.*s\n", (int)length, (const char*)data));
    return wiced_packet_delete(packet);
}

static void send_message(const char* message) {
    wiced_ip_address_t server;
    wiced_tcp_socket_t socket;

    find_server(&server);
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_tcp_bind(&socket, WICED_ANY_PORT);
    wiced_result_t result = wiced_tcp_connect(&socket, &server, SERVER_PORT, CONNECT_TIMEOUT_MS);
    if (result == WICED_SUCCESS) {
        result = send_packet(&socket, message);
    }
    if (result == WICED_SUCCESS) {
        WPRINT_APP_INFO(("sent %s\n", message));
        result = receive_packet(&socket);
    }
    if (result != WICED_SUCCESS) {
        WPRINT_APP_INFO(("failed: %d\n", (int)result));
    }
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
