#include "tls.h"

#include <wolfssl/options.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel_poll.h"
#include "tls_boot.h"
#include "tls_certificates.h"
#include "tls_credentials.h"
#include "tls_result.h"
#include "tls_sessions.h"

/*
 * Debian's library offers suites without encryption unless it is told what to offer. The last four
 * are there for TLS 1.1, which has no others.
 */
#define CIPHER_SUITES                                                                 \
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:" \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"                    \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"                        \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                      \
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"

/* Goodbyes are short; a peer that takes nothing does not hold up a disconnect for longer. */
#define CLOSE_NOTIFY_TIMEOUT_MS 200

struct tls_session {
    pthread_mutex_t lock; /* a WOLFSSL object is for one thread at a time */
    WOLFSSL_CTX* library_context;
    WOLFSSL* library_session;
    tls_sessions_key_t key;
    int fd;
    uint64_t write_deadline_ns;
    wiced_result_t ended; /* what every further read gives */
};

static _Thread_local bool has_used_library;

bool tls_boot(void) {
    return wolfSSL_Init() == WOLFSSL_SUCCESS;
}

/* The library is part of every board here, and tls_boot made it ready. */
void tls_prepare(void) {}

void tls_thread_ends(void) {
#ifdef FP_ECC
    if (has_used_library) {
        wc_ecc_fp_free();
    }
#endif
}

static int receive_bytes(WOLFSSL* library_session, char* buffer, int size, void* context) {
    const tls_session_t* session = context;
    (void)library_session;
    ssize_t got = recv(session->fd, buffer, (size_t)size, MSG_DONTWAIT);
    if (got > 0) {
        return (int)got;
    }
    if (got == 0) {
        return WOLFSSL_CBIO_ERR_CONN_CLOSE;
    }
    if (errno == EAGAIN || errno == EINTR) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    return errno == ECONNRESET ? WOLFSSL_CBIO_ERR_CONN_RST : WOLFSSL_CBIO_ERR_GENERAL;
}

/*
 * Takes everything or fails: a record that the library has to send again later is easily lost, so
 * it never hears that a socket is full.
 */
