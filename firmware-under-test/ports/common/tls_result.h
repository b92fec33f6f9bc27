/* What the SDK calls the failures of a handshake that wolfSSL reports. */
#pragma once

#include "wiced_result.h"

/* error: from wolfSSL_get_error. */
wiced_result_t tls_result_of_handshake(int error);
