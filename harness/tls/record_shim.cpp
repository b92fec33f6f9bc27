#include "harness/tls/record_shim.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace harness {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Act = ShimFault::Act;

constexpr std::size_t header_size = 5;
constexpr std::size_t message_header_size = 4;
constexpr std::uint8_t type_change_cipher = 20;
constexpr std::uint8_t type_alert = 21;
constexpr std::uint8_t type_handshake = 22;
constexpr std::uint8_t type_application = 23;
constexpr std::uint8_t hello_type = 2;
constexpr std::uint16_t supported_versions = 43;
constexpr std::uint16_t tls_1_3 = 0x0304;

// RFC 8446, 4.1.3: a ServerHello with this random is a HelloRetryRequest.
constexpr std::array<std::uint8_t, 32> retry_random = {
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

constexpr std::array<std::pair<TlsMessage, std::string_view>, 13> names{{
    {TlsMessage::other, "other"},
    {TlsMessage::hello_retry_request, "hello_retry_request"},
    {TlsMessage::server_hello, "server_hello"},
    {TlsMessage::encrypted_extensions, "encrypted_extensions"},
    {TlsMessage::certificate_request, "certificate_request"},
    {TlsMessage::certificate, "certificate"},
    {TlsMessage::server_key_exchange, "server_key_exchange"},
    {TlsMessage::certificate_verify, "certificate_verify"},
    {TlsMessage::server_hello_done, "server_hello_done"},
    {TlsMessage::change_cipher_spec, "change_cipher_spec"},
    {TlsMessage::finished, "finished"},
    {TlsMessage::reply, "reply"},
    {TlsMessage::close_notify, "close_notify"},
}};

std::uint16_t u16(Bytes bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}

void append_header(std::vector<std::uint8_t>& output, std::uint8_t type, std::size_t size) {
    output.insert(output.end(), {type, 3, 3, static_cast<std::uint8_t>(size >> 8U),
                                 static_cast<std::uint8_t>(size & 0xffU)});
}

void append_clear(std::vector<std::uint8_t>& output, std::uint8_t type, Bytes plaintext) {
    append_header(output, type, plaintext.size());
    output.insert(output.end(), plaintext.begin(), plaintext.end());
}

/// Level and description.
std::array<std::uint8_t, 2> alert_of(std::uint16_t description) {
    constexpr std::uint8_t warning = 1;
    constexpr std::uint8_t fatal = 2;
    constexpr std::uint16_t close_notify = 0;
    constexpr std::uint16_t no_renegotiation = 100;
    const bool warns = description == close_notify || description == no_renegotiation;
    return {warns ? warning : fatal, static_cast<std::uint8_t>(description & 0xffU)};
}

TlsMessage message_of_type(std::uint8_t type) {
    switch (type) {
        case 8:
            return TlsMessage::encrypted_extensions;
        case 11:
            return TlsMessage::certificate;
        case 12:
            return TlsMessage::server_key_exchange;
        case 13:
            return TlsMessage::certificate_request;
        case 14:
            return TlsMessage::server_hello_done;
        case 15:
            return TlsMessage::certificate_verify;
        case 20:
            return TlsMessage::finished;
        default:
            return TlsMessage::other;
    }
}

/// Where things are in a ServerHello, from the beginning of its message.
struct HelloPlaces {
    std::size_t version = message_header_size;
    std::size_t random = message_header_size + 2;
    std::size_t cipher = 0;
    std::optional<std::size_t> selected_version;  ///< of TLS 1.3
};

std::optional<HelloPlaces> places_of(Bytes message) {
    constexpr std::size_t random_size = 32;
    HelloPlaces places;
    const std::size_t session_id = places.random + random_size;
    if (message.size() <= session_id) {
        return std::nullopt;
    }
    places.cipher = session_id + 1 + message[session_id];
    std::size_t at = places.cipher + 3;  // the suite, and the compression
    if (message.size() < at) {
        return std::nullopt;
    }
    at += 2;  // the length of all extensions
    while (at + 4 <= message.size()) {
        const std::size_t size = u16(message, at + 2);
        if (u16(message, at) == supported_versions && size == 2 && at + 6 <= message.size()) {
            places.selected_version = at + 4;
        }
        at += 4 + size;
    }
    return places;
}

void set_u16(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint16_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8U);
    bytes[at + 1] = static_cast<std::uint8_t>(value & 0xffU);
}

/// A record that begins with a whole ServerHello is made to say something else.
bool rewrite_hello(std::vector<std::uint8_t>& record, const ShimFault& fault) {
    const auto places = places_of(Bytes(record).subspan(header_size));
    if (!places) {
        return false;
    }
    const bool is_cipher = fault.act == Act::set_cipher;
    const std::size_t version = places->selected_version.value_or(places->version);
    set_u16(record, header_size + (is_cipher ? places->cipher : version), fault.number);
    return true;
}

}  // namespace

std::string_view to_string(TlsMessage message) {
    for (const auto& [each, name] : names) {
        if (each == message) {
            return name;
        }
    }
    return "other";
}

std::optional<TlsMessage> tls_message_from(std::string_view name) {
    for (const auto& [message, each] : names) {
        if (each == name) {
            return message;
        }
    }
    return std::nullopt;
}

RecordShim::RecordShim(std::vector<ShimFault> faults)
    : faults_(std::move(faults)), fired_(faults_.size()) {}

