#include "harness/tls/tls_config.hpp"

#include <fmt/format.h>

namespace harness {

namespace {

int hex_digit(char character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

}  // namespace

std::string to_hex(const Sha256& digest) {
    std::string text;
    for (const std::uint8_t byte : digest)
        text += fmt::format("{:02x}", byte);
    return text;
}

std::optional<Sha256> sha256_from_hex(std::string_view text) {
    Sha256 digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        if (i > 0 && text.starts_with(':'))
            text.remove_prefix(1);
        if (text.size() < 2)
            return std::nullopt;
        const int high = hex_digit(text[0]);
        const int low = hex_digit(text[1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        digest[i] = static_cast<std::uint8_t>(high * 16 + low);
        text.remove_prefix(2);
    }
    if (!text.empty())
        return std::nullopt;
    return digest;
}

std::string_view to_string(TlsVersion version) {
    switch (version) {
        case TlsVersion::tls_1_1:
            return "TLSv1.1";
        case TlsVersion::tls_1_2:
            return "TLSv1.2";
        case TlsVersion::tls_1_3:
            return "TLSv1.3";
    }
    return "unknown";
}

std::optional<TlsVersion> tls_version_from(std::string_view text) {
    for (const std::string_view prefix : {"TLSv", "tls"}) {
        if (text.starts_with(prefix)) {
            text.remove_prefix(prefix.size());
            break;
        }
    }
    if (text == "1.1")
        return TlsVersion::tls_1_1;
    if (text == "1.2")
        return TlsVersion::tls_1_2;
    if (text == "1.3")
        return TlsVersion::tls_1_3;
    return std::nullopt;
}

}  // namespace harness
