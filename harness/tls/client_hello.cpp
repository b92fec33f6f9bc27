#include "harness/tls/client_hello.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/tls/tls_names.hpp"

namespace harness {

namespace {

constexpr std::size_t record_header_bytes = 5;
constexpr std::size_t message_header_bytes = 4;
constexpr std::uint8_t record_type_handshake = 22;
constexpr std::uint8_t record_type_first = 20;
constexpr std::uint8_t record_type_last = 24;
constexpr std::uint8_t message_type_client_hello = 1;
// RFC 8446 5.1 allows 2^14 bytes in a plaintext record.
constexpr std::size_t record_bytes_max = 1U << 14;

constexpr std::uint16_t extension_server_name = 0;
constexpr std::uint16_t extension_supported_groups = 10;
constexpr std::uint16_t extension_signature_algorithms = 13;
constexpr std::uint16_t extension_alpn = 16;
constexpr std::uint16_t extension_session_ticket = 35;
constexpr std::uint16_t extension_pre_shared_key = 41;
constexpr std::uint16_t extension_supported_versions = 43;

using Bytes = std::span<const std::uint8_t>;

// Reads big-endian numbers and length-prefixed vectors; once it ran short it stays failed and
// everything that it returns is empty.
class Cursor {
  public:
    explicit Cursor(Bytes bytes) : left_(bytes) {}

    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool at_end() const { return left_.empty(); }

    Bytes take(std::size_t count) {
        if (failed_ || count > left_.size()) {
            failed_ = true;
            left_ = {};
            return {};
        }
        const Bytes taken = left_.first(count);
        left_ = left_.subspan(count);
        return taken;
    }
    std::uint8_t number8() {
        const Bytes bytes = take(1);
        return bytes.empty() ? std::uint8_t{0} : bytes[0];
    }
    std::uint16_t number16() {
        const Bytes bytes = take(2);
        if (bytes.empty())
            return 0;
        return static_cast<std::uint16_t>((bytes[0] << 8U) | bytes[1]);
    }
    Bytes vector8() { return take(number8()); }
    Bytes vector16() { return take(number16()); }

