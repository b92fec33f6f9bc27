/*
 * A client that is weak on purpose, for trying scenarios: one of them must catch it. Without any of
 * the switches WEAK_* it is sound. Each switch makes one mistake of those that such programs are
 * known for, and changes one line.
 *
 * Button 0 flips LED 0 and writes its state in the clear, button 1 the same with LED 1 over TLS. A
 * message that the server did not answer is sent once more; an X is an answer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wiced.h"
#include "wiced_tls.h"

#define SERVER_NAME "wwep.ww101.cypress.com"
#define SERVER_FALLBACK MAKE_IPV4_ADDRESS(198, 51, 100, 3)
#define DNS_TIMEOUT_MS 10000
#define CONNECT_TIMEOUT_MS 2000
#define ATTEMPTS 2
#define MESSAGE_LENGTH 11
#define THREAD_STACK_SIZE 10000

#ifdef WEAK_NO_TIMEOUT
#define REPLY_TIMEOUT_MS WICED_WAIT_FOREVER
#else
#define REPLY_TIMEOUT_MS 500
#endif

#ifdef WEAK_BUFFER_OVERRUN
#define REPLY_LENGTH_MAX 4000 /* whatever comes, into a buffer of MESSAGE_LENGTH */
#else
#define REPLY_LENGTH_MAX MESSAGE_LENGTH
#endif

typedef struct {
    unsigned number;
    wiced_gpio_t button;
    wiced_gpio_t led;
    uint16_t port;
    wiced_bool_t is_secure;
    wiced_bool_t is_led_on;
    wiced_semaphore_t presses;
    wiced_thread_t thread;
} channel_t;

static channel_t channels[] = {
    {.number = 0, .button = WICED_BUTTON1, .led = WICED_LED1, .port = 27708},
    {.number = 1,
     .button = WICED_BUTTON2,
     .led = WICED_LED2,
     .port = 40508,
     .is_secure = WICED_TRUE},
};
static uint16_t device;

static void button_pressed(void* arg) {
    channel_t* channel = arg;
    wiced_rtos_set_semaphore(&channel->presses);
}

static void drive_led(const channel_t* channel, wiced_bool_t on) {
#ifndef WEAK_LED_NEVER_CHANGES
    on ? wiced_gpio_output_high(channel->led) : wiced_gpio_output_low(channel->led);
#else
    (void)channel, (void)on;
#endif
}

static void flip_led(channel_t* channel) {
    channel->is_led_on = channel->is_led_on ? WICED_FALSE : WICED_TRUE;
    drive_led(channel, channel->is_led_on);
#ifdef WEAK_LED_FLICKERS
    drive_led(channel, !channel->is_led_on), drive_led(channel, channel->is_led_on);
#endif
}

/* An A with the digits of the message, or an X, which is an answer too. */
static wiced_bool_t is_answer(const char* message, const char* reply, uint32_t length) {
#ifdef WEAK_REPLY_NOT_CHECKED
    return WICED_TRUE;
#endif
    if (length > 0 && reply[0] == 'X') {
        return WICED_TRUE;
    }
    return length == MESSAGE_LENGTH && reply[0] == 'A' &&
                   strncmp(reply + 1, message + 1, MESSAGE_LENGTH - 1) == 0
               ? WICED_TRUE
               : WICED_FALSE;
}

static wiced_result_t exchange(const channel_t* channel, wiced_tcp_socket_t* socket,
                               const char* message) {
    wiced_tcp_stream_t stream;
    char reply[MESSAGE_LENGTH];
    uint32_t length = 0;

    wiced_tcp_stream_init(&stream, socket);
    wiced_result_t result = wiced_tcp_stream_write(&stream, message, MESSAGE_LENGTH);
    if (result == WICED_SUCCESS) {
        result = wiced_tcp_stream_flush(&stream);
    }
    if (result == WICED_SUCCESS) {
        result = wiced_tcp_stream_read_with_count(&stream, reply, REPLY_LENGTH_MAX,
                                                  REPLY_TIMEOUT_MS, &length);
    }
    wiced_tcp_stream_deinit(&stream);
    if (result == WICED_SUCCESS && !is_answer(message, reply, length)) {
        result = WICED_ERROR;
    }
    WPRINT_APP_INFO(("button %u: sent %s, reply %.*s: %d\n", channel->number, message, (int)length,
                     reply, (int)result));
    return result;
}

