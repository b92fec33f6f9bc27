/*
 * The lab's dual client. Each button flips its LED and tells the server so:
 *
 *   button 0, LED 0: in the clear, port 27708
 *   button 1, LED 1: over TLS, port 40508
 *
 * A message is W, the device (the sum of the MAC's six bytes), register 05 and the LED's new state.
 * Each message takes a connection of its own. The interrupt handlers only count presses; each
 * button has a thread that works them off one by one, so presses that come together are both
 * served, and those that come while a round trip is open wait for their turn. A contact that
 * bounces makes several presses of one, as the lab teaches it; with DEBOUNCE_MS it makes one, and
 * what is shorter than that makes none.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "wiced.h"
#include "wiced_tls.h"

/* Options of the build. */
#ifndef FIRST_VALUE
#define FIRST_VALUE 1 /* what the first press sends; the LED starts as the other state */
#endif
#ifndef DEBOUNCE_MS
#define DEBOUNCE_MS 0 /* a press counts once the contact has rested for so long; 0: at once */
#endif
#ifndef RETRIES
#define RETRIES 0 /* further attempts after a message that nothing answered */
#endif

#define SERVER_NAME "wwep.ww101.cypress.com"
#define SERVER_FALLBACK MAKE_IPV4_ADDRESS(198, 51, 100, 3)
#define SERVER_PORT 27708
#define SERVER_PORT_TLS 40508

#define DNS_TIMEOUT_MS 10000
#define CONNECT_TIMEOUT_MS 2000
#define REPLY_TIMEOUT_MS 500

#define LED_REGISTER 5
#define MESSAGE_LENGTH 11
#define THREAD_STACK_SIZE 10000

typedef struct {
    unsigned number; /* of the button and of its LED */
    wiced_gpio_t button;
    wiced_gpio_t led;
    uint16_t port;
    wiced_bool_t is_secure;
    wiced_bool_t is_led_on;
    wiced_semaphore_t presses;
    wiced_semaphore_t changes; /* of the contact; with a debounce time only */
    wiced_thread_t thread;
    wiced_thread_t contact_thread;
} channel_t;

static channel_t channels[] = {
    {.number = 0, .button = WICED_BUTTON1, .led = WICED_LED1, .port = SERVER_PORT},
    {.number = 1,
     .button = WICED_BUTTON2,
     .led = WICED_LED2,
     .port = SERVER_PORT_TLS,
     .is_secure = WICED_TRUE},
};

static const uint32_t debounce_ms = DEBOUNCE_MS;
static uint16_t device;
static wiced_bool_t is_tls_usable = WICED_TRUE;

/* In interrupt context: record what happened and return. */
static void button_pressed(void* arg) {
    channel_t* channel = arg;
    wiced_rtos_set_semaphore(&channel->presses);
}

static void contact_changed(void* arg) {
    channel_t* channel = arg;
    wiced_rtos_set_semaphore(&channel->changes);
}

/* A thread of its own, so that presses during a round trip are not missed. */
static void watch_contact(wiced_thread_arg_t arg) {
    channel_t* channel = &channels[arg];
    wiced_bool_t was_pressed = WICED_FALSE;

    for (;;) {
        if (wiced_rtos_get_semaphore(&channel->changes, WICED_WAIT_FOREVER) != WICED_SUCCESS) {
            continue;
        }
        while (wiced_rtos_get_semaphore(&channel->changes, debounce_ms) == WICED_SUCCESS) {
            /* Not at rest yet. */
        }
        wiced_bool_t is_pressed = wiced_gpio_input_get(channel->button) ? WICED_FALSE : WICED_TRUE;
        if (is_pressed && !was_pressed) {
            wiced_rtos_set_semaphore(&channel->presses);
        }
        was_pressed = is_pressed;
    }
}

static void set_led(channel_t* channel, wiced_bool_t on) {
    channel->is_led_on = on;
    if (on) {
        wiced_gpio_output_high(channel->led);
    } else {
        wiced_gpio_output_low(channel->led);
    }
}

