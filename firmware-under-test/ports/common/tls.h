/*
 * TLS sessions, as the sockets of tcp.h use them. Each port brings its own. A session belongs to
 * its connection, not to the wiced_tls_context_t it was made from, so a context may be reset or
 * released at any time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcp.h"
#include "wiced_tls.h"

typedef struct tls_session tls_session_t;

/* The application has made a context, so there may be a handshake. */
void tls_prepare(void);

/*
 * The whole handshake over a connection of socket, with socket's context, given up when socket is
 * deleted. 0, or a TLS code and no session.
 */
wiced_result_t tls_handshake(const tcp_socket_t* socket, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification,
                             uint64_t deadline_ns, tls_session_t** session);

/* 0 with at least one byte, WICED_WOULD_BLOCK, 5020 after close_notify, 7014 after a bare close. */
wiced_result_t tls_read(tls_session_t* session, uint8_t* buffer, size_t size, size_t* count);
wiced_result_t tls_write(tls_session_t* session, const uint8_t* data, size_t size,
                         uint64_t deadline_ns);

/* Bytes that the connection itself does not know of. */
bool tls_has_decrypted_data(tls_session_t* session);
/* Whether tls_read has something to say whatever the connection says: bytes, or that it is over. */
bool tls_can_read(tls_session_t* session);
void tls_close_notify(tls_session_t* session);
/* NULL is fine. */
void tls_free(tls_session_t* session);
