#include <string.h>

#include "tls.h"

static const tls_operations_t* provided;

const tls_operations_t* tls_operations(void) {
    return provided;
}

void tls_provide(const tls_operations_t* operations) {
    provided = operations;
}

void tls_forget_context(wiced_tls_context_t* context) {
    memset(context, 0, sizeof(*context));
}
