#include "tls.h"

#include <wolfssl/ssl.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entropy.h"
#include "tls_certificates.h"
#include "tls_credentials.h"
#include "tls_operations.h"
#include "tls_result.h"
#include "transport.h"
#include "transport_connection.h"
#include "wiced_utilities.h"

/* Goodbyes are short; a peer that takes nothing does not hold up a disconnect for longer. */
#define CLOSE_NOTIFY_TIMEOUT_MS 200u

struct tls_session {
    WOLFSSL_CTX* library_context;
    WOLFSSL* library_session;
    tcp_connection_t* connection;
    uint64_t write_deadline_ns;
    wiced_result_t ended; /* what every further read gives */
};

/* What wolfSSL asks of the port: a clock for its tickets, and seeds for its generator. */
word32 LowResTimer(void) {
    return (word32)(kernel_now_ns() / 1000000000u);
}

word32 TimeNowInMilliseconds(void);
word32 TimeNowInMilliseconds(void) {
    return (word32)(kernel_now_ns() / 1000000u);
}

int tls_generate_seed(unsigned char* seed, unsigned int size) {
    if (!entropy_is_provisioned()) {
        return RNG_FAILURE_E;
    }
    while (size > 0) {
        entropy_material_t material = entropy_draw();
        byte digest[WC_SHA256_DIGEST_SIZE];
        unsigned part = size < sizeof(digest) ? size : sizeof(digest);
        if (wc_Sha256Hash((const byte*)&material, sizeof(material), digest) != 0) {
            return RNG_FAILURE_E;
        }
        memcpy(seed, digest, part);
        seed += part;
        size -= part;
    }
    return 0;
}

static int receive_bytes(WOLFSSL* library_session, char* buffer, int size, void* context) {
    const tls_session_t* session = context;
    (void)library_session;
    size_t count = 0;
    switch (transport_read(session->connection, (uint8_t*)buffer, (size_t)size, &count)) {
        case WICED_SUCCESS:
            return (int)count;
        case WICED_WOULD_BLOCK:
            return WOLFSSL_CBIO_ERR_WANT_READ;
        default:
            return WOLFSSL_CBIO_ERR_CONN_CLOSE;
    }
}

/*
 * Takes everything or fails: a record that the library has to send again later is easily lost, so
 * it never hears that a connection is full.
 */
static int send_bytes(WOLFSSL* library_session, char* buffer, int size, void* context) {
    const tls_session_t* session = context;
    (void)library_session;
    wiced_result_t result = transport_write(session->connection, (const uint8_t*)buffer,
                                            (size_t)size, session->write_deadline_ns);
    return result == WICED_SUCCESS ? size : WOLFSSL_CBIO_ERR_CONN_RST;
}

