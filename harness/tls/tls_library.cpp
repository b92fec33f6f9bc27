#include "harness/tls/tls_library.hpp"

#include <fmt/format.h>
#include <wolfssl/options.h>
// options.h comes first: it says how the library was built.
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/ecc.h>

#include "rig/base/errors.hpp"

namespace harness {

TlsLibrary::TlsLibrary() {
    const int result = wolfSSL_Init();
    if (result != WOLFSSL_SUCCESS) {
        throw rig::RigError(fmt::format("start wolfSSL: error {}", result));
    }
}

TlsLibrary::~TlsLibrary() {
    wolfSSL_Cleanup();
}

void release_tls_thread_memory() {
#ifdef FP_ECC
    wc_ecc_fp_free();
#endif
    wolfSSL_ERR_remove_state(0);
}

}  // namespace harness
