// Encrypts one TLS record by hand, with keys and sequence number that a library would have used:
// how the rig sends what no library has a call for. AEAD suites only. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace harness {

struct RecordKeys {
    enum class Cipher : std::uint8_t { aes_gcm, chacha20_poly1305 };
    enum class Version : std::uint8_t { tls_1_2, tls_1_3 };

    Version version = Version::tls_1_3;
    Cipher cipher = Cipher::aes_gcm;
    std::vector<std::uint8_t> key;
    std::vector<std::uint8_t> iv;  ///< 12 bytes; AES-GCM under TLS 1.2: the implicit 4
    std::uint64_t sequence = 0;    ///< of this record
};

/// The whole record, header first; nothing if keys or cipher do not fit together.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> seal_record(
    const RecordKeys& keys, std::uint8_t type, std::span<const std::uint8_t> plaintext);

}  // namespace harness
