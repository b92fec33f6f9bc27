/* The device's one set of trusted roots, and identities; the part of TLS that is about
 * certificates. */
#pragma once

#include <stdbool.h>

#include "wiced_tls.h"

struct WOLFSSL_CTX;

bool tls_credentials_have_roots(void);
bool tls_credentials_load_roots(struct WOLFSSL_CTX* library_context);
