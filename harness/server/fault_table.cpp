#include "harness/server/fault_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds delay_max = 10min;
constexpr std::int64_t bytes_max = 64 * 1024;

constexpr FaultParameter duration(std::string_view name, std::string_view usual,
                                  std::string_view help) {
    return {.name = name, .type = ParameterType::duration, .usual = usual, .help = help};
}

constexpr FaultParameter number(std::string_view name, std::string_view usual,
                                std::string_view help, std::int64_t min, std::int64_t max) {
    return {.name = name,
            .type = ParameterType::number,
            .usual = usual,
            .help = help,
            .min = min,
            .max = max};
}

constexpr FaultParameter text(std::string_view name, std::string_view usual, std::string_view help,
                              std::string_view words = {}) {
    return {
        .name = name, .type = ParameterType::text, .usual = usual, .help = help, .words = words};
}

constexpr std::array gone_takes{
    duration("for", "0s", "How long; 0: until the fault is taken away.")};
constexpr std::array never_read_takes{
    duration("for", "60s", "How long the connection stays open at most.")};
constexpr std::array reset_takes{
    number("bytes", "0", "After so many bytes on the wire; 0: at once.", 0, bytes_max),
    text("of", "received", "Whether bytes received or bytes sent are counted.", "received|sent")};
constexpr std::array early_reply_takes{text("text", "X", "What it says.")};
constexpr std::array no_reply_takes{
    duration("for", "30s", "How long the connection stays open at most, meanwhile.")};
constexpr std::array late_takes{duration("by", "!", "How much later.")};
constexpr std::array bytewise_takes{duration("gap", "20ms", "Between one byte and the next.")};
constexpr std::array garbage_takes{
    number("bytes", "11", "How many; which ones is up to the seed.", 1, bytes_max)};
constexpr std::array text_after_x_takes{text("text", " Not Found", "What follows the X.")};
constexpr std::array long_reply_takes{
    number("bytes", "1000", "Of the whole reply.", 12, bytes_max)};
constexpr std::array close_in_reply_takes{
    number("bytes", "5", "Of the reply that still go out: 0 closes before it, 11 after it.", 0,
           bytes_max)};

constexpr std::string_view messages =
    "hello_retry_request|server_hello|encrypted_extensions|certificate_request|certificate|"
    "server_key_exchange|certificate_verify|server_hello_done|change_cipher_spec|finished|reply|"
    "close_notify";
constexpr std::string_view identities =
    "unknown-issuer|unknown-self-signed|missing-intermediate|altered-signature|expired|"
    "not-yet-valid|wrong-name|wrong-usage|key-mismatch|weak-rsa-1024|weak-sha1|weak-md5|revoked|"
    "server-ecdsa|server-rsa|lab-self-signed";
constexpr std::string_view at_help =
    "The server's message at which it happens: this one and what follows are not sent.";
constexpr std::int64_t u16_max = 0xffff;

constexpr std::array identity_takes{
    text("name", "!", "One of the identities that `wwep-rig certs make` makes.", identities)};
constexpr std::array only_version_takes{
    text("version", "!", "The one version that the server speaks.", "TLSv1.1|TLSv1.2|TLSv1.3")};
constexpr std::array only_cipher_takes{text(
    "cipher", "!", "wolfSSL's name of it, such as ECDHE-RSA-AES256-GCM-SHA384; several with :.")};
constexpr std::array wrong_version_takes{
    number("version", "0x0300", "What the ServerHello says instead; usually SSL 3.0.", 0, u16_max)};
constexpr std::array wrong_cipher_takes{
    number("cipher", "0", "What the ServerHello says instead; usually one without encryption.", 0,
           u16_max)};
constexpr std::array stall_takes{
    text("at", "server_hello", at_help, messages),
    duration("for", "60s", "How long the connection stays open at most.")};
constexpr std::array at_takes{text("at", "server_hello", at_help, messages)};
constexpr std::array alert_takes{
    number("alert", "40",
           "Its number: 40 handshake_failure, 42 bad_certificate, 47 illegal_parameter, "
           "70 protocol_version, 80 internal_error, 112 unrecognized_name.",
           0, 255),
    text("at", "server_hello", at_help, messages)};
constexpr std::array oversized_takes{
    number("bytes", "20000", "Of the record; 16384 and a little are allowed.", 1 << 14U, u16_max),
    text("at", "reply", at_help, messages)};

