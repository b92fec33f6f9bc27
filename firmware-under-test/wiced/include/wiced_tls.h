/*
 * TLS. An identity is a certificate and its key, a context the state of one connection; both are
 * the caller's memory and must outlive their use. A context keeps pointers to the identity and to
 * peer_cn. There is one set of trusted roots for the whole device: without roots nothing is
 * verified, and with them a server also demands a certificate of its clients.
 */
#pragma once

#include <stdint.h>

#include "wiced_port_types.h"
#include "wiced_result.h"
#include "wiced_tcpip.h"

struct wiced_tls_identity {
    char* private_key;
    uint32_t key_length;
    uint8_t* certificate;
    uint32_t certificate_length;
};

typedef enum {
    TLS_EXTENSION_TYPE_SERVER_NAME = 0,
    TLS_EXTENSION_TYPE_MAX_FRAGMENT_LENGTH = 1,
    TLS_EXTENSION_TYPE_APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16,
} wiced_tls_extension_type_t;

typedef enum {
    TLS_FRAGMENT_LENGTH_512 = 1,
    TLS_FRAGMENT_LENGTH_1024 = 2,
    TLS_FRAGMENT_LENGTH_2048 = 3,
    TLS_FRAGMENT_LENGTH_4096 = 4,
} wiced_tls_max_fragment_length_t;

typedef struct {
    wiced_tls_extension_type_t type;
    union {
        uint8_t* server_name;
        wiced_tls_max_fragment_length_t max_fragment_length;
    } extension_data;
} wiced_tls_extension_t;

typedef struct {
    uint32_t is_initialised;
    wiced_tls_identity_t* identity;
    const char* peer_cn;
    const uint8_t* server_name;
    wiced_tls_max_fragment_length_t max_fragment_length;
} wiced_tls_context_t;

#ifdef __cplusplus
extern "C" {
#endif

wiced_result_t wiced_tls_init_identity(wiced_tls_identity_t* identity, const char* private_key,
                                       const uint32_t key_length, const uint8_t* certificate_data,
                                       uint32_t certificate_length);
wiced_result_t wiced_tls_deinit_identity(wiced_tls_identity_t* identity);
/* One or more PEM certificates, or one in DER. Input of which any part is bad leaves no roots. */
wiced_result_t wiced_tls_init_root_ca_certificates(const char* trusted_ca_certificates,
                                                   const uint32_t length);
wiced_result_t wiced_tls_deinit_root_ca_certificates(void);
wiced_result_t wiced_tls_init_context(wiced_tls_context_t* context, wiced_tls_identity_t* identity,
                                      const char* peer_cn);
wiced_result_t wiced_tls_deinit_context(wiced_tls_context_t* context);
wiced_result_t wiced_tls_reset_context(wiced_tls_context_t* context);
wiced_result_t wiced_tls_set_extension(wiced_tls_context_t* context,
                                       wiced_tls_extension_t* extension);

#ifdef __cplusplus
}
#endif
