/* The device's one set of trusted roots, and identities. */
#pragma once

#include <stdbool.h>

#include "wiced_tls.h"

struct WOLFSSL_CTX;

bool tls_credentials_have_roots(void);
/* There are some. 5036 when the board's clock says that one is not valid now. */
wiced_result_t tls_credentials_load_roots(struct WOLFSSL_CTX* library_context);
