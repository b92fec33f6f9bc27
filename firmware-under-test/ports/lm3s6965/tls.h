/*
 * TLS sessions over wolfSSL, inside the port. A session belongs to its connection, not to the
 * wiced_tls_context_t it was made from. The sockets reach TLS through a table of operations, which
 * is there once the application has made a context: an image that makes none has no TLS in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcp.h"
#include "wiced_tls.h"

typedef struct tls_session tls_session_t;

typedef struct {
    /* 0 and connection->tls, or a TLS code. Given up when the socket is deleted meanwhile. */
    wiced_result_t (*handshake)(tcp_socket_t* socket, tcp_connection_t* connection,
                                wiced_tls_endpoint_type_t type,
                                wiced_tls_certificate_verification_t verification,
                                uint64_t deadline_ns);
    /* 0 with at least one byte, WICED_WOULD_BLOCK, 5020 after close_notify, 7014 after a bare
     * close. */
    wiced_result_t (*read)(tls_session_t* session, uint8_t* buffer, size_t size, size_t* count);
    wiced_result_t (*write)(tls_session_t* session, const uint8_t* data, size_t size,
                            uint64_t deadline_ns);
    bool (*has_decrypted_data)(const tls_session_t* session);
    void (*close_notify)(tls_session_t* session);
    void (*free)(tls_session_t* session);
} tls_operations_t;

/* NULL as long as no context has been made. */
const tls_operations_t* tls_operations(void);
void tls_provide(const tls_operations_t* operations);