static void find_server(const channel_t* channel, wiced_ip_address_t* server) {
    wiced_result_t result =
        wiced_hostname_lookup(SERVER_NAME, server, DNS_TIMEOUT_MS, WICED_STA_INTERFACE);
    if (result != WICED_SUCCESS) {
        SET_IPV4_ADDRESS(*server, SERVER_FALLBACK);
        WPRINT_APP_INFO(
            ("button %u: DNS failed: %d, trying 198.51.100.3\n", channel->number, (int)result));
    }
}

/* A reply is A and ten digits, or an X with or without words after it. */
static void print_reply(const channel_t* channel, char* reply, uint32_t length) {
    for (uint32_t i = 0; i < length; ++i) {
        if (reply[i] < ' ' || reply[i] > '~') {
            reply[i] = '?';
        }
    }
    WPRINT_APP_INFO(("button %u: reply %.*s\n", channel->number, (int)length, reply));
}

static wiced_bool_t is_answer(const char* message, const char* reply, uint32_t length) {
    wiced_bool_t is_echo = length == MESSAGE_LENGTH && reply[0] == 'A' &&
                           memcmp(reply + 1, message + 1, MESSAGE_LENGTH - 1) == 0;
    return length > 0 && reply[0] == 'X' ? WICED_TRUE : is_echo;
}

static wiced_result_t exchange(channel_t* channel, wiced_tcp_socket_t* socket,
                               const char* message) {
    wiced_tcp_stream_t stream;
    char reply[MESSAGE_LENGTH];
    uint32_t length = 0;

    wiced_tcp_stream_init(&stream, socket);
    wiced_result_t result = wiced_tcp_stream_write(&stream, message, MESSAGE_LENGTH);
    if (result == WICED_SUCCESS) {
        result = wiced_tcp_stream_flush(&stream);
    }
    if (result != WICED_SUCCESS) {
        WPRINT_APP_INFO(("button %u: send failed: %d\n", channel->number, (int)result));
    } else {
        WPRINT_APP_INFO(("button %u: LED %u %s, sent %s %s\n", channel->number, channel->number,
                         channel->is_led_on ? "on" : "off", message,
                         channel->is_secure ? "over TLS" : "in the clear"));
        result = wiced_tcp_stream_read_with_count(&stream, reply, sizeof(reply), REPLY_TIMEOUT_MS,
                                                  &length);
        if (result == WICED_SUCCESS) {
            result = is_answer(message, reply, length) ? WICED_SUCCESS : WICED_ERROR;
            print_reply(channel, reply, length);
        } else {
            WPRINT_APP_INFO(("button %u: no reply: %d\n", channel->number, (int)result));
        }
    }
    wiced_tcp_stream_deinit(&stream);
    return result;
}

static wiced_result_t send_message(channel_t* channel, const char* message) {
    wiced_ip_address_t server;
    wiced_tcp_socket_t socket;
    wiced_tls_context_t tls_context;

    find_server(channel, &server);
    wiced_result_t result = wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    if (result != WICED_SUCCESS) {
        WPRINT_APP_INFO(("button %u: no socket: %d\n", channel->number, (int)result));
        return result;
    }
    if (channel->is_secure) {
        wiced_tls_init_context(&tls_context, NULL, NULL);
        wiced_tcp_enable_tls(&socket, &tls_context);
    }
    wiced_tcp_bind(&socket, WICED_ANY_PORT);
    result = wiced_tcp_connect(&socket, &server, channel->port, CONNECT_TIMEOUT_MS);
    if (result == WICED_SUCCESS) {
        result = exchange(channel, &socket, message);
    } else {
        WPRINT_APP_INFO(("button %u: %s failed: %d\n", channel->number,
                         channel->is_secure ? "TLS connect" : "connect", (int)result));
    }
    wiced_tcp_delete_socket(&socket);
    return result;
}