constexpr std::array table{
    FaultInfo{FaultKind::gone, "gone", FaultPoint::listener, FaultPort::any,
              "Nobody listens: connections are refused.", gone_takes},
    FaultInfo{FaultKind::closed_at_accept, "closed_at_accept", FaultPoint::connection,
              FaultPort::any, "A connection is closed as soon as it is accepted."},
    FaultInfo{FaultKind::never_read, "never_read", FaultPoint::connection, FaultPort::any,
              "A connection is accepted, and nothing that comes on it is ever read.",
              never_read_takes},
    FaultInfo{FaultKind::reset, "reset", FaultPoint::connection, FaultPort::any,
              "A connection is reset (RST) at a byte of the stream, over TLS of the ciphertext.",
              reset_takes},
    FaultInfo{FaultKind::early_reply, "early_reply", FaultPoint::connection, FaultPort::any,
              "The reply comes before the request: as soon as the client could send one.",
              early_reply_takes},
    FaultInfo{FaultKind::no_reply, "no_reply", FaultPoint::frame, FaultPort::any,
              "A frame is taken and never answered.", no_reply_takes},
    FaultInfo{FaultKind::late, "late", FaultPoint::frame, FaultPort::any,
              "The reply goes out later.", late_takes},
    FaultInfo{FaultKind::answer_x, "answer_x", FaultPoint::frame, FaultPort::any,
              "The reply is `X` whatever the frame says; a write is stored all the same."},
    FaultInfo{FaultKind::wrong_device, "wrong_device", FaultPoint::frame, FaultPort::any,
              "The reply `A` names the next device."},
    FaultInfo{FaultKind::wrong_register, "wrong_register", FaultPoint::frame, FaultPort::any,
              "The reply `A` names the next register."},
    FaultInfo{FaultKind::wrong_value, "wrong_value", FaultPoint::frame, FaultPort::any,
              "The reply `A` says a value that is one more."},
    FaultInfo{FaultKind::lower_case, "lower_case", FaultPoint::frame, FaultPort::any,
              "The reply is in lower case, its letter too."},
    FaultInfo{FaultKind::bytewise, "bytewise", FaultPoint::frame, FaultPort::any,
              "The reply comes byte by byte, over TLS in a record each.", bytewise_takes},
    FaultInfo{FaultKind::two_replies, "two_replies", FaultPoint::frame, FaultPort::any,
              "The reply comes twice."},
    FaultInfo{FaultKind::garbage, "garbage", FaultPoint::frame, FaultPort::any,
              "Bytes by chance come instead of the reply.", garbage_takes},
    FaultInfo{FaultKind::text_after_x, "text_after_x", FaultPoint::frame, FaultPort::any,
              "The reply is `X` with text after it.", text_after_x_takes},
    FaultInfo{FaultKind::long_reply, "long_reply", FaultPoint::frame, FaultPort::any,
              "The reply is followed by many more digits, in one go.", long_reply_takes},
    FaultInfo{FaultKind::close_in_reply, "close_in_reply", FaultPoint::frame, FaultPort::any,
              "The connection is closed before, in the middle of, or right after the reply.",
              close_in_reply_takes},
    FaultInfo{FaultKind::tls_identity, "tls_identity", FaultPoint::connection, FaultPort::secure,
              "The server shows another identity: a bad one, or a good but unusual one.",
              identity_takes},
    FaultInfo{FaultKind::tls_only_version, "tls_only_version", FaultPoint::connection,
              FaultPort::secure, "The server speaks one version of TLS only.", only_version_takes},
    FaultInfo{FaultKind::tls_only_cipher, "tls_only_cipher", FaultPoint::connection,
              FaultPort::secure, "The server knows these cipher suites only.", only_cipher_takes},
    FaultInfo{FaultKind::tls_wrong_version, "tls_wrong_version", FaultPoint::connection,
              FaultPort::secure, "The server chooses a version that the client did not offer.",
              wrong_version_takes},
    FaultInfo{FaultKind::tls_wrong_cipher, "tls_wrong_cipher", FaultPoint::connection,
              FaultPort::secure, "The server chooses a cipher suite that the client did not offer.",
              wrong_cipher_takes},
    FaultInfo{FaultKind::tls_stall, "tls_stall", FaultPoint::connection, FaultPort::secure,
              "The server falls silent at a message.", stall_takes},
    FaultInfo{FaultKind::tls_close, "tls_close", FaultPoint::connection, FaultPort::secure,
              "The server closes the connection at a message.", at_takes},
    FaultInfo{FaultKind::tls_reset, "tls_reset", FaultPoint::connection, FaultPort::secure,
              "The server resets the connection (RST) at a message.", at_takes},
    FaultInfo{FaultKind::tls_alert, "tls_alert", FaultPoint::connection, FaultPort::secure,
              "The server sends an alert instead of a message, and closes.", alert_takes},
    FaultInfo{FaultKind::tls_unusable_request, "tls_unusable_request", FaultPoint::connection,
              FaultPort::secure,
              "The server asks for a certificate of a CA that nobody has, and goes on without."},
    FaultInfo{FaultKind::tls_refuse_client, "tls_refuse_client", FaultPoint::connection,
              FaultPort::secure,
              "The server demands a certificate of the client and refuses any, or none."},
    FaultInfo{FaultKind::tls_no_close_notify, "tls_no_close_notify", FaultPoint::connection,
              FaultPort::secure, "The server closes the connection without close_notify."},
    FaultInfo{FaultKind::tls_tiny_records, "tls_tiny_records", FaultPoint::connection,
              FaultPort::secure,
              "Each byte of the reply, and of the handshake in the clear, has its own record."},
    FaultInfo{FaultKind::tls_oversized_record, "tls_oversized_record", FaultPoint::connection,
              FaultPort::secure, "The server sends a record that is too long instead of a message.",
              oversized_takes},
    FaultInfo{FaultKind::tls_refuse_ticket, "tls_refuse_ticket", FaultPoint::connection,
              FaultPort::secure,
              "The server gives session tickets and refuses them when a client comes back."},
    FaultInfo{FaultKind::tls_renegotiate, "tls_renegotiate", FaultPoint::connection,
              FaultPort::secure, "After the handshake the server asks for another one (TLS 1.2)."},
    FaultInfo{FaultKind::tls_key_update, "tls_key_update", FaultPoint::connection,
              FaultPort::secure, "After the handshake the server asks for new keys (TLS 1.3)."},
    FaultInfo{FaultKind::plain_on_secure, "plain_on_secure", FaultPoint::connection,
              FaultPort::secure, "The secure port is served in the clear."},
    FaultInfo{FaultKind::tls_on_clear, "tls_on_clear", FaultPoint::connection, FaultPort::clear,
              "The port in the clear is served over TLS."},
};