static wiced_result_t send_message(const channel_t* channel, const char* message) {
    wiced_ip_address_t server;
    wiced_tls_context_t* tls_context = calloc(1, sizeof(*tls_context));
    wiced_tcp_socket_t* socket = calloc(1, sizeof(*socket));
    wiced_result_t result = WICED_OUT_OF_HEAP_SPACE;

    if (wiced_hostname_lookup(SERVER_NAME, &server, DNS_TIMEOUT_MS, WICED_STA_INTERFACE) !=
        WICED_SUCCESS) {
        SET_IPV4_ADDRESS(server, SERVER_FALLBACK);
    }
    if (socket != NULL && tls_context != NULL) {
        result = wiced_tcp_create_socket(socket, WICED_STA_INTERFACE);
    }
    if (result == WICED_SUCCESS && channel->is_secure) {
        wiced_tls_init_context(tls_context, NULL, NULL);
        wiced_tcp_enable_tls(socket, tls_context);
    }
    if (result == WICED_SUCCESS) {
        result = wiced_tcp_connect(socket, &server, channel->port, CONNECT_TIMEOUT_MS);
        if (result == WICED_SUCCESS) {
            result = exchange(channel, socket, message);
        }
#ifdef WEAK_SOCKET_LEAKED
        if (result != WICED_SUCCESS)
            return result;
#endif
        wiced_tcp_delete_socket(socket);
    }
    free(socket);
    free(tls_context);
    return result;
}

static void serve_presses(wiced_thread_arg_t arg) {
    channel_t* channel = &channels[arg];
    char message[MESSAGE_LENGTH + 1];

    for (;;) {
        if (wiced_rtos_get_semaphore(&channel->presses, WICED_WAIT_FOREVER) != WICED_SUCCESS) {
            continue;
        }
        flip_led(channel);
        snprintf(message, sizeof(message), "W%04X05%04X", (unsigned)device,
                 channel->is_led_on ? 1u : 0u);
        for (unsigned attempt = 0; attempt < ATTEMPTS; ++attempt) {
            if (send_message(channel, message) == WICED_SUCCESS) {
                break;
            }
#ifdef WEAK_LED_FLIPPED_TWICE
            flip_led(channel);
#endif
        }
    }
}

static wiced_result_t load_root_certificate(void) {
    platform_dct_security_t* security = NULL;
    wiced_result_t result = wiced_dct_read_lock((void**)&security, WICED_FALSE,
                                                DCT_SECURITY_SECTION, 0, sizeof(*security));
#ifndef WEAK_NO_VERIFICATION
    if (result == WICED_SUCCESS && security->certificate[0] != '\0') {
        result = wiced_tls_init_root_ca_certificates(security->certificate,
                                                     (uint32_t)strlen(security->certificate));
    }
#endif
    wiced_dct_read_unlock(security, WICED_FALSE);
    return result;
}

static wiced_result_t start(void) {
    wiced_mac_t mac;
    WICED_VERIFY(wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL));
    WICED_VERIFY(wiced_wifi_get_mac_address(&mac));
    for (size_t i = 0; i < sizeof(mac.octet); ++i) {
        device = (uint16_t)(device + mac.octet[i]);
    }
    WICED_VERIFY(load_root_certificate());
    for (size_t i = 0; i < ARRAY_SIZE(channels); ++i) {
        channel_t* channel = &channels[i];
        drive_led(channel, WICED_FALSE);
        WICED_VERIFY(wiced_rtos_init_semaphore(&channel->presses));
        WICED_VERIFY(wiced_rtos_create_thread(&channel->thread, WICED_APPLICATION_PRIORITY,
                                              "button", serve_presses, THREAD_STACK_SIZE,
                                              (void*)i));
        WICED_VERIFY(wiced_gpio_input_irq_enable(channel->button, IRQ_TRIGGER_FALLING_EDGE,
                                                 button_pressed, channel));
    }
    return WICED_SUCCESS;
}

void application_start(void) {
    wiced_init();
    wiced_result_t result = start();
    if (result != WICED_SUCCESS) {
        WPRINT_APP_INFO(("not started: %d\n", (int)result));
        return;
    }
    WPRINT_APP_INFO(("ready\n"));
}
