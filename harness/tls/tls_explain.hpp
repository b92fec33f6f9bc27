// Turns the end of a TLS session into one sentence that a person can act on: from wolfSSL's error,
// the alerts that went to and fro, and what the ClientHello offered. Pure; used by TlsSession.
#pragma once

#include <cstdint>
#include <string>

#include "harness/tls/client_hello.hpp"
#include "harness/tls/tls_context.hpp"
#include "harness/tls/tls_session.hpp"

struct WOLFSSL_X509;

namespace harness {

/// Everything is borrowed for the call of explain() only.
struct HandshakeTrouble {
    enum class Stage : std::uint8_t { nothing_received, handshaking, open };

    const TlsContext& context;
    const ClientHelloReader& hello_reader;
    const TlsFacts& facts;
    const std::string& certificate_problem;  ///< empty: it was not that
    int wolfssl_error = 0;
    bool peer_ended = false;
    Stage stage = Stage::handshaking;
};

[[nodiscard]] std::string explain(const HandshakeTrouble& trouble);

/// Whether wolfSSL before 5.7.2 answers this ClientHello with the cipher suite 0x0000 and breaks
/// off: it has TLS_EMPTY_RENEGOTIATION_INFO_SCSV and no extensions. Such a client is refused
/// beforehand.
[[nodiscard]] bool wolfssl_mistakes(const ClientHello& hello);

/// "/O=Lab/CN=board 7"; empty if it has none.
[[nodiscard]] std::string certificate_subject(WOLFSSL_X509* x509);

/// Why wolfSSL's verification failed on this certificate (nullptr: unknown which). `error` is one
/// of wolfSSL's own numbers or, in later releases, of OpenSSL's.
[[nodiscard]] std::string certificate_problem(WOLFSSL_X509* x509, int error);

/// What an alert means to the side that received it, after its name; may be empty.
[[nodiscard]] std::string alert_meaning(std::uint8_t alert, TlsRole receiver);

/// wolfSSL's own words and the number.
[[nodiscard]] std::string wolfssl_reason(int error);

}  // namespace harness
