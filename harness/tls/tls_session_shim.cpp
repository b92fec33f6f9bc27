// What a server's session does so that it can be spoilt: its records go through a shim, and records
// that wolfSSL has no call for go out in place of its own.
#include <wolfssl/options.h>
// options.h comes first: it says how the library was built.
#include <wolfssl/ssl.h>

#include "harness/tls/record_seal.hpp"
#include "harness/tls/tls_session.hpp"

namespace harness {
namespace {

constexpr std::uint8_t record_type_handshake = 22;

}  // namespace

void TlsSession::use_shim(RecordShim& shim) {
    shim_ = &shim;
    shim.set(context_.verify_mode() != WOLFSSL_VERIFY_NONE
                 ? RecordShim::ClientCertificate::asked
                 : RecordShim::ClientCertificate::not_asked);
}

void TlsSession::queue(std::span<const std::uint8_t> bytes) {
    std::vector<std::uint8_t> sealed;
    if (!disguised_.empty() && seal(record_type_handshake, disguised_, sealed)) {
        bytes = sealed;
    }
    if (shim_ == nullptr) {
        output_.insert(output_.end(), bytes.begin(), bytes.end());
        return;
    }
    shim_->pass(
        bytes,
        [this](std::uint8_t type, std::span<const std::uint8_t> plaintext,
               std::vector<std::uint8_t>& output) { return seal(type, plaintext, output); },
        output_);
}

// In place of the record that wolfSSL hands over just now, and so under the number of that one.
bool TlsSession::seal(std::uint8_t type, std::span<const std::uint8_t> plaintext,
                      std::vector<std::uint8_t>& output) const {
    WOLFSSL* const session = session_.get();
    const int bulk_cipher = wolfSSL_GetBulkCipher(session);
    const unsigned char* const key = wolfSSL_GetServerWriteKey(session);
    const unsigned char* const iv = wolfSSL_GetServerWriteIV(session);
    word64 next_sequence = 0;
    const bool is_gcm = bulk_cipher == wolfssl_aes_gcm;
    if (context_.role() != TlsRole::server || key == nullptr || iv == nullptr ||
        !(is_gcm || bulk_cipher == wolfssl_chacha) ||
        wolfSSL_GetSequenceNumber(session, &next_sequence) < 0 || next_sequence == 0) {
        return false;
    }
    constexpr std::size_t implicit_size = 4;
    constexpr std::size_t nonce_size = 12;
    const bool is_1_3 = wolfSSL_version(session) == TLS1_3_VERSION;
    const auto sealed = seal_record(
        {.version = is_1_3 ? RecordKeys::Version::tls_1_3 : RecordKeys::Version::tls_1_2,
         .cipher = is_gcm ? RecordKeys::Cipher::aes_gcm : RecordKeys::Cipher::chacha20_poly1305,
         .key = {key, key + wolfSSL_GetKeySize(session)},
         .iv = {iv, iv + (is_gcm && !is_1_3 ? implicit_size : nonce_size)},
         .sequence = next_sequence - 1},
        type, plaintext);
    if (!sealed) {
        return false;
    }
    output.insert(output.end(), sealed->begin(), sealed->end());
    return true;
}

bool TlsSession::request_renegotiation() {
    const int cipher = wolfSSL_GetBulkCipher(session_.get());
    if (state_ != State::open || has_closed_ || wolfSSL_version(session_.get()) != TLS1_2_VERSION ||
        !(cipher == wolfssl_aes_gcm || cipher == wolfssl_chacha)) {
        return false;
    }
    // A HelloRequest. wolfSSL has no call for it: it is told to send as many bytes of data, so that
    // it counts the record, and what it sends is replaced.
    disguised_ = {0, 0, 0, 0};
    write(disguised_);
    disguised_.clear();
    return true;
}

bool TlsSession::request_key_update() {
    if (state_ != State::open || has_closed_ || wolfSSL_version(session_.get()) != TLS1_3_VERSION) {
        return false;
    }
    compact_output();
    wolfSSL_ERR_clear_error();
    return wolfSSL_update_keys(session_.get()) == WOLFSSL_SUCCESS;
}

}  // namespace harness
