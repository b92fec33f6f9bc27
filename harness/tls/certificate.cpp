#include "harness/tls/certificate.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace harness {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t tag_boolean = 0x01;
constexpr std::uint8_t tag_octet_string = 0x04;
constexpr std::uint8_t tag_object_identifier = 0x06;
constexpr std::uint8_t tag_sequence = 0x30;
constexpr std::uint8_t tag_version = 0xa0;     // [0] of TBSCertificate
constexpr std::uint8_t tag_extensions = 0xa3;  // [3] of TBSCertificate
constexpr std::uint8_t tag_dns_name = 0x82;    // [2] of GeneralName
constexpr std::uint8_t tag_ip_address = 0x87;  // [7] of GeneralName
constexpr std::array<std::uint8_t, 3> subject_alt_name = {0x55, 0x1d, 0x11};

struct Element {
    std::uint8_t tag = 0;
    Bytes body;
    Bytes whole;  // with tag and length
};

// Takes the first element off `left`; nothing if there is none or it does not fit.
std::optional<Element> take(Bytes& left) {
    if (left.size() < 2)
        return std::nullopt;
    std::size_t header = 2;
    std::size_t length = left[1];
    if (length >= 0x80) {
        const std::size_t count = length & 0x7fU;
        if (count == 0 || count > 3 || left.size() < 2 + count)
            return std::nullopt;
        length = 0;
        for (std::size_t i = 0; i < count; ++i)
            length = (length << 8U) | left[2 + i];
        header += count;
    }
    if (length > left.size() - header)
        return std::nullopt;
    const Element element{left[0], left.subspan(header, length), left.first(header + length)};
    left = left.subspan(header + length);
    return element;
}

std::optional<Element> take(Bytes& left, std::uint8_t tag) {
    if (left.empty() || left[0] != tag)
        return std::nullopt;
    return take(left);
}

bool read_alt_names(Bytes value, CertificateParts& parts) {
    const auto names = take(value, tag_sequence);
    if (!names)
        return false;
    Bytes left = names->body;
    while (!left.empty()) {
        const auto name = take(left);
        if (!name)
            return false;
        if (name->tag == tag_dns_name) {
            parts.dns_names.emplace_back(name->body.begin(), name->body.end());
        } else if (name->tag == tag_ip_address) {
            parts.ip_addresses.emplace_back(name->body.begin(), name->body.end());
        }
    }
    return true;
}

bool read_extensions(Bytes extensions, CertificateParts& parts) {
    const auto list = take(extensions, tag_sequence);
    if (!list)
        return false;
    Bytes left = list->body;
    while (!left.empty()) {
        const auto extension = take(left, tag_sequence);
        if (!extension)
            return false;
        Bytes fields = extension->body;
        const auto identifier = take(fields, tag_object_identifier);
        (void)take(fields, tag_boolean);
        const auto value = take(fields, tag_octet_string);
        if (!identifier || !value)
            return false;
        if (std::ranges::equal(identifier->body, subject_alt_name) &&
            !read_alt_names(value->body, parts)) {
            return false;
        }
    }
    return true;
}

// The bytes of an address, or nothing.
std::vector<std::uint8_t> address_bytes(std::string_view text) {
    const std::string terminated(text);
    std::vector<std::uint8_t> bytes(16);
    if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1)
        return bytes;
    bytes.resize(4);
    if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1)
        return bytes;
    return {};
}

std::string address_text(const std::vector<std::uint8_t>& bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
    if (bytes.size() != 4 && bytes.size() != 16)
        return "?";
    if (inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr)
        return "?";
    return text.data();
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

bool dns_name_matches(std::string_view pattern, std::string_view name) {
    if (name.ends_with('.'))
        name.remove_suffix(1);
    if (!pattern.starts_with("*."))
        return equal_ignoring_case(pattern, name);
    const std::size_t dot = name.find('.');
    if (dot == 0 || dot == std::string_view::npos)
        return false;
    // A wildcard right above a top-level domain stands for nobody.
    const std::string_view parent = pattern.substr(2);
    if (parent.find('.') == std::string_view::npos)
        return false;
    return equal_ignoring_case(parent, name.substr(dot + 1));
}

}  // namespace

bool CertificateParts::is_for(std::string_view name) const {
    const std::vector<std::uint8_t> address = address_bytes(name);
    if (!address.empty())
        return std::ranges::find(ip_addresses, address) != ip_addresses.end();
    return std::ranges::any_of(
        dns_names, [name](const std::string& pattern) { return dns_name_matches(pattern, name); });
}

std::string CertificateParts::names() const {
    std::string text;
    for (const std::string& name : dns_names) {
        text += fmt::format("{}DNS:{}", text.empty() ? "" : ", ", name);
    }
    for (const auto& address : ip_addresses) {
        text += fmt::format("{}IP:{}", text.empty() ? "" : ", ", address_text(address));
    }
    return text.empty() ? "no names" : text;
}

std::optional<CertificateParts> parse_certificate(std::span<const std::uint8_t> der) {
    Bytes left = der;
    const auto certificate = take(left, tag_sequence);
    if (!certificate)
        return std::nullopt;
    left = certificate->body;
    const auto to_be_signed = take(left, tag_sequence);
    if (!to_be_signed)
        return std::nullopt;

    left = to_be_signed->body;
    (void)take(left, tag_version);
    // serial number, signature algorithm, issuer, validity, subject
    for (int field = 0; field < 5; ++field) {
        if (!take(left))
            return std::nullopt;
    }
    const auto public_key = take(left, tag_sequence);
    if (!public_key)
        return std::nullopt;

    CertificateParts parts;
    parts.public_key.assign(public_key->whole.begin(), public_key->whole.end());
    while (!left.empty()) {
        const auto field = take(left);
        if (!field)
            return std::nullopt;
        if (field->tag == tag_extensions && !read_extensions(field->body, parts)) {
            return std::nullopt;
        }
    }
    return parts;
}

bool is_ip_address(std::string_view text) {
    return !address_bytes(text).empty();
}

}  // namespace harness
