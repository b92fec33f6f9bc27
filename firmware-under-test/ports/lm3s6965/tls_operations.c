#include "tls_operations.h"

#include <stddef.h>

static const tls_operations_t* provided; /* there are no sessions before it is there */

void tls_provide(const tls_operations_t* operations) {
    provided = operations;
}

wiced_result_t tls_handshake(const tcp_socket_t* socket, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification,
                             uint64_t deadline_ns, tls_session_t** session) {
    return provided != NULL
               ? provided->handshake(socket, connection, type, verification, deadline_ns, session)
               : WICED_TLS_ERROR_UNITIALIZED_CONTEXT;
}

wiced_result_t tls_read(tls_session_t* session, uint8_t* buffer, size_t size, size_t* count) {
    return provided->read(session, buffer, size, count);
}

wiced_result_t tls_write(tls_session_t* session, const uint8_t* data, size_t size,
                         uint64_t deadline_ns) {
    return provided->write(session, data, size, deadline_ns);
}

bool tls_has_decrypted_data(tls_session_t* session) {
    return provided->has_decrypted_data(session);
}

bool tls_can_read(tls_session_t* session) {
    return provided->can_read(session);
}

void tls_close_notify(tls_session_t* session) {
    provided->close_notify(session);
}

void tls_free(tls_session_t* session) {
    if (session != NULL) {
        provided->free(session);
    }
}
