#include "tls_credentials.h"

#include <wolfssl/ssl.h>

#include <wolfssl/wolfcrypt/error-crypt.h>

#include <stdlib.h>
#include <string.h>

#include "tls_result.h"

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"
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

static const char* find(const char* data, const char* end, const char* word) {
    size_t size = strlen(word);
    for (; data + size <= end; ++data) {
        if (memcmp(data, word, size) == 0) {
            return data;
        }
    }
    return NULL;
}

static int load_one(WOLFSSL_CTX* library_context, const char* data, size_t length, int format,
                    word32 flags) {
    return wolfSSL_CTX_load_verify_buffer_ex(library_context, (const unsigned char*)data,
                                             (long)length, format, 0, flags);
}

/*
 * Loads each certificate between its BEGIN and END lines by itself. Text outside them is nobody's
 * business; a certificate that does not load spoils the whole set. Gives wolfSSL's result.
 */
static int load_set(WOLFSSL_CTX* library_context, const text_t* set, word32 flags) {
    const char* end = set->bytes + set->length;
    const char* begin = find(set->bytes, end, PEM_BEGIN);
    int result = WOLFSSL_SUCCESS;
    if (begin == NULL) {
        return load_one(library_context, set->bytes, set->length, WOLFSSL_FILETYPE_ASN1, flags);
    }
    for (; begin != NULL && result == WOLFSSL_SUCCESS; begin = find(begin, end, PEM_BEGIN)) {
        const char* last = find(begin, end, PEM_END);
        if (last == NULL) {
            return ASN_PARSE_E;
        }
        /* The library wants a line end after the last line. */
        size_t size = (size_t)(last - begin) + strlen(PEM_END);
        char* block = malloc(size + 2);
        if (block == NULL) {
            return MEMORY_E;
        }
        memcpy(block, begin, size);
        memcpy(block + size, "\n", 2);
        result = load_one(library_context, block, size + 1, WOLFSSL_FILETYPE_PEM, flags);
        free(block);
        begin = last;
    }
    return result;
}

bool tls_credentials_have_roots(void) {
    return roots.bytes != NULL;
}

wiced_result_t tls_credentials_load_roots(struct WOLFSSL_CTX* library_context) {
    int result = load_set(library_context, &roots, WOLFSSL_LOAD_FLAG_NONE);
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
        load_set(trial, &given, WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY) == WOLFSSL_SUCCESS) {
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

wiced_result_t tls_credentials_load_identity(struct WOLFSSL_CTX* library_context,
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
        result = tls_credentials_load_identity(trial, identity);
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
