/*
 * The sessions that the board can take up again as a server: by session id, so TLS 1.2 and below.
 * Each is good only for the identity and the verification that it was made with.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wiced_tls.h"

struct WOLFSSL_CTX;

typedef struct {
    const wiced_tls_identity_t* identity;
    bool is_verifying;
    uint32_t generation; /* set by tls_sessions_attach */
} tls_sessions_key_t;

/* Lets library_context keep and find sessions under key, which must outlive it. */
bool tls_sessions_attach(struct WOLFSSL_CTX* library_context, tls_sessions_key_t* key);

/* For whenever an identity or the trusted roots change: who was verified then is verified anew. */
void tls_sessions_forget(void);
