#include "tls_credentials.h"

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tls_certificates.h"
#include "tls_sessions.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char* roots; /* as given, with a NUL after the last byte */
static size_t roots_length;

static bool load_set(WOLFSSL_CTX* library_context, const char* text, size_t length) {
    return tls_certificates_trust(library_context, text, length,
                                  WOLFSSL_LOAD_VERIFY_DEFAULT_FLAGS) == WOLFSSL_SUCCESS;
}

bool tls_credentials_have_roots(void) {
    pthread_mutex_lock(&lock);
    bool have = roots != NULL;
    pthread_mutex_unlock(&lock);
    return have;
}

bool tls_credentials_load_roots(struct WOLFSSL_CTX* library_context) {
    pthread_mutex_lock(&lock);
    bool is_loaded = roots != NULL && load_set(library_context, roots, roots_length);
    pthread_mutex_unlock(&lock);
    return is_loaded;
}

wiced_result_t wiced_tls_deinit_root_ca_certificates(void) {
    pthread_mutex_lock(&lock);
    free(roots);
    roots = NULL;
    roots_length = 0;
    pthread_mutex_unlock(&lock);
    tls_sessions_forget();
    return WICED_SUCCESS;
}

static char* copy_text(const void* data, size_t length) {
    char* copy = malloc(length + 1);
    if (copy != NULL) {
        memcpy(copy, data, length);
        copy[length] = '\0';
    }
    return copy;
}

wiced_result_t wiced_tls_init_root_ca_certificates(const char* trusted_ca_certificates,
                                                   const uint32_t length) {
    if (trusted_ca_certificates == NULL || length == 0) {
        return WICED_SUCCESS;
    }
    (void)wiced_tls_deinit_root_ca_certificates();
    char* copy = copy_text(trusted_ca_certificates, length);
    WOLFSSL_CTX* trial = wolfSSL_CTX_new(wolfSSLv23_client_method());
    wiced_result_t result = copy == NULL || trial == NULL   ? WICED_OUT_OF_HEAP_SPACE
                            : load_set(trial, copy, length) ? WICED_SUCCESS
                                                            : WICED_ERROR;
    wolfSSL_CTX_free(trial);
    wolfSSL_ERR_clear_error();
    if (result != WICED_SUCCESS) {
        free(copy);
        return result;
    }
    pthread_mutex_lock(&lock);
    roots = copy;
    roots_length = length;
    pthread_mutex_unlock(&lock);
    tls_sessions_forget();
    return WICED_SUCCESS;
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
    identity->private_key = copy_text(private_key != NULL ? private_key : "", identity->key_length);
    identity->certificate = (uint8_t*)copy_text(certificate_data, identity->certificate_length);
    WOLFSSL_CTX* trial = wolfSSL_CTX_new(wolfSSLv23_server_method());
    wiced_result_t result = WICED_OUT_OF_HEAP_SPACE;
    if (identity->private_key != NULL && identity->certificate != NULL && trial != NULL) {
        result = tls_certificates_load_identity(trial, identity);
    }
    wolfSSL_CTX_free(trial);
    wolfSSL_ERR_clear_error();
    if (result != WICED_SUCCESS) {
        (void)wiced_tls_deinit_identity(identity);
    }
    return result;
}

wiced_result_t wiced_tls_deinit_identity(wiced_tls_identity_t* identity) {
    if (identity == NULL) {
        return WICED_TLS_ERROR_BAD_INPUT_DATA;
    }
    tls_sessions_forget();
    if (identity->private_key != NULL) {
        memset(identity->private_key, 0, identity->key_length);
    }
    free(identity->private_key);
    free(identity->certificate);
    memset(identity, 0, sizeof(*identity));
    return WICED_SUCCESS;
}