static int send_bytes(WOLFSSL* library_session, char* buffer, int size, void* context) {
    const tls_session_t* session = context;
    (void)library_session;
    int sent_size = 0;
    while (sent_size < size) {
        ssize_t sent = send(session->fd, buffer + sent_size, (size_t)(size - sent_size),
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            sent_size += (int)sent;
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        uint64_t now_ns = kernel_now_ns();
        if (errno != EAGAIN || now_ns >= session->write_deadline_ns) {
            return errno == EPIPE || errno == ECONNRESET ? WOLFSSL_CBIO_ERR_CONN_RST
                                                         : WOLFSSL_CBIO_ERR_GENERAL;
        }
        /* Not kernel_poll: a thread must not end while it is inside the library. */
        struct pollfd descriptor = {.fd = session->fd, .events = POLLOUT};
        (void)poll(&descriptor, 1, (int)((session->write_deadline_ns - now_ns) / 1000000u) + 1);
    }
    return size;
}

static bool prepare(WOLFSSL_CTX* library_context, const wiced_tls_context_t* context,
                    bool is_server, bool is_verifying) {
    int groups[] = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1};
    int mode = WOLFSSL_VERIFY_NONE;
    if (is_verifying) {
        mode = WOLFSSL_VERIFY_PEER | (is_server ? WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    }
    wolfSSL_CTX_set_verify(library_context, mode, NULL);
    if (!is_server) { /* never to be taken back: a server's cache is tls_sessions.c's */
        wolfSSL_CTX_set_session_cache_mode(library_context, WOLFSSL_SESS_CACHE_OFF);
    }
    wolfSSL_CTX_SetIORecv(library_context, receive_bytes);
    wolfSSL_CTX_SetIOSend(library_context, send_bytes);
    return wolfSSL_CTX_SetMinVersion(library_context, WOLFSSL_TLSV1_1) == WOLFSSL_SUCCESS &&
           wolfSSL_CTX_set_cipher_list(library_context, CIPHER_SUITES) == WOLFSSL_SUCCESS &&
           wolfSSL_CTX_set_groups(library_context, groups, 2) == WOLFSSL_SUCCESS &&
           (!is_verifying || tls_credentials_load_roots(library_context)) &&
           tls_certificates_load_identity(library_context, context->identity) == WICED_SUCCESS;
}

static bool prepare_session(WOLFSSL* library_session, const wiced_tls_context_t* context,
                            bool is_verifying) {
    bool is_ready = true;
    if (is_verifying && context->peer_cn != NULL) {
        is_ready = wolfSSL_check_domain_name(library_session, context->peer_cn) == WOLFSSL_SUCCESS;
    }
    if (context->server_name != NULL) {
        size_t length = strlen((const char*)context->server_name);
        is_ready =
            is_ready && wolfSSL_UseSNI(library_session, WOLFSSL_SNI_HOST_NAME, context->server_name,
                                       (unsigned short)length) == WOLFSSL_SUCCESS;
    }
    if (context->max_fragment_length != 0) {
        is_ready = is_ready && wolfSSL_UseMaxFragment(
                                   library_session, (unsigned char)context->max_fragment_length) ==
                                   WOLFSSL_SUCCESS;
    }
    return is_ready;
}

static wiced_result_t shake_hands(tls_session_t* session, bool is_server, int cancel_fd,
                                  uint64_t deadline_ns) {
    for (;;) {
        int done = is_server ? wolfSSL_accept(session->library_session)
                             : wolfSSL_connect(session->library_session);
        if (done == WOLFSSL_SUCCESS) {
            return WICED_SUCCESS;
        }
        int error = wolfSSL_get_error(session->library_session, done);
        if (error != WOLFSSL_ERROR_WANT_READ) {
            char text[WOLFSSL_MAX_ERROR_SZ];
            wolfSSL_ERR_error_string_n((unsigned long)error, text, sizeof(text));
            fprintf(stderr, "tls: handshake as %s: wolfSSL error %d, %s\n",
                    is_server ? "server" : "client", error, text);
            wolfSSL_ERR_clear_error();
            return tls_result_of_handshake(error);
        }
        struct pollfd descriptors[2] = {{.fd = session->fd, .events = POLLIN},
                                        {.fd = cancel_fd, .events = POLLIN}};
        kernel_wait_result_t waited = kernel_poll(descriptors, 2, deadline_ns);
        if (waited != KERNEL_WOKEN) {
            return waited == KERNEL_ABORTED ? WICED_TCPIP_WAIT_ABORTED
                                            : WICED_TLS_HANDSHAKE_TIMEOUT;
        }
        if (descriptors[1].revents != 0) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
    }
}

wiced_result_t tls_handshake(const tcp_socket_t* socket, tcp_connection_t* connection,
                             wiced_tls_endpoint_type_t type,
                             wiced_tls_certificate_verification_t verification,
                             uint64_t deadline_ns, tls_session_t** session_out) {
    const wiced_tls_context_t* context = socket->tls_context;
    *session_out = NULL;
    if (context == NULL || !context->is_initialised) {
        return WICED_TLS_ERROR_UNITIALIZED_CONTEXT;
    }
    bool is_server = type == WICED_TLS_AS_SERVER;
    bool is_verifying = verification == TLS_VERIFICATION_REQUIRED && tls_credentials_have_roots();
    has_used_library = true;
    tls_session_t* session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return WICED_TLS_ERROR_OUT_OF_MEMORY;
    }
    pthread_mutex_init(&session->lock, NULL);
    session->fd = connection->transport.fd;
    session->key =
        (tls_sessions_key_t){.identity = context->identity, .is_verifying = is_verifying};
    session->write_deadline_ns = deadline_ns;
    session->library_context =
        wolfSSL_CTX_new(is_server ? wolfSSLv23_server_method() : wolfSSLv23_client_method());
    wiced_result_t result = WICED_TLS_INIT_FAIL;
    if (session->library_context != NULL &&
        prepare(session->library_context, context, is_server, is_verifying) &&
        (!is_server || tls_sessions_attach(session->library_context, &session->key))) {
        session->library_session = wolfSSL_new(session->library_context);
    }
    if (session->library_session != NULL &&
        prepare_session(session->library_session, context, is_verifying)) {
        wolfSSL_SetIOReadCtx(session->library_session, session);
        wolfSSL_SetIOWriteCtx(session->library_session, session);
        result = shake_hands(session, is_server, socket->transport.cancel_fd, deadline_ns);
    }
    if (result != WICED_SUCCESS) {
        tls_free(session);
        return result;
    }
    *session_out = session;
    return WICED_SUCCESS;
}