void RecordShim::pass(Bytes sent, const Seal& seal, std::vector<std::uint8_t>& output) {
    while (!sent.empty() && !ended_by_) {
        const std::size_t wanted =
            record_.size() < header_size ? header_size : header_size + u16(record_, 3);
        const std::size_t taken = std::min(sent.size(), wanted - record_.size());
        record_.insert(record_.end(), sent.begin(),
                       sent.begin() + static_cast<std::ptrdiff_t>(taken));
        sent = sent.subspan(taken);
        if (record_.size() >= header_size && record_.size() == header_size + u16(record_, 3)) {
            pass_record(std::exchange(record_, {}), seal, output);
        }
    }
}

TlsMessage RecordShim::hello_of(Bytes message) {
    const auto places = places_of(message);
    if (!places) {
        return TlsMessage::server_hello;
    }
    const bool is_retry = std::equal(retry_random.begin(), retry_random.end(),
                                     message.begin() + static_cast<std::ptrdiff_t>(places->random));
    is_tls_1_3_ = places->selected_version && u16(message, *places->selected_version) == tls_1_3;
    is_encrypted_ = is_tls_1_3_ && !is_retry;
    return is_retry ? TlsMessage::hello_retry_request : TlsMessage::server_hello;
}

std::vector<TlsMessage> RecordShim::handshake_messages(Bytes body) {
    std::vector<TlsMessage> result;
    while (!body.empty()) {
        if (message_left_ == 0) {
            if (body.size() < message_header_size) {
                result.push_back(TlsMessage::other);  // its header is cut, which no library does
                return result;
            }
            const std::size_t size = static_cast<std::size_t>(body[1] << 16U) | u16(body, 2);
            message_left_ = message_header_size + size;
            message_ = body[0] == hello_type
                           ? hello_of(body.first(std::min(message_left_, body.size())))
                           : message_of_type(body[0]);
        }
        result.push_back(message_);
        const std::size_t taken = std::min(message_left_, body.size());
        message_left_ -= taken;
        body = body.subspan(taken);
    }
    return result;
}

TlsMessage RecordShim::next_encrypted() {
    std::vector<TlsMessage> order{TlsMessage::encrypted_extensions, TlsMessage::certificate,
                                  TlsMessage::certificate_verify, TlsMessage::finished};
    if (asked_ == ClientCertificate::asked) {
        order.insert(order.begin() + 1, TlsMessage::certificate_request);
    }
    const std::size_t place = encrypted_records_++;
    return place < order.size() ? order[place] : announced_;
}

std::vector<TlsMessage> RecordShim::messages_of(Bytes record) {
    switch (record[0]) {
        case type_change_cipher:
            is_encrypted_ = true;
            return {TlsMessage::change_cipher_spec};
        case type_handshake:
            if (is_encrypted_) {
                return {encrypted_records_++ == 0 ? TlsMessage::finished : TlsMessage::other};
            }
            return handshake_messages(record.subspan(header_size));
        case type_application:
            return {is_tls_1_3_ ? next_encrypted() : announced_};
        case type_alert:
            return {announced_ == TlsMessage::close_notify ? announced_ : TlsMessage::other};
        default:
            return {TlsMessage::other};
    }
}

bool RecordShim::end_at(std::span<const TlsMessage> messages, Cover cover, const Seal& seal,
                        std::vector<std::uint8_t>& output) {
    for (std::size_t place = 0; place < faults_.size(); ++place) {
        const ShimFault& fault = faults_[place];
        const bool ends = fault.act <= Act::oversize &&
                          std::find(messages.begin(), messages.end(), fault.at) != messages.end();
        if (!ends) {
            continue;
        }
        fired_[place] = true;
        ended_by_ = place;
        if (fault.act == Act::alert) {
            const auto alert = alert_of(fault.number);
            if (cover == Cover::clear || !seal(type_alert, alert, output)) {
                append_clear(output, type_alert, alert);
            }
        } else if (fault.act == Act::oversize) {
            append_clear(output, cover == Cover::clear ? type_handshake : type_application,
                         std::vector<std::uint8_t>(fault.number));
        }
        return true;
    }
    return false;
}

void RecordShim::pass_record(std::vector<std::uint8_t> record, const Seal& seal,
                             std::vector<std::uint8_t>& output) {
    const Cover cover = is_encrypted_ ? Cover::encrypted : Cover::clear;
    const auto messages = messages_of(record);
    if (end_at(messages, cover, seal, output)) {
        return;
    }
    const bool is_clear_handshake = record[0] == type_handshake && cover == Cover::clear;
    const bool has_hello = is_clear_handshake && record.size() > header_size &&
                           record[header_size] == hello_type &&
                           messages.front() == TlsMessage::server_hello;
    bool is_tiny = false;
    for (std::size_t place = 0; place < faults_.size(); ++place) {
        const ShimFault& fault = faults_[place];
        const bool sets = fault.act == Act::set_version || fault.act == Act::set_cipher;
        if (sets && has_hello && rewrite_hello(record, fault)) {
            fired_[place] = true;
        } else if (fault.act == Act::tiny && is_clear_handshake) {
            fired_[place] = is_tiny = true;
        }
    }
    if (!is_tiny) {
        output.insert(output.end(), record.begin(), record.end());
        return;
    }
    for (const std::uint8_t& byte : Bytes(record).subspan(header_size)) {
        append_clear(output, type_handshake, {&byte, 1});
    }
}

}  // namespace harness
