#include "tls_certificates.h"

#ifndef WOLFSSL_USER_SETTINGS
#include <wolfssl/options.h>
#endif

#include <wolfssl/ssl.h>

#include <wolfssl/wolfcrypt/error-crypt.h>

#include <stdlib.h>
#include <string.h>

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

static const char* find(const char* data, const char* end, const char* word) {
    size_t size = strlen(word);
    for (; data + size <= end; ++data) {
        if (memcmp(data, word, size) == 0) {
            return data;
        }
    }
    return NULL;
}

static int trust_one(WOLFSSL_CTX* library_context, const char* data, size_t length, int format,
                     word32 flags) {
    return wolfSSL_CTX_load_verify_buffer_ex(library_context, (const unsigned char*)data,
                                             (long)length, format, 0, flags);
}

int tls_certificates_trust(struct WOLFSSL_CTX* library_context, const char* text, size_t length,
                           unsigned flags) {
    const char* end = text + length;
    const char* begin = find(text, end, PEM_BEGIN);
    int result = WOLFSSL_SUCCESS;
    if (begin == NULL) {
        return trust_one(library_context, text, length, WOLFSSL_FILETYPE_ASN1, flags);
    }
    for (; begin != NULL && result == WOLFSSL_SUCCESS; begin = find(begin, end, PEM_BEGIN)) {
        const char* last = find(begin, end, PEM_END);
        if (last == NULL) {
            return ASN_PARSE_E;
        }
        last += strlen(PEM_END);
        /* The library wants a line end after the last line. */
        size_t size = (size_t)(last - begin);
        char* block = malloc(size + 2);
        if (block == NULL) {
            return MEMORY_E;
        }
        memcpy(block, begin, size);
        memcpy(block + size, "\n", 2);
        result = trust_one(library_context, block, size + 1, WOLFSSL_FILETYPE_PEM, flags);
        free(block);
        begin = last;
    }
    return result;
}

wiced_result_t tls_certificates_load_identity(struct WOLFSSL_CTX* library_context,
                                              const wiced_tls_identity_t* identity) {
    if (identity == NULL || identity->certificate == NULL) {
        return WICED_SUCCESS;
    }
    if (wolfSSL_CTX_use_certificate_chain_buffer(library_context, identity->certificate,
                                                 (long)identity->certificate_length) !=
        WOLFSSL_SUCCESS) {
        return WICED_BESL_CERT_PARSE_FAIL;
    }
    if (identity->key_length == 0) {
        return WICED_SUCCESS;
    }
    return wolfSSL_CTX_use_PrivateKey_buffer(
               library_context, (const unsigned char*)identity->private_key,
               (long)identity->key_length, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS
               ? WICED_SUCCESS
               : WICED_BESL_KEY_PARSE_FAIL;
}
