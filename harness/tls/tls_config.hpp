// What a TLS server or client is asked to be, as plain values: files are named here and read by
// TlsContext, which says what is wrong with them. Copyable, no I/O, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace harness {

/// In ascending order. TLS 1.0 is missing because Debian's wolfSSL does not speak it.
enum class TlsVersion : std::uint8_t { tls_1_1, tls_1_2, tls_1_3 };

enum class TlsProfile : std::uint8_t {
    modern,  ///< TLS 1.2 and 1.3, AEAD suites with (EC)DHE only
    legacy,  ///< as modern, and also TLS 1.1 and the ECDHE/DHE suites with AES-CBC
};

/// What a server asks of its clients in the way of certificates.
enum class ClientAuth : std::uint8_t {
    none,     ///< no certificate is asked for
    request,  ///< a client may come without one, but one that it sends must verify
    require,  ///< a client without a certificate that verifies is refused
};

using Sha256 = std::array<std::uint8_t, 32>;

/// 64 lower-case hex digits.
[[nodiscard]] std::string to_hex(const Sha256& digest);
/// Takes 64 hex digits of either case, with or without colons between bytes; nothing otherwise.
[[nodiscard]] std::optional<Sha256> sha256_from_hex(std::string_view text);

/// "TLSv1.1", "TLSv1.2", "TLSv1.3": the spelling of HandshakeEnded::tls_version.
[[nodiscard]] std::string_view to_string(TlsVersion version);
/// Takes "1.2", "TLSv1.2" or "tls1.2"; nothing for what is not offered.
[[nodiscard]] std::optional<TlsVersion> tls_version_from(std::string_view text);

struct TlsServerConfig {
    std::string certificate_file;  ///< PEM, the server's certificate first, then its intermediates
    std::string key_file;          ///< PEM, not encrypted; may be the same file
    std::string client_ca_file;    ///< PEM, CA certificates only; needed unless client_auth is none
    ClientAuth client_auth = ClientAuth::none;
    TlsProfile profile = TlsProfile::modern;
    std::optional<TlsVersion> version_min;  ///< absent: the lowest of the profile
    std::optional<TlsVersion> version_max;  ///< absent: TLS 1.3
    std::string ciphers;            ///< wolfSSL's list, colon-separated; empty: the profile's
    std::string key_log_file = {};  ///< to be made; empty: the sessions' secrets go nowhere

    // What only a server wants that misbehaves on purpose.
    /// PEM: the CAs that are named to clients which are asked for a certificate. Empty: none.
    std::string client_ca_names_file = {};
    bool checks_key = true;       ///< whether the key must belong to the certificate
    bool issues_tickets = false;  ///< for resumption; another context refuses them
};

/// With neither a pin nor verify_chain nor a name, the client takes any certificate.
struct TlsClientConfig {
    std::string ca_file;       ///< PEM; empty: /etc/ssl/certs/ca-certificates.crt
    bool verify_chain = true;  ///< the chain leads to ca_file and every certificate is in date
    /// A DNS name or an IP address that the certificate's subjectAltName must hold; the common
    /// name does not count. Empty: not checked. Unlike `server_name` it is never sent.
    std::string name;
    std::string server_name;    ///< sent as SNI; empty or an IP address: none is sent
    std::optional<Sha256> pin;  ///< SHA-256 of the public key (SubjectPublicKeyInfo); replaces both
    std::string certificate_file;  ///< PEM, the client's own chain; empty: it has none
    std::string key_file;
    TlsProfile profile = TlsProfile::modern;
    std::optional<TlsVersion> version_min;
    std::optional<TlsVersion> version_max;
    std::string ciphers;
};

}  // namespace harness
