/*
 * How the sockets reach TLS: through a table of what common/tls.h declares, which is there once the
 * application has made a context. An image that makes none has no TLS in it.
 */
#pragma once

#include "tls.h"

typedef struct {
    wiced_result_t (*handshake)(const tcp_socket_t* socket, tcp_connection_t* connection,
                                wiced_tls_endpoint_type_t type,
                                wiced_tls_certificate_verification_t verification,
                                uint64_t deadline_ns, tls_session_t** session);
    wiced_result_t (*read)(tls_session_t* session, uint8_t* buffer, size_t size, size_t* count);
    wiced_result_t (*write)(tls_session_t* session, const uint8_t* data, size_t size,
                            uint64_t deadline_ns);
    bool (*has_decrypted_data)(tls_session_t* session);
    bool (*can_read)(tls_session_t* session);
    void (*close_notify)(tls_session_t* session);
    void (*free)(tls_session_t* session);
} tls_operations_t;

void tls_provide(const tls_operations_t* operations);
