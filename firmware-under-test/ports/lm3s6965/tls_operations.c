#include "tls.h"

static const tls_operations_t* provided;

const tls_operations_t* tls_operations(void) {
    return provided;
}

void tls_provide(const tls_operations_t* operations) {
    provided = operations;
}
