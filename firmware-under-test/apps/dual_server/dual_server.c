/*
 * The dual server: one thread serves port 27708 in the clear, another 40508 over TLS. Both answer
 * from the same registers.
 */
#include "registers.h"
#include "wiced.h"
#include "wiced_tls.h"

#define SERVER_PORT 27708
#define SERVER_PORT_TLS 40508
#define IDLE_TIMEOUT_MS 5000
#define FRAME_TIMEOUT_MS 200
#define THREAD_STACK_SIZE 10000

typedef struct {
    uint16_t port;
    wiced_bool_t is_secure;
    wiced_tcp_socket_t socket;
    wiced_tls_context_t context;
    wiced_thread_t thread;
} listener_t;

static listener_t listeners[] = {
    {.port = SERVER_PORT},
    {.port = SERVER_PORT_TLS, .is_secure = WICED_TRUE},
};
static wiced_tls_identity_t identity;

static wiced_result_t load_identity(void) {
    platform_dct_security_t* security = NULL;

    WICED_VERIFY(wiced_dct_read_lock((void**)&security, WICED_FALSE, DCT_SECURITY_SECTION, 0,
                                     sizeof(*security)));
    wiced_result_t result = wiced_tls_init_identity(
        &identity, security->private_key, (uint32_t)strlen(security->private_key),
        (const uint8_t*)security->certificate, (uint32_t)strlen(security->certificate));
    wiced_dct_read_unlock(security, WICED_FALSE);
    WPRINT_APP_INFO(("identity from the DCT: %d\n", (int)result));
    return result;
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
        WPRINT_APP_INFO(("%.*s: %s\n", (int)(1 + rest), frame, reply));
    }
    wiced_tcp_stream_deinit(&stream);
    wiced_tcp_disconnect(socket);
}

static void serve(wiced_thread_arg_t arg) {
    listener_t* listener = &listeners[arg];
    for (;;) {
        if (wiced_tcp_accept(&listener->socket) == WICED_SUCCESS) {
            serve_peer(&listener->socket);
        }
    }
}

static wiced_result_t start_listener(size_t index) {
    listener_t* listener = &listeners[index];
    WICED_VERIFY(wiced_tcp_create_socket(&listener->socket, WICED_STA_INTERFACE));
    if (listener->is_secure) {
        WICED_VERIFY(wiced_tls_init_context(&listener->context, &identity, NULL));
        WICED_VERIFY(wiced_tcp_enable_tls(&listener->socket, &listener->context));
    }
    WICED_VERIFY(wiced_tcp_listen(&listener->socket, listener->port));
    return wiced_rtos_create_thread(&listener->thread, WICED_APPLICATION_PRIORITY, "server", serve,
                                    THREAD_STACK_SIZE, (void*)index);
}

void application_start(void) {
    wiced_init();
    registers_init();
    if (wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL) !=
        WICED_SUCCESS) {
        WPRINT_APP_INFO(("no network\n"));
        return;
    }
    if (load_identity() != WICED_SUCCESS) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(listeners); ++i) {
        wiced_result_t result = start_listener(i);
        if (result != WICED_SUCCESS) {
            WPRINT_APP_INFO(("port %u: %d\n", (unsigned)listeners[i].port, (int)result));
            return;
        }
    }
    WPRINT_APP_INFO(("listening: 0\n"));
}
