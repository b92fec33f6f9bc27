/*
 * The TLS server: its certificate and key come from the DCT, the handshake runs inside accept, and
 * one context serves the connections one after another.
 */
#include "registers.h"
#include "wiced.h"
#include "wiced_tls.h"

#define SERVER_PORT 40508
#define IDLE_TIMEOUT_MS 5000
#define FRAME_TIMEOUT_MS 200

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

void application_start(void) {
    wiced_tcp_socket_t socket;
    wiced_tls_context_t context;

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
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_tls_init_context(&context, &identity, NULL);
    wiced_tcp_enable_tls(&socket, &context);
    wiced_result_t result = wiced_tcp_listen(&socket, SERVER_PORT);
    WPRINT_APP_INFO(("listening: %d\n", (int)result));
    for (;;) {
        if (wiced_tcp_accept(&socket) == WICED_SUCCESS) {
            serve_peer(&socket);
        }
    }
}
