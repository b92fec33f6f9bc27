/* Certificates and keys on their way into wolfSSL. */
#pragma once

#include <stddef.h>

#include "wiced_tls.h"

struct WOLFSSL_CTX;

/*
 * Trusts each certificate between its BEGIN and END lines by itself, or else the one in DER. Text
 * outside them is nobody's business; a certificate that does not load spoils the whole set. flags
 * and what it gives are wolfSSL's.
 */
int tls_certificates_trust(struct WOLFSSL_CTX* library_context, const char* text, size_t length,
                           unsigned flags);
/* NULL is fine: nothing to load. 3035 for a bad certificate, 3036 for a bad key. */
wiced_result_t tls_certificates_load_identity(struct WOLFSSL_CTX* library_context,
                                              const wiced_tls_identity_t* identity);
