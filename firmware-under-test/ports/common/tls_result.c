#include "tls_result.h"

#ifndef WOLFSSL_USER_SETTINGS
#include <wolfssl/options.h>
#endif

#include <wolfssl/ssl.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

wiced_result_t tls_result_of_handshake(int error) {
    switch (error) {
        case ASN_NO_SIGNER_E:
        case ASN_SELF_SIGNED_E:
            return WICED_TLS_UNTRUSTED_CERTIFICATE;
        case ASN_BEFORE_DATE_E:
        case ASN_AFTER_DATE_E:
            return WICED_TLS_EXPIRED_CERTIFICATE;
        case DOMAIN_NAME_MISMATCH:
            return WICED_TLS_CERTIFICATE_NAME_MISMATCH;
        case ASN_SIG_CONFIRM_E:
        case ASN_SIG_HASH_E:
        case ASN_SIG_KEY_E:
        case ASN_PARSE_E:
        case ASN_PATHLEN_INV_E:
        case ASN_PATHLEN_SIZE_E:
        case VERIFY_CERT_ERROR:
        case VERIFY_SIGN_ERROR:
        case EXTKEYUSAGE_E:
        case KEYUSAGE_E:
            return WICED_TLS_ERROR_PEER_VERIFY_FAILED;
        case NO_PEER_CERT:
            return WICED_TLS_ERROR_NO_CLIENT_CERTIFICATE;
        case FATAL_ERROR:
            return WICED_TLS_ERROR_FATAL_ALERT_MESSAGE;
        case MATCH_SUITE_ERROR:
            return WICED_TLS_ERROR_NO_CIPHER_CHOSEN;
        case VERIFY_MAC_ERROR:
            return WICED_TLS_ERROR_INVALID_MAC;
        case VERSION_ERROR:
        case OUT_OF_ORDER_E:
            return WICED_TLS_ERROR_UNEXPECTED_MESSAGE;
        case MEMORY_E:
            return WICED_TLS_ERROR_OUT_OF_MEMORY;
        default:
            return WICED_TLS_HANDSHAKE_ERROR;
    }
}
