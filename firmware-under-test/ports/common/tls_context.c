/* TLS contexts: what an application asks of the handshakes to come. They hold no session. */
#include "tls.h"

#include <string.h>

#include "wiced_tls.h"

wiced_result_t wiced_tls_init_context(wiced_tls_context_t* context, wiced_tls_identity_t* identity,
                                      const char* peer_cn) {
    if (context == NULL) {
        return WICED_TLS_ERROR_BAD_INPUT_DATA;
    }
    tls_prepare();
    memset(context, 0, sizeof(*context));
    context->is_initialised = 1;
    context->identity = identity;
    context->peer_cn = peer_cn;
    return WICED_SUCCESS;
}

wiced_result_t wiced_tls_deinit_context(wiced_tls_context_t* context) {
    if (context != NULL) {
        memset(context, 0, sizeof(*context));
    }
    return WICED_SUCCESS;
}

/* A context holds no session here: a client starts each handshake from nothing. */
wiced_result_t wiced_tls_reset_context(wiced_tls_context_t* context) {
    return context != NULL && context->is_initialised ? WICED_SUCCESS
                                                      : WICED_TLS_ERROR_UNITIALIZED_CONTEXT;
}

wiced_result_t wiced_tls_set_extension(wiced_tls_context_t* context,
                                       wiced_tls_extension_t* extension) {
    if (context == NULL || extension == NULL) {
        return WICED_TLS_ERROR_BAD_INPUT_DATA;
    }
    switch (extension->type) {
        case TLS_EXTENSION_TYPE_SERVER_NAME:
            context->server_name = extension->extension_data.server_name;
            return WICED_SUCCESS;
        case TLS_EXTENSION_TYPE_MAX_FRAGMENT_LENGTH:
            context->max_fragment_length = extension->extension_data.max_fragment_length;
            return WICED_SUCCESS;
        case TLS_EXTENSION_TYPE_APPLICATION_LAYER_PROTOCOL_NEGOTIATION:
            break;
    }
    return WICED_ERROR;
}
