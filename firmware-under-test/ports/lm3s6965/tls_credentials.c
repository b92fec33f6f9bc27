#include "tls_credentials.h"

#include <wolfssl/ssl.h>

#include <stdlib.h>
#include <string.h>

#include "tls_certificates.h"
#include "tls_result.h"

#define FLASH_SIZE 0x40000u

/* A text as the application gave it: in flash where it stands, else a copy on the heap. */
typedef struct {
    const char* bytes; /* NULL: none */
    char* copy;
    size_t length;
} text_t;

static text_t roots;

/* Texts in flash stay; they are most of what a board has, and the heap is small. */
static text_t keep(const void* data, size_t length) {
    text_t text = {.bytes = data, .length = length};
    if ((uintptr_t)data >= FLASH_SIZE) {
        text.copy = malloc(length > 0 ? length : 1);
        if (text.copy != NULL) {
            memcpy(text.copy, data, length);
        }
        text.bytes = text.copy;
    }
    return text;
}

bool tls_credentials_have_roots(void) {
    return roots.bytes != NULL;
}

wiced_result_t tls_credentials_load_roots(struct WOLFSSL_CTX* library_context) {
    int result =
        tls_certificates_trust(library_context, roots.bytes, roots.length, WOLFSSL_LOAD_FLAG_NONE);
    return result == WOLFSSL_SUCCESS ? WICED_SUCCESS : tls_result_of_handshake(result);
}

wiced_result_t wiced_tls_deinit_root_ca_certificates(void) {
    free(roots.copy);
    roots = (text_t){0};
    return WICED_SUCCESS;
}

wiced_result_t wiced_tls_init_root_ca_certificates(const char* trusted_ca_certificates,
                                                   const uint32_t length) {
    if (trusted_ca_certificates == NULL || length == 0) {
        return WICED_SUCCESS;
    }
    (void)wiced_tls_deinit_root_ca_certificates();
    text_t given = keep(trusted_ca_certificates, length);
    WOLFSSL_CTX* trial = wolfSSL_CTX_new(wolfSSLv23_client_method());
    wiced_result_t result =
        given.bytes == NULL || trial == NULL ? WICED_OUT_OF_HEAP_SPACE : WICED_ERROR;
    /* A board that does not know the time yet may know who to trust: each handshake asks again. */
    if (result == WICED_ERROR &&
        tls_certificates_trust(trial, given.bytes, given.length, WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY) ==
            WOLFSSL_SUCCESS) {
        result = WICED_SUCCESS;
    }
    wolfSSL_CTX_free(trial);
    if (result != WICED_SUCCESS) {
        free(given.copy);
        return result;
    }
    roots = given;
    return WICED_SUCCESS;
}

static void release(void* text) {
    if ((uintptr_t)text >= FLASH_SIZE) {
        free(text);
    }
}

/* The structure is the SDK's: it does not say whether its texts are copies, their place does. */
static void* keep_for_identity(const void* data, size_t length) {
    text_t text = keep(data, length);
    void* bytes;
    memcpy(&bytes, &text.bytes, sizeof(bytes));
    return bytes;
}

wiced_result_t wiced_tls_init_identity(wiced_tls_identity_t* identity, const char* private_key,
                                       const uint32_t key_length, const uint8_t* certificate_data,
                                       uint32_t certificate_length) {
    if (identity == NULL || certificate_data == NULL) {
        return WICED_TLS_ERROR_BAD_INPUT_DATA;
    }
    memset(identity, 0, sizeof(*identity));
    /* Lengths may or may not count a NUL. */
    identity->key_length = private_key != NULL ? (uint32_t)strnlen(private_key, key_length) : 0;
    identity->certificate_length =
        (uint32_t)strnlen((const char*)certificate_data, certificate_length);
    identity->private_key =
        keep_for_identity(private_key != NULL ? private_key : "", identity->key_length);
    identity->certificate = keep_for_identity(certificate_data, identity->certificate_length);
    WOLFSSL_CTX* trial = wolfSSL_CTX_new(wolfSSLv23_client_method());
    wiced_result_t result = WICED_OUT_OF_HEAP_SPACE;
    if (identity->private_key != NULL && identity->certificate != NULL && trial != NULL) {
        result = tls_certificates_load_identity(trial, identity);
    }
    wolfSSL_CTX_free(trial);
    if (result != WICED_SUCCESS) {
        (void)wiced_tls_deinit_identity(identity);
    }
    return result;
}

wiced_result_t wiced_tls_deinit_identity(wiced_tls_identity_t* identity) {
    if (identity == NULL) {
        return WICED_TLS_ERROR_BAD_INPUT_DATA;
    }
    if ((uintptr_t)identity->private_key >= FLASH_SIZE) {
        memset(identity->private_key, 0, identity->key_length);
    }
    release(identity->private_key);
    release(identity->certificate);
    memset(identity, 0, sizeof(*identity));
    return WICED_SUCCESS;
}
