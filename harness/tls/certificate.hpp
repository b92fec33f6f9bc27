// CertificateParts is the little of an X.509 certificate that a rig judges by itself: the public
// key, for pins, and the names in subjectAltName, strictly: wolfSSL's own check also takes the
// common name and IP addresses spelt as DNS names. A plain value, read from DER with bounds
// checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

struct CertificateParts {
    std::vector<std::uint8_t> public_key;                 ///< SubjectPublicKeyInfo, DER
    std::vector<std::string> dns_names;                   ///< of subjectAltName, as they stand
    std::vector<std::vector<std::uint8_t>> ip_addresses;  ///< of subjectAltName, 4 or 16 bytes

    /// Whether the certificate is one for `name`: a DNS name (case ignored, `*` for exactly one
    /// whole label at the left, RFC 6125) or an IPv4 or IPv6 address (then only ip_addresses
    /// count).
    [[nodiscard]] bool is_for(std::string_view name) const;
    /// "DNS:rig.local, IP:127.0.0.1"; "no names" if there is none.
    [[nodiscard]] std::string names() const;
};

/// Nothing if the bytes are no certificate.
[[nodiscard]] std::optional<CertificateParts> parse_certificate(std::span<const std::uint8_t> der);

/// Whether the text is an IPv4 or IPv6 address, as inet_pton takes them.
[[nodiscard]] bool is_ip_address(std::string_view text);

}  // namespace harness