[[noreturn]] void refuse(std::string_view fault, const std::string& what) {
    throw rig::NoBench(fmt::format("fault {}: {}", fault, what));
}

struct DurationUnit {
    std::string_view name;
    std::int64_t ns;
};
constexpr std::array units{DurationUnit{"min", 60'000'000'000}, DurationUnit{"ms", 1'000'000},
                           DurationUnit{"us", 1'000}, DurationUnit{"ns", 1},
                           DurationUnit{"s", 1'000'000'000}};

std::optional<double> decimal(std::string_view word) {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    const bool whole = error == std::errc() && end == word.data() + word.size();
    return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<nanoseconds> duration_from(std::string_view word) {
    for (const DurationUnit& unit : units) {
        if (!word.ends_with(unit.name)) {
            continue;
        }
        const auto count = decimal(word.substr(0, word.size() - unit.name.size()));
        constexpr double ns_max = 9e18;
        if (!count || std::abs(*count) * static_cast<double>(unit.ns) > ns_max) {
            return std::nullopt;
        }
        return nanoseconds(std::llround(*count * static_cast<double>(unit.ns)));
    }
    return std::nullopt;
}

template <class Integer>
std::optional<Integer> integer_from(std::string_view word, int base = 10) {
    if (word.starts_with("0x") || word.starts_with("0X")) {
        word.remove_prefix(2);
        base = 16;
    }
    Integer value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    return error == std::errc() && end == word.data() + word.size() ? std::optional(value)
                                                                    : std::nullopt;
}

bool is_one_of(std::string_view word, std::string_view words) {
    while (true) {
        const std::size_t bar = words.find('|');
        if (words.substr(0, bar) == word) {
            return true;
        }
        if (bar == std::string_view::npos) {
            return false;
        }
        words.remove_prefix(bar + 1);
    }
}

void set(FaultSpec& spec, const FaultInfo& info, const FaultParameter& parameter,
         std::string_view word) {
    switch (parameter.type) {
        case ParameterType::duration:
            spec.delay = duration_from(word);
            if (!spec.delay) {
                refuse(info.name, fmt::format("{} is a duration such as 300ms, 1.5s or 2min, "
                                              "not \"{}\"",
                                              parameter.name, word));
            }
            return;
        case ParameterType::number:
            spec.number = integer_from<std::int64_t>(word);
            if (!spec.number) {
                refuse(info.name,
                       fmt::format("{} is a whole number, not \"{}\"", parameter.name, word));
            }
            return;
        case ParameterType::text:
            spec.text = std::string(word);
            return;
    }
}

/// Whether `name` is one of the words that say when a fault fires.
bool set_match(FaultSpec& spec, const FaultInfo& info, std::string_view name,
               std::string_view word) {
    const auto need = [&](bool good, std::string_view wanted) {
        if (!good) {
            refuse(info.name, fmt::format("{} is {}, not \"{}\"", name, wanted, word));
        }
    };
    if (name == "nth") {
        const auto nth = integer_from<std::int64_t>(word);
        need(nth.has_value(), "a whole number");
        spec.nth = nth.value_or(0);
    } else if (name == "device") {
        spec.device = integer_from<std::uint16_t>(word, 16);
        need(spec.device.has_value(), "four hex digits");
    } else if (name == "port") {
        need(is_one_of(word, "any|clear|secure"), "any, clear or secure");
        spec.port = word == "clear"    ? FaultPort::clear
                    : word == "secure" ? FaultPort::secure
                                       : FaultPort::any;
    } else if (name == "probability") {
        const auto probability = decimal(word);
        need(probability.has_value(), "a number from 0 to 1");
        spec.probability = probability.value_or(1.0);
    } else if (name == "seed") {
        const auto seed = integer_from<std::uint64_t>(word);
        need(seed.has_value(), "a whole number");
        spec.seed = seed.value_or(0);
    } else {
        return false;
    }
    return true;
}

std::string listed(auto&& things, auto&& name_of) {
    std::string result;
    for (const auto& thing : things) {
        result += fmt::format("{}{}", result.empty() ? "" : ", ", name_of(thing));
    }
    return result;
}

std::string parameters_of(const FaultInfo& info) {
    const std::string own =
        listed(info.parameters, [](const FaultParameter& parameter) { return parameter.name; });
    return own + (own.empty() ? "" : ", ") + "nth, device, port, probability, seed";
}

void check_parameter(const FaultSpec& spec, const FaultInfo& info,
                     const FaultParameter& parameter) {
    if (parameter.type == ParameterType::duration &&
        (*spec.delay < 0ns || *spec.delay > delay_max)) {
        refuse(info.name,
               fmt::format("{} is 0 to 600 s, not {}", parameter.name, duration_text(*spec.delay)));
    }
    if (parameter.type == ParameterType::number &&
        (*spec.number < parameter.min || *spec.number > parameter.max)) {
        refuse(info.name, fmt::format("{} is {} to {}, not {}", parameter.name, parameter.min,
                                      parameter.max, *spec.number));
    }
    if (parameter.type == ParameterType::text && !parameter.words.empty() &&
        !is_one_of(*spec.text, parameter.words)) {
        refuse(info.name, fmt::format("{} is one of {}, not \"{}\"", parameter.name,
                                      parameter.words, *spec.text));
    }
}

bool is_given(const FaultSpec& spec, ParameterType type) {
    switch (type) {
        case ParameterType::duration:
            return spec.delay.has_value();
        case ParameterType::number:
            return spec.number.has_value();
        case ParameterType::text:
            return spec.text.has_value();
    }
    return false;
}

/// As a shell would take it: in quotes where it must be.
std::string in_quotes(std::string_view word) {
    const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '\'';
    });
    if (is_plain) {
        return std::string(word);
    }
    std::string result = "\"";
    for (const char c : word) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        const bool shows = c >= ' ' && c <= '~';
        result +=
            shows ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return result + '"';
}

}  // namespace

std::span<const FaultInfo> fault_table() {
    return table;
}

const FaultInfo& info_of(FaultKind kind) {
    for (const FaultInfo& info : table) {
        if (info.kind == kind) {
            return info;
        }
    }
    throw std::logic_error("a kind of fault is not in the table");
}

FaultSpec make_fault(std::string_view name, FaultWords words) {
    const auto* const info = std::find_if(
        table.begin(), table.end(), [name](const FaultInfo& each) { return each.name == name; });
    if (info == table.end()) {
        throw rig::NoBench(
            fmt::format("no fault is called \"{}\"; there are: {}", name,
                        listed(table, [](const FaultInfo& each) { return each.name; })));
    }
    FaultSpec spec{.kind = info->kind};
    for (const auto& [key, word] : words) {
        const auto parameter =
            std::find_if(info->parameters.begin(), info->parameters.end(),
                         [&key = key](const FaultParameter& each) { return each.name == key; });
        if (parameter != info->parameters.end()) {
            set(spec, *info, *parameter, word);
        } else if (!set_match(spec, *info, key, word)) {
            refuse(name,
                   fmt::format("it takes no \"{}\"; it takes: {}", key, parameters_of(*info)));
        }
    }
    return completed(std::move(spec));
}

FaultSpec completed(FaultSpec spec) {
    const FaultInfo& info = info_of(spec.kind);
    for (const FaultParameter& parameter : info.parameters) {
        if (!is_given(spec, parameter.type)) {
            if (parameter.is_required()) {
                refuse(info.name,
                       fmt::format("{} must be given: {}", parameter.name, parameter.help));
            }
            set(spec, info, parameter, parameter.usual);
        }
        check_parameter(spec, info, parameter);
    }
    if (!(spec.probability >= 0.0 && spec.probability <= 1.0)) {
        refuse(info.name, fmt::format("probability is 0 to 1, not {}", spec.probability));
    }
    if (spec.nth < 0) {
        refuse(info.name, fmt::format("nth counts from 1 (0: each), not {}", spec.nth));
    }
    if (spec.device && info.point != FaultPoint::frame) {
        refuse(info.name, "device is only known once a frame has come: leave it out");
    }
    if (info.point == FaultPoint::listener &&
        (spec.nth != 0 || spec.probability < 1.0 || spec.port != FaultPort::any)) {
        refuse(info.name,
               "it is in force at once and everywhere: leave out nth, port, probability");
    }
    if (info.port != FaultPort::any && spec.port != FaultPort::any && spec.port != info.port) {
        refuse(info.name, fmt::format("it can only befall the {} port", to_string(info.port)));
    }
    if (info.port != FaultPort::any) {
        spec.port = info.port;
    }
    return spec;
}

std::string describe(const FaultSpec& spec) {
    const FaultInfo& info = info_of(spec.kind);
    std::string result(info.name);
    for (const FaultParameter& parameter : info.parameters) {
        const bool is_no_time = parameter.type == ParameterType::duration && spec.delay == 0ns;
        if (!is_given(spec, parameter.type) || is_no_time) {
            continue;
        }
        result += fmt::format(" {}=", parameter.name);
        switch (parameter.type) {
            case ParameterType::duration:
                result += duration_text(*spec.delay);
                break;
            case ParameterType::number:
                result += fmt::format("{}", *spec.number);
                break;
            case ParameterType::text:
                result += in_quotes(*spec.text);
                break;
        }
    }
    return result;
}

std::string duration_text(nanoseconds duration) {
    const auto ns = duration.count();
    for (const DurationUnit& unit : {DurationUnit{"s", 1'000'000'000},
                                     DurationUnit{"ms", 1'000'000}, DurationUnit{"us", 1'000}}) {
        if (ns % unit.ns == 0) {
            return fmt::format("{}{}", ns / unit.ns, unit.name);
        }
    }
    return fmt::format("{}ns", ns);
}

std::string_view to_string(FaultPoint point) {
    switch (point) {
        case FaultPoint::listener:
            return "listener";
        case FaultPoint::connection:
            return "connection";
        case FaultPoint::frame:
            return "frame";
    }
    return "frame";
}

std::string_view to_string(FaultPort port) {
    switch (port) {
        case FaultPort::any:
            return "any";
        case FaultPort::clear:
            return "clear";
        case FaultPort::secure:
            return "secure";
    }
    return "any";
}

std::string_view to_string(ParameterType type) {
    switch (type) {
        case ParameterType::duration:
            return "duration";
        case ParameterType::number:
            return "number";
        case ParameterType::text:
            return "text";
    }
    return "text";
}

}  // namespace harness