  private:
    Bytes left_;
    bool failed_ = false;
};

bool read_numbers(Bytes bytes, std::vector<std::uint16_t>& numbers) {
    if (bytes.size() % 2 != 0)
        return false;
    Cursor cursor(bytes);
    while (!cursor.at_end())
        numbers.push_back(cursor.number16());
    return true;
}

std::string text_of(Bytes bytes) {
    return std::string(bytes.begin(), bytes.end());
}

bool read_server_name(Bytes body, std::string& server_name) {
    Cursor cursor(body);
    Cursor names(cursor.vector16());
    while (!names.at_end()) {
        const std::uint8_t type = names.number8();
        const Bytes name = names.vector16();
        if (names.failed())
            return false;
        if (type == 0 && server_name.empty())
            server_name = text_of(name);
    }
    return !cursor.failed();
}

bool read_alpn(Bytes body, std::vector<std::string>& protocols) {
    Cursor cursor(body);
    Cursor names(cursor.vector16());
    while (!names.at_end()) {
        const Bytes name = names.vector8();
        if (names.failed())
            return false;
        protocols.push_back(text_of(name));
    }
    return !cursor.failed();
}

// A vector of 16-bit numbers behind a 16-bit length.
bool read_list(Bytes body, std::vector<std::uint16_t>& numbers) {
    Cursor cursor(body);
    const Bytes list = cursor.vector16();
    return !cursor.failed() && read_numbers(list, numbers);
}

bool read_extension(std::uint16_t type, Bytes body, ClientHello& hello) {
    switch (type) {
        case extension_server_name:
            return read_server_name(body, hello.server_name);
        case extension_supported_groups:
            return read_list(body, hello.groups);
        case extension_signature_algorithms:
            return read_list(body, hello.signature_algorithms);
        case extension_alpn:
            return read_alpn(body, hello.alpn);
        case extension_session_ticket:
            hello.offers_ticket = !body.empty();
            return true;
        case extension_pre_shared_key:
            hello.offers_psk = true;
            return true;
        case extension_supported_versions: {
            Cursor cursor(body);
            const Bytes list = cursor.vector8();
            return !cursor.failed() && read_numbers(list, hello.versions);
        }
        default:
            return true;
    }
}

// `body` is the message without its 4-byte header. Returns what is wrong, or nothing.
std::optional<std::string> read_hello(Bytes body, ClientHello& hello) {
    Cursor cursor(body);
    hello.legacy_version = cursor.number16();
    (void)cursor.take(32);  // random
    const Bytes session_id = cursor.vector8();
    hello.offers_session_id = !session_id.empty();
    const Bytes suites = cursor.vector16();
    (void)cursor.vector8();  // compression methods
    if (cursor.failed())
        return "it ends early";
    if (!read_numbers(suites, hello.cipher_suites))
        return "its list of suites has an odd length";
    if (cursor.at_end())
        return std::nullopt;  // no extensions: legal up to TLS 1.2

    Cursor extensions(cursor.vector16());
    if (cursor.failed())
        return "its extensions end early";
    if (!cursor.at_end())
        return "bytes follow its extensions";
    while (!extensions.at_end()) {
        const std::uint16_t type = extensions.number16();
        const Bytes extension = extensions.vector16();
        if (extensions.failed())
            return "its extensions end early";
        hello.extensions.push_back(type);
        if (!read_extension(type, extension, hello)) {
            return fmt::format("its extension {} cannot be read", extension_name(type));
        }
    }
    return std::nullopt;
}

}  // namespace

std::string show_bytes(std::span<const std::uint8_t> bytes) {
    std::string hex;
    std::string text;
    for (const std::uint8_t byte :
         bytes.first(std::min(bytes.size(), ClientHelloReader::first_bytes_max))) {
        const bool shows = byte >= 0x20 && byte < 0x7f;
        hex += fmt::format("{:02x} ", byte);
        text += shows ? static_cast<char>(byte) : '.';
    }
    return fmt::format("{}(\"{}\")", hex, text);
}

std::uint16_t ClientHello::version_max() const {
    std::uint16_t highest = 0;
    for (const std::uint16_t version : versions) {
        if (!is_grease(version))
            highest = std::max(highest, version);
    }
    return highest != 0 ? highest : legacy_version;
}

bool ClientHello::offers_only_rsa_key_exchange() const {
    bool any = false;
    for (const std::uint16_t suite : cipher_suites) {
        constexpr std::uint16_t renegotiation_scsv = 0x00ff;
        constexpr std::uint16_t fallback_scsv = 0x5600;
        if (suite == renegotiation_scsv || suite == fallback_scsv || is_grease(suite))
            continue;
        if (!is_rsa_key_exchange(suite))
            return false;
        any = true;
    }
    return any;
}

std::string to_json(const ClientHello& hello) {
    const auto names = [](const std::vector<std::uint16_t>& codes,
                          std::string (*name)(std::uint16_t)) {
        nlohmann::ordered_json list = nlohmann::ordered_json::array();
        for (const std::uint16_t code : codes)
            list.push_back(name(code));
        return list;
    };
    nlohmann::ordered_json object;
    object["record_version"] = version_name(hello.record_version);
    object["legacy_version"] = version_name(hello.legacy_version);
    object["versions"] = names(hello.versions, version_name);
    object["cipher_suites"] = names(hello.cipher_suites, cipher_suite_name);
    object["groups"] = names(hello.groups, group_name);
    object["signature_algorithms"] = names(hello.signature_algorithms, signature_scheme_name);
    object["server_name"] = hello.server_name;
    object["alpn"] = hello.alpn;
    object["offers_session_id"] = hello.offers_session_id;
    object["offers_ticket"] = hello.offers_ticket;
    object["offers_psk"] = hello.offers_psk;
    object["extensions"] = names(hello.extensions, extension_name);
    // The names are the peer's bytes: what is not UTF-8 is replaced, what is not ASCII escaped.
    constexpr int on_one_line = -1;
    constexpr bool ensure_ascii = true;
    return object.dump(on_one_line, ' ', ensure_ascii,
                       nlohmann::ordered_json::error_handler_t::replace);
}

ClientHelloReader::Result ClientHelloReader::feed(std::span<const std::uint8_t> bytes) {
    while (result_ == Result::incomplete && !bytes.empty()) {
        if (record_left_ == 0) {
            if (first_bytes_.size() < first_bytes_max && message_.empty()) {
                const std::size_t room = first_bytes_max - first_bytes_.size();
                const Bytes shown = bytes.first(std::min(room, bytes.size()));
                first_bytes_.insert(first_bytes_.end(), shown.begin(), shown.end());
            }
            const std::size_t missing = record_header_bytes - header_.size();
            const Bytes taken = bytes.first(std::min(missing, bytes.size()));
            header_.insert(header_.end(), taken.begin(), taken.end());
            bytes = bytes.subspan(taken.size());
            result_ = take_header();
        } else {
            const Bytes taken = bytes.first(std::min(record_left_, bytes.size()));
            message_.insert(message_.end(), taken.begin(), taken.end());
            record_left_ -= taken.size();
            bytes = bytes.subspan(taken.size());
            result_ = take_message();
        }
    }
    return result_;
}

// Judges as soon as one byte is wrong: a person who typed a frame into the secure port is told so
// without having to send five bytes.
ClientHelloReader::Result ClientHelloReader::take_header() {
    const bool is_record_type = header_[0] >= record_type_first && header_[0] <= record_type_last;
    const bool is_version = header_.size() < 2 || header_[1] == 3;
    if (!is_record_type || !is_version) {
        if (!message_.empty()) {
            problem_ = "the ClientHello is followed by bytes that are no TLS record";
            return Result::malformed;
        }
        // An SSLv2 record: two bytes of length with the top bit set, then ClientHello and 3.x.
        const bool is_ssl2 = (first_bytes_[0] & 0x80U) != 0 && first_bytes_.size() >= 4 &&
                             first_bytes_[2] == message_type_client_hello && first_bytes_[3] <= 3;
        problem_ = fmt::format(
            "{}: {}",
            is_ssl2 ? "the first bytes are an SSLv2 ClientHello" : "the first bytes are not TLS",
            show_bytes(first_bytes_));
        return Result::not_tls;
    }
    if (header_.size() < record_header_bytes)
        return Result::incomplete;

    if (header_[0] != record_type_handshake) {
        problem_ = fmt::format("a TLS record of type {} came where a ClientHello was expected",
                               header_[0]);
        return Result::malformed;
    }
    const std::size_t length = static_cast<std::size_t>(header_[3] << 8U) | header_[4];
    if (length == 0 || length > record_bytes_max) {
        problem_ = fmt::format("a handshake record of {} bytes came, legal are 1 to {}", length,
                               record_bytes_max);
        return Result::malformed;
    }
    if (message_.empty()) {
        hello_.record_version = static_cast<std::uint16_t>((header_[1] << 8U) | header_[2]);
    }
    record_left_ = length;
    header_.clear();
    return Result::incomplete;
}

ClientHelloReader::Result ClientHelloReader::take_message() {
    if (message_[0] != message_type_client_hello) {
        problem_ = fmt::format(
            "a handshake message of type {} came where a ClientHello was "
            "expected",
            message_[0]);
        return Result::malformed;
    }
    if (message_.size() < message_header_bytes)
        return Result::incomplete;
    const std::size_t length = (static_cast<std::size_t>(message_[1]) << 16U) |
                               (static_cast<std::size_t>(message_[2]) << 8U) | message_[3];
    if (length + message_header_bytes > hello_bytes_max) {
        problem_ = fmt::format("the ClientHello says that it has {} bytes, read are at most {}",
                               length, hello_bytes_max);
        return Result::malformed;
    }
    if (message_.size() < message_header_bytes + length)
        return Result::incomplete;

    const auto problem = read_hello(Bytes(message_).subspan(message_header_bytes, length), hello_);
    message_.clear();
    message_.shrink_to_fit();
    if (problem) {
        problem_ = fmt::format("the ClientHello cannot be read: {}", *problem);
        return Result::malformed;
    }
    return Result::complete;
}

}  // namespace harness