wiced_result_t tls_read(tls_session_t* session, uint8_t* buffer, size_t size, size_t* count) {
    has_used_library = true;
    pthread_mutex_lock(&session->lock);
    wiced_result_t result = session->ended;
    if (result == WICED_SUCCESS) {
        /* TLS 1.3 may answer a read with messages of its own. */
        session->write_deadline_ns = kernel_deadline_ns(CLOSE_NOTIFY_TIMEOUT_MS);
        int got = wolfSSL_read(session->library_session, buffer, (int)size);
        int error = got > 0 ? 0 : wolfSSL_get_error(session->library_session, got);
        if (got > 0) {
            *count = (size_t)got;
        } else if (error == WOLFSSL_ERROR_WANT_READ) {
            result = WICED_WOULD_BLOCK;
        } else {
            result = error == WOLFSSL_ERROR_ZERO_RETURN ? WICED_TLS_ERROR_PEER_CLOSE_NOTIFY
                     : error == SOCKET_PEER_CLOSED_E || error == SOCKET_ERROR_E
                         ? WICED_TCPIP_SOCKET_CLOSED
                     : error == FATAL_ERROR ? WICED_TLS_ERROR_FATAL_ALERT_MESSAGE
                                            : WICED_TLS_RECEIVE_FAILED;
            session->ended = result;
            wolfSSL_ERR_clear_error();
        }
    }
    pthread_mutex_unlock(&session->lock);
    return result;
}

wiced_result_t tls_write(tls_session_t* session, const uint8_t* data, size_t size,
                         uint64_t deadline_ns) {
    if (size == 0) {
        return WICED_SUCCESS;
    }
    has_used_library = true;
    pthread_mutex_lock(&session->lock);
    session->write_deadline_ns = deadline_ns;
    int sent = wolfSSL_write(session->library_session, data, (int)size);
    wiced_result_t result = WICED_SUCCESS;
    if (sent != (int)size) {
        /* The record may be out in part, so nothing can follow it. */
        bool is_late = kernel_now_ns() >= deadline_ns;
        result = is_late ? WICED_ERROR : WICED_TCPIP_SOCKET_CLOSED;
        session->ended = WICED_TCPIP_SOCKET_CLOSED;
        (void)shutdown(session->fd, SHUT_RDWR);
        wolfSSL_ERR_clear_error();
    }
    pthread_mutex_unlock(&session->lock);
    return result;
}

bool tls_has_decrypted_data(tls_session_t* session) {
    pthread_mutex_lock(&session->lock);
    bool has_data =
        session->ended == WICED_SUCCESS && wolfSSL_pending(session->library_session) > 0;
    pthread_mutex_unlock(&session->lock);
    return has_data;
}

bool tls_can_read(tls_session_t* session) {
    pthread_mutex_lock(&session->lock);
    bool can_read =
        session->ended != WICED_SUCCESS || wolfSSL_pending(session->library_session) > 0;
    pthread_mutex_unlock(&session->lock);
    return can_read;
}

void tls_close_notify(tls_session_t* session) {
    pthread_mutex_lock(&session->lock);
    session->write_deadline_ns = kernel_deadline_ns(CLOSE_NOTIFY_TIMEOUT_MS);
    (void)wolfSSL_shutdown(session->library_session);
    session->ended = WICED_TCPIP_SOCKET_CLOSED;
    wolfSSL_ERR_clear_error();
    pthread_mutex_unlock(&session->lock);
}

void tls_free(tls_session_t* session) {
    if (session == NULL) {
        return;
    }
    wolfSSL_free(session->library_session);
    wolfSSL_CTX_free(session->library_context);
    pthread_mutex_destroy(&session->lock);
    free(session);
}