static void serve_presses(wiced_thread_arg_t arg) {
    channel_t* channel = &channels[arg];
    char message[MESSAGE_LENGTH + 1];

    for (;;) {
        if (wiced_rtos_get_semaphore(&channel->presses, WICED_WAIT_FOREVER) != WICED_SUCCESS) {
            continue;
        }
        set_led(channel, channel->is_led_on ? WICED_FALSE : WICED_TRUE);
        snprintf(message, sizeof(message), "W%04X%02X%04X", (unsigned)device,
                 (unsigned)LED_REGISTER, channel->is_led_on ? 1u : 0u);
        if (channel->is_secure && !is_tls_usable) {
            /* Sending to a server that cannot be verified would be the worse failure. */
            WPRINT_APP_INFO(
                ("button %u: not sent, the root certificate is not usable\n", channel->number));
            continue;
        }
        for (unsigned attempt = 0; attempt <= RETRIES; ++attempt) {
            if (send_message(channel, message) == WICED_SUCCESS) {
                break;
            }
        }
    }
}

static void load_root_certificate(void) {
    platform_dct_security_t* security = NULL;
    wiced_result_t result = wiced_dct_read_lock((void**)&security, WICED_FALSE,
                                                DCT_SECURITY_SECTION, 0, sizeof(*security));
    if (result != WICED_SUCCESS) {
        WPRINT_APP_INFO(("root certificate: DCT not readable: %d\n", (int)result));
        is_tls_usable = WICED_FALSE;
        return;
    }
    if (security->certificate[0] == '\0') {
        WPRINT_APP_INFO(("root certificate: none, the server is not verified\n"));
    } else {
        result = wiced_tls_init_root_ca_certificates(security->certificate,
                                                     (uint32_t)strlen(security->certificate));
        is_tls_usable = result == WICED_SUCCESS ? WICED_TRUE : WICED_FALSE;
        if (is_tls_usable) {
            WPRINT_APP_INFO(("root certificate: loaded, the server is verified\n"));
        } else {
            WPRINT_APP_INFO(("root certificate: not usable: %d\n", (int)result));
        }
    }
    wiced_dct_read_unlock(security, WICED_FALSE);
}

static void learn_device(void) {
    wiced_mac_t mac;
    wiced_wifi_get_mac_address(&mac);
    for (size_t i = 0; i < sizeof(mac.octet); ++i) {
        device = (uint16_t)(device + mac.octet[i]);
    }
    WPRINT_APP_INFO(("device %04X\n", (unsigned)device));
}

static wiced_result_t start_channel(size_t index) {
    channel_t* channel = &channels[index];
    set_led(channel, FIRST_VALUE ? WICED_FALSE : WICED_TRUE);
    WICED_VERIFY(wiced_rtos_init_semaphore(&channel->presses));
    WICED_VERIFY(wiced_rtos_create_thread(&channel->thread, WICED_APPLICATION_PRIORITY, "button",
                                          serve_presses, THREAD_STACK_SIZE, (void*)index));
    if (debounce_ms == 0) {
        return wiced_gpio_input_irq_enable(channel->button, IRQ_TRIGGER_FALLING_EDGE,
                                           button_pressed, channel);
    }
    WICED_VERIFY(wiced_rtos_init_semaphore(&channel->changes));
    WICED_VERIFY(wiced_rtos_create_thread(&channel->contact_thread, WICED_APPLICATION_PRIORITY,
                                          "contact", watch_contact, THREAD_STACK_SIZE,
                                          (void*)index));
    return wiced_gpio_input_irq_enable(channel->button, IRQ_TRIGGER_BOTH_EDGES, contact_changed,
                                       channel);
}

void application_start(void) {
    wiced_init();
    learn_device();
    wiced_result_t result =
        wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL);
    if (result != WICED_SUCCESS) {
        WPRINT_APP_INFO(("network: not up: %d\n", (int)result));
        return;
    }
    load_root_certificate();
    for (size_t i = 0; i < ARRAY_SIZE(channels); ++i) {
        result = start_channel(i);
        if (result != WICED_SUCCESS) {
            WPRINT_APP_INFO(("button %u: not armed: %d\n", (unsigned)i, (int)result));
            return;
        }
    }
    WPRINT_APP_INFO(("ready\n"));
}
