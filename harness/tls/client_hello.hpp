// ClientHello is what a TLS client offers, and ClientHelloReader takes it out of the first bytes of
// a connection by itself, before and apart from any TLS library: so that the rig can say what a
// board asked for when the library refuses it. Values without I/O; the reader is one connection's
// and keeps at most twice `hello_bytes_max` bytes. Codes that nobody assigned (GREASE) are kept as
// they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace harness {

struct ClientHello {
    std::uint16_t record_version = 0;          ///< of the first record: 0x0301, mostly
    std::uint16_t legacy_version = 0;          ///< 0x0303 also for TLS 1.3
    std::vector<std::uint16_t> versions;       ///< extension supported_versions, in order
    std::vector<std::uint16_t> cipher_suites;  ///< in order, signalling values among them
    std::vector<std::uint16_t> groups;         ///< extension supported_groups
    std::vector<std::uint16_t> signature_algorithms;
    std::vector<std::uint16_t> extensions;  ///< types, in order
    std::vector<std::string> alpn;
    std::string server_name;         ///< SNI; empty: none
    bool offers_session_id = false;  ///< TLS 1.3 clients send one for looks
    bool offers_ticket = false;      ///< a non-empty session_ticket
    bool offers_psk = false;         ///< extension pre_shared_key

    bool operator==(const ClientHello&) const = default;

    /// The highest version offered that is no GREASE: 0x0304 is TLS 1.3.
    [[nodiscard]] std::uint16_t version_max() const;
    /// Whether every suite exchanges keys by RSA: Debian's wolfSSL serves none of those.
    [[nodiscard]] bool offers_only_rsa_key_exchange() const;
};

/// A compact JSON object on one line, ASCII: names where they are known ("TLSv1.2",
/// "TLS_AES_128_GCM_SHA256", "x25519"), "0x1234" where not, "GREASE" for those.
[[nodiscard]] std::string to_json(const ClientHello& hello);

/// Bytes for people: `57 30 46 41 ("W0FA")`. At most the first 16 of them.
[[nodiscard]] std::string show_bytes(std::span<const std::uint8_t> bytes);

class ClientHelloReader {
  public:
    /// Of the handshake message. Post-quantum key shares make some 1.8 KB; nobody needs 16.
    static constexpr std::size_t hello_bytes_max = 16U * 1024;
    /// Bytes of the raw stream that are kept to show what came instead of TLS.
    static constexpr std::size_t first_bytes_max = 16;

    enum class Result : std::uint8_t {
        incomplete,  ///< all fine so far, more is to come
        complete,    ///< hello() is filled in; whatever follows is ignored
        not_tls,     ///< the first bytes are no TLS handshake record: problem() shows them
        malformed,   ///< TLS, but no ClientHello that can be read: problem() says where
    };

    /// Takes the next bytes of the connection, however they were cut. After anything but incomplete
    /// it ignores them and answers the same again.
    Result feed(std::span<const std::uint8_t> bytes);

    [[nodiscard]] Result result() const { return result_; }
    [[nodiscard]] const ClientHello& hello() const { return hello_; }
    /// For people; empty unless not_tls or malformed.
    [[nodiscard]] const std::string& problem() const { return problem_; }

  private:
    Result take_header();
    Result take_message();

    Result result_ = Result::incomplete;
    ClientHello hello_;
    std::string problem_;
    std::vector<std::uint8_t> first_bytes_;
    std::vector<std::uint8_t> header_;   // of the record being read, up to 5 bytes
    std::size_t record_left_ = 0;        // bytes of its body still to come
    std::vector<std::uint8_t> message_;  // the handshake message so far
};

}  // namespace harness