static wiced_result_t prepare(WOLFSSL_CTX* library_context, const wiced_tls_context_t* context,
                              bool is_server, bool is_verifying) {
    int mode = WOLFSSL_VERIFY_NONE;
    if (is_verifying) {
        mode = WOLFSSL_VERIFY_PEER | (is_server ? WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    }
    wolfSSL_CTX_set_verify(library_context, mode, NULL);
    wolfSSL_CTX_SetIORecv(library_context, receive_bytes);
    wolfSSL_CTX_SetIOSend(library_context, send_bytes);
    if (is_verifying) {
        WICED_VERIFY(tls_credentials_load_roots(library_context));
    }
    return tls_certificates_load_identity(library_context, context->identity);
}

static bool prepare_session(WOLFSSL* library_session, const wiced_tls_context_t* context,
                            bool is_server, bool is_verifying) {
    bool is_ready = true;
    if (is_verifying && context->peer_cn != NULL) {
        is_ready = wolfSSL_check_domain_name(library_session, context->peer_cn) == WOLFSSL_SUCCESS;
    }
    if (!is_server && context->server_name != NULL) {
        size_t length = strlen((const char*)context->server_name);
        is_ready =
            is_ready && wolfSSL_UseSNI(library_session, WOLFSSL_SNI_HOST_NAME, context->server_name,
                                       (unsigned short)length) == WOLFSSL_SUCCESS;
    }
    if (!is_server && context->max_fragment_length != 0) {
        is_ready = is_ready && wolfSSL_UseMaxFragment(
                                   library_session, (unsigned char)context->max_fragment_length) ==
                                   WOLFSSL_SUCCESS;
    }
#ifdef WOLFSSL_TLS13
    /* There is one curve, so its key goes with the first message. */
    if (!is_server) {
        is_ready = is_ready &&
                   wolfSSL_UseKeyShare(library_session, WOLFSSL_ECC_SECP256R1) == WOLFSSL_SUCCESS;
    }
#endif
    return is_ready;
}

static wiced_result_t shake_hands(const tcp_socket_t* socket, tls_session_t* session,
                                  bool is_server, uint64_t deadline_ns) {
    for (;;) {
        int done;
#ifndef NO_WOLFSSL_SERVER
        done = is_server ? wolfSSL_accept(session->library_session)
                         : wolfSSL_connect(session->library_session);
#else
        done = wolfSSL_connect(session->library_session);
#endif
        if (done == WOLFSSL_SUCCESS) {
            return WICED_SUCCESS;
        }
        int error = wolfSSL_get_error(session->library_session, done);
        if (error != WOLFSSL_ERROR_WANT_READ) {
            printf("tls: handshake as %s: wolfSSL error %d\n", is_server ? "server" : "client",
                   error);
            return tls_result_of_handshake(error);
        }
        kernel_wait_result_t waited = transport_connection_wait(session->connection, deadline_ns);
        if (waited != KERNEL_WOKEN) {
            return waited == KERNEL_ABORTED ? WICED_TCPIP_WAIT_ABORTED
                                            : WICED_TLS_HANDSHAKE_TIMEOUT;
        }
        if (socket->owner == NULL) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
}

static void free_session(tls_session_t* session) {
    wolfSSL_free(session->library_session);
    wolfSSL_CTX_free(session->library_context);
    free(session);
}

static WOLFSSL_CTX* make_library_context(bool is_server) {
#ifndef NO_WOLFSSL_SERVER
    if (is_server) {
        return wolfSSL_CTX_new(wolfSSLv23_server_method());
    }
#endif
    return is_server ? NULL : wolfSSL_CTX_new(wolfSSLv23_client_method());
}

static wiced_result_t handshake(const tcp_socket_t* socket, tcp_connection_t* connection,
                                wiced_tls_endpoint_type_t type,
                                wiced_tls_certificate_verification_t verification,
                                uint64_t deadline_ns, tls_session_t** session_out) {
    const wiced_tls_context_t* context = socket->tls_context;
    if (context == NULL || !context->is_initialised) {
        return WICED_TLS_ERROR_UNITIALIZED_CONTEXT;
    }
    bool is_server = type == WICED_TLS_AS_SERVER;
    bool is_verifying = verification == TLS_VERIFICATION_REQUIRED && tls_credentials_have_roots();
    tls_session_t* session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return WICED_TLS_ERROR_OUT_OF_MEMORY;
    }
    session->connection = connection;
    session->write_deadline_ns = deadline_ns;
    session->library_context = make_library_context(is_server);
    wiced_result_t result = WICED_TLS_INIT_FAIL;
    if (session->library_context != NULL) {
        result = prepare(session->library_context, context, is_server, is_verifying);
    }
    if (result == WICED_SUCCESS) {
        result = WICED_TLS_INIT_FAIL;
        session->library_session = wolfSSL_new(session->library_context);
    }
    if (session->library_session != NULL &&
        prepare_session(session->library_session, context, is_server, is_verifying)) {
        wolfSSL_SetIOReadCtx(session->library_session, session);
        wolfSSL_SetIOWriteCtx(session->library_session, session);
        result = shake_hands(socket, session, is_server, deadline_ns);
    } else {
        printf("tls: no session: %s\n", !entropy_is_provisioned() ? "no entropy"
                                        : result == WICED_TLS_EXPIRED_CERTIFICATE
                                            ? "a trusted root is not valid at this time"
                                            : "out of memory");
    }
    if (result != WICED_SUCCESS) {
        free_session(session);
        return result;
    }
    *session_out = session;
    return WICED_SUCCESS;
}

static wiced_result_t read_some(tls_session_t* session, uint8_t* buffer, size_t size,
                                size_t* count) {
    if (session->ended != WICED_SUCCESS) {
        return session->ended;
    }
    /* TLS 1.3 may answer a read with messages of its own. */
    session->write_deadline_ns = kernel_deadline_ns(CLOSE_NOTIFY_TIMEOUT_MS);
    int got = wolfSSL_read(session->library_session, buffer, (int)size);
    if (got > 0) {
        *count = (size_t)got;
        return WICED_SUCCESS;
    }
    int error = wolfSSL_get_error(session->library_session, got);
    if (error == WOLFSSL_ERROR_WANT_READ) {
        return WICED_WOULD_BLOCK;
    }
    session->ended = error == WOLFSSL_ERROR_ZERO_RETURN ? WICED_TLS_ERROR_PEER_CLOSE_NOTIFY
                     : error == SOCKET_PEER_CLOSED_E || error == SOCKET_ERROR_E
                         ? WICED_TCPIP_SOCKET_CLOSED
                     : error == FATAL_ERROR ? WICED_TLS_ERROR_FATAL_ALERT_MESSAGE
                                            : WICED_TLS_RECEIVE_FAILED;
    return session->ended;
}

static wiced_result_t write_all(tls_session_t* session, const uint8_t* data, size_t size,
                                uint64_t deadline_ns) {
    if (size == 0) {
        return WICED_SUCCESS;
    }
    session->write_deadline_ns = deadline_ns;
    if (wolfSSL_write(session->library_session, data, (int)size) == (int)size) {
        return WICED_SUCCESS;
    }
    /* The record may be out in part, so nothing can follow it. */
    bool is_late = kernel_now_ns() >= deadline_ns;
    session->ended = WICED_TCPIP_SOCKET_CLOSED;
    transport_connection_abort(session->connection);
    return is_late ? WICED_ERROR : WICED_TCPIP_SOCKET_CLOSED;
}

static bool has_decrypted_data(tls_session_t* session) {
    return session->ended == WICED_SUCCESS && wolfSSL_pending(session->library_session) > 0;
}

static bool can_read(tls_session_t* session) {
    return session->ended != WICED_SUCCESS || wolfSSL_pending(session->library_session) > 0;
}

static void say_goodbye(tls_session_t* session) {
    session->write_deadline_ns = kernel_deadline_ns(CLOSE_NOTIFY_TIMEOUT_MS);
    (void)wolfSSL_shutdown(session->library_session);
    session->ended = WICED_TCPIP_SOCKET_CLOSED;
}

/* An image that makes no context has none of the above in it. */
void tls_prepare(void) {
    static const tls_operations_t operations = {
        .handshake = handshake,
        .read = read_some,
        .write = write_all,
        .has_decrypted_data = has_decrypted_data,
        .can_read = can_read,
        .close_notify = say_goodbye,
        .free = free_session,
    };
    tls_provide(&operations);
}
