/* What making a TLS context asks of a port. Each port brings its own. */
#pragma once

/* There is a context now, so there may be a handshake. */
void tls_prepare(void);
