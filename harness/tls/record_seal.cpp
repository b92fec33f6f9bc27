#include "harness/tls/record_seal.hpp"

#include <wolfssl/options.h>
// options.h comes first: it says how the library was built.
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>

#include <algorithm>
#include <array>
#include <memory>

namespace harness {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t explicit_size = 8;
constexpr std::size_t chacha_key_size = 32;
constexpr std::uint8_t type_application = 23;

using Bytes = std::vector<std::uint8_t>;
using Nonce = std::array<std::uint8_t, nonce_size>;

std::array<std::uint8_t, 8> big_endian(std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t at = bytes.size(); at-- > 0; value >>= 8U) {
        bytes[at] = static_cast<std::uint8_t>(value & 0xffU);
    }
    return bytes;
}

void append_u16(Bytes& bytes, std::size_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8U));
    bytes.push_back(static_cast<std::uint8_t>(value & 0xffU));
}

/// Whether the nonce goes along with the record: RFC 5288.
bool is_explicit(const RecordKeys& keys) {
    return keys.version == RecordKeys::Version::tls_1_2 &&
           keys.cipher == RecordKeys::Cipher::aes_gcm;
}

std::optional<Nonce> nonce_of(const RecordKeys& keys) {
    const auto sequence = big_endian(keys.sequence);
    Nonce nonce{};
    if (keys.iv.size() != nonce.size() - (is_explicit(keys) ? explicit_size : 0)) {
        return std::nullopt;
    }
    std::copy(keys.iv.begin(), keys.iv.end(), nonce.begin());
    for (std::size_t at = 0; at < sequence.size(); ++at) {
        nonce[nonce.size() - sequence.size() + at] ^= sequence[at];
    }
    return nonce;
}

struct AesReleaser {
    void operator()(Aes* aes) const { wc_AesFree(aes); }
};

bool encrypt(const RecordKeys& keys, const Nonce& nonce, const Bytes& aad, const Bytes& inner,
             std::uint8_t* out, std::uint8_t* tag) {
    const auto size = static_cast<word32>(inner.size());
    const auto aad_size = static_cast<word32>(aad.size());
    if (keys.cipher == RecordKeys::Cipher::chacha20_poly1305) {
        return keys.key.size() == chacha_key_size &&
               wc_ChaCha20Poly1305_Encrypt(keys.key.data(), nonce.data(), aad.data(), aad_size,
                                           inner.data(), size, out, tag) == 0;
    }
    Aes state{};
    const std::unique_ptr<Aes, AesReleaser> aes(&state);
    return wc_AesInit(aes.get(), nullptr, INVALID_DEVID) == 0 &&
           wc_AesGcmSetKey(aes.get(), keys.key.data(), static_cast<word32>(keys.key.size())) == 0 &&
           wc_AesGcmEncrypt(aes.get(), out, inner.data(), size, nonce.data(), nonce_size, tag,
                            tag_size, aad.data(), aad_size) == 0;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> seal_record(const RecordKeys& keys, std::uint8_t type,
                                                     std::span<const std::uint8_t> plaintext) {
    const auto nonce = nonce_of(keys);
    if (!nonce) {
        return std::nullopt;
    }
    const bool is_1_3 = keys.version == RecordKeys::Version::tls_1_3;
    Bytes inner(plaintext.begin(), plaintext.end());
    if (is_1_3) {
        inner.push_back(type);
    }
    const std::size_t explicit_bytes = is_explicit(keys) ? explicit_size : 0;
    Bytes record{is_1_3 ? type_application : type, 3, 3};
    append_u16(record, explicit_bytes + inner.size() + tag_size);
    Bytes aad = record;
    if (!is_1_3) {
        const auto sequence = big_endian(keys.sequence);
        aad.assign(sequence.begin(), sequence.end());
        aad.insert(aad.end(), {type, 3, 3});
        append_u16(aad, plaintext.size());
    }
    record.insert(record.end(), nonce->end() - static_cast<std::ptrdiff_t>(explicit_bytes),
                  nonce->end());
    const std::size_t at = record.size();
    record.resize(at + inner.size() + tag_size);
    if (!encrypt(keys, *nonce, aad, inner, record.data() + at, record.data() + at + inner.size())) {
        return std::nullopt;
    }
    return record;
}

}  // namespace harness
