// Names of the numbers in TLS: suites, groups, signature schemes, versions, alerts, extensions, as
// IANA registers them. Tables of constants; a code that they do not hold comes out as "0x1234".
#pragma once

#include <cstdint>
#include <string>

namespace harness {

[[nodiscard]] std::string cipher_suite_name(std::uint16_t code);
[[nodiscard]] std::string group_name(std::uint16_t code);
[[nodiscard]] std::string signature_scheme_name(std::uint16_t code);
/// "TLSv1.2"; "SSLv3"; hex for the rest.
[[nodiscard]] std::string version_name(std::uint16_t code);
[[nodiscard]] std::string extension_name(std::uint16_t code);
/// "handshake_failure"; "alert 117" for one that is not registered.
[[nodiscard]] std::string alert_name(std::uint8_t code);

/// Values that clients send to keep servers tolerant (RFC 8701): 0x0a0a, 0x1a1a, ... 0xfafa.
[[nodiscard]] constexpr bool is_grease(std::uint16_t code) {
    return (code & 0x0f0fU) == 0x0a0aU && (code >> 8U) == (code & 0xffU);
}

/// Whether the suite exchanges keys by RSA encryption (no forward secrecy).
[[nodiscard]] bool is_rsa_key_exchange(std::uint16_t code);

}  // namespace harness
