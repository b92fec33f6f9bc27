#include "tls_sessions.h"

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"

#define ID_BYTES_MAX 32
#define KEY_INDEX 0

typedef struct {
    WOLFSSL_SESSION* session; /* NULL: free */
    uint8_t id[ID_BYTES_MAX];
    size_t id_size;
    tls_sessions_key_t key;
} entry_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry_t* entries; /* application_settings.tls_sessions_max of them, once there is one */
static size_t next_entry;
static uint32_t generation;

static tls_sessions_key_t* key_of(WOLFSSL* library_session) {
    return wolfSSL_CTX_get_ex_data(wolfSSL_get_SSL_CTX(library_session), KEY_INDEX);
}

static bool is_same_key(const tls_sessions_key_t* one, const tls_sessions_key_t* other) {
    return one->identity == other->identity && one->is_verifying == other->is_verifying &&
           one->generation == other->generation;
}

static entry_t* find_locked(const uint8_t* id, size_t id_size) {
    for (size_t i = 0; entries != NULL && i < application_settings.tls_sessions_max; ++i) {
        entry_t* entry = &entries[i];
        if (entry->session != NULL && entry->id_size == id_size &&
            memcmp(entry->id, id, id_size) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* The place of a session of the same id, else the oldest's. */
static entry_t* place_locked(const uint8_t* id, size_t id_size) {
    if (entries == NULL) {
        entries = calloc(application_settings.tls_sessions_max, sizeof(*entries));
    }
    entry_t* entry = find_locked(id, id_size);
    if (entry == NULL && entries != NULL) {
        entry = &entries[next_entry];
        next_entry = (next_entry + 1) % application_settings.tls_sessions_max;
    }
    return entry;
}

/* 1 when the reference to the session that comes with the call is kept. */
static int keep(WOLFSSL* library_session, WOLFSSL_SESSION* session) {
    const tls_sessions_key_t* key = key_of(library_session);
    unsigned int id_size = 0;
    const uint8_t* id = wolfSSL_SESSION_get_id(session, &id_size);
    if (wolfSSL_version(library_session) > TLS1_2_VERSION || id == NULL || id_size == 0 ||
        id_size > ID_BYTES_MAX || application_settings.tls_sessions_max == 0) {
        return 0;
    }
    int is_kept = 0;
    pthread_mutex_lock(&lock);
    entry_t* entry = key->generation == generation ? place_locked(id, id_size) : NULL;
    if (entry != NULL) {
        wolfSSL_SESSION_free(entry->session);
        entry->session = session;
        memcpy(entry->id, id, id_size);
        entry->id_size = id_size;
        entry->key = *key;
        is_kept = 1;
    }
    pthread_mutex_unlock(&lock);
    return is_kept;
}

static WOLFSSL_SESSION* find(WOLFSSL* library_session, const unsigned char* id, int id_size,
                             int* is_ours) {
    WOLFSSL_SESSION* session = NULL;
    pthread_mutex_lock(&lock);
    const entry_t* entry = find_locked(id, (size_t)id_size);
    if (entry != NULL && is_same_key(&entry->key, key_of(library_session)) &&
        wolfSSL_SESSION_up_ref(entry->session) == WOLFSSL_SUCCESS) {
        session = entry->session;
    }
    pthread_mutex_unlock(&lock);
    *is_ours = 0; /* the library drops the reference that was just added */
    return session;
}

bool tls_sessions_attach(struct WOLFSSL_CTX* library_context, tls_sessions_key_t* key) {
    pthread_mutex_lock(&lock);
    key->generation = generation;
    pthread_mutex_unlock(&lock);
    wolfSSL_CTX_set_session_cache_mode(library_context,
                                       WOLFSSL_SESS_CACHE_SERVER | WOLFSSL_SESS_CACHE_NO_INTERNAL);
    wolfSSL_CTX_sess_set_new_cb(library_context, keep);
    wolfSSL_CTX_sess_set_get_cb(library_context, find);
    /* A ticket would make the peer keep the session, and nothing of this would count. */
    return wolfSSL_CTX_NoTicketTLSv12(library_context) == WOLFSSL_SUCCESS &&
           wolfSSL_CTX_no_ticket_TLSv13(library_context) == 0 &&
           wolfSSL_CTX_set_ex_data(library_context, KEY_INDEX, key) == WOLFSSL_SUCCESS;
}

void tls_sessions_forget(void) {
    pthread_mutex_lock(&lock);
    ++generation;
    for (size_t i = 0; entries != NULL && i < application_settings.tls_sessions_max; ++i) {
        wolfSSL_SESSION_free(entries[i].session);
        entries[i].session = NULL;
    }
    pthread_mutex_unlock(&lock);
}
