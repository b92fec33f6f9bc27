// What a session finds out: who the peer is and whether its certificate is good, the alerts of both
// sides, the secret that a key log wants.
#include <fmt/format.h>
#include <wolfssl/options.h>
// options.h comes first: it says how the library was built.
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/tls/certificate.hpp"
#include "harness/tls/key_log.hpp"
#include "harness/tls/tls_explain.hpp"
#include "harness/tls/tls_session.hpp"
#include "rig/base/errors.hpp"

namespace harness {
namespace {

constexpr std::uint8_t record_type_change_cipher = 20;
constexpr std::uint8_t record_type_application = 23;
constexpr int alert_close_notify = 0;

struct X509Releaser {
    void operator()(WOLFSSL_X509* x509) const { wolfSSL_X509_free(x509); }
};

Sha256 sha256_of(std::span<const std::uint8_t> bytes) {
    Sha256 digest{};
    const int result =
        wc_Sha256Hash(bytes.data(), static_cast<word32>(bytes.size()), digest.data());
    if (result != 0)
        throw rig::RigError(fmt::format("hash a public key: error {}", result));
    return digest;
}

}  // namespace

// TLS 1.3 has none: its secrets were logged as they were derived.
void TlsSession::log_master_secret() {
    if (wolfSSL_version(session_.get()) < TLS1_3_VERSION) {
        std::array<unsigned char*, 3> parts{};  // secret, server's random, client's random
        std::array<unsigned int, 3> sizes{};
        const int result = wolfSSL_get_keys(session_.get(), &parts[0], &sizes[0], &parts[1],
                                            &sizes[1], &parts[2], &sizes[2]);
        if (result == WOLFSSL_SUCCESS) {
            (void)context_.key_log()->add("CLIENT_RANDOM", {parts[2], sizes[2]},
                                          {parts[0], sizes[0]});
        }
    }
    wolfSSL_FreeArrays(session_.get());
}

void TlsSession::note_peer() {
    const std::unique_ptr<WOLFSSL_X509, X509Releaser> x509(
        wolfSSL_get_peer_certificate(session_.get()));
    if (!x509)
        return;
    int size = 0;
    const unsigned char* der = wolfSSL_X509_get_der(x509.get(), &size);
    if (der == nullptr || size <= 0)
        return;
    facts_.peer_subject = certificate_subject(x509.get());
    const auto parts = parse_certificate({der, static_cast<std::size_t>(size)});
    if (parts)
        facts_.peer_key = sha256_of(parts->public_key);
}

void TlsSession::note_alerts() {
    WOLFSSL_ALERT_HISTORY history{};
    if (wolfSSL_get_alert_history(session_.get(), &history) != WOLFSSL_SUCCESS)
        return;
    const auto note = [](int code, std::optional<std::uint8_t>& fact) {
        if (code > alert_close_notify && code <= 255)
            fact = static_cast<std::uint8_t>(code);
    };
    note(history.last_tx.code, facts_.alert_sent);
    note(history.last_rx.code, facts_.alert_received);
    if (!facts_.alert_received)
        facts_.alert_received = alert_reader_.alert();
}

void TlsSession::note_sent_records(std::span<const std::uint8_t> bytes) {
    // wolfSSL hands over whole records; those of other types than these two come in the clear.
    constexpr std::size_t header_bytes = 5;
    while (bytes.size() >= header_bytes) {
        if (bytes[0] == record_type_change_cipher || bytes[0] == record_type_application) {
            has_sent_ciphertext_ = true;
        }
        const std::size_t length = static_cast<std::size_t>(bytes[3] << 8U) | bytes[4];
        bytes = bytes.subspan(std::min(bytes.size(), header_bytes + length));
    }
}

// Called for each certificate of the peer's chain, the peer's own (depth 0) last. 1: go on.
int TlsSession::judge_certificate(int verified, WOLFSSL_X509_STORE_CTX* chain) {
    const int depth = chain->error_depth;
    const bool is_known = depth >= 0 && depth < chain->totalCerts && chain->certs != nullptr;
    std::optional<CertificateParts> parts;
    if (is_known && depth == 0) {
        const auto& der = chain->certs[0];
        parts = parse_certificate({der.buffer, der.length});
        if (parts)
            facts_.peer_key = sha256_of(parts->public_key);
        if (chain->current_cert != nullptr)
            facts_.peer_subject = certificate_subject(chain->current_cert);
    }
    const auto refuse = [this](std::string problem) {
        certificate_problem_ = std::move(problem);
        return 0;
    };
    const bool is_server = context_.role() == TlsRole::server;
    const TlsClientConfig& wanted = context_.client_config();
    const bool needs_chain = is_server || (wanted.verify_chain && !wanted.pin);
    if (needs_chain && verified != 1) {
        return refuse(certificate_problem(chain->current_cert, chain->error));
    }
    if (is_server || depth > 0)
        return 1;

    if (!parts)
        return refuse("the server's certificate cannot be read");
    if (wanted.pin) {
        if (facts_.peer_key != wanted.pin) {
            return refuse(fmt::format("the server's public key is {}, pinned is {}",
                                      to_hex(*facts_.peer_key), to_hex(*wanted.pin)));
        }
    } else if (!wanted.name.empty() && !parts->is_for(wanted.name)) {
        return refuse(fmt::format("the server's certificate is for {}, not for {}", parts->names(),
                                  wanted.name));
    }
    has_judged_ = true;
    return 1;
}

}  // namespace harness
