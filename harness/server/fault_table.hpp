// The table of faults: what the server can do wrong on purpose, what each fault is called, what it
// takes and what it is good for. The one place where a fault has its name: Python's classes, the
// documentation, `serve --fault` and its TOML files all come from here. Plain values, no I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace harness {

enum class FaultKind : std::uint8_t {
    gone,
    closed_at_accept,
    never_read,
    reset,
    early_reply,
    no_reply,
    late,
    answer_x,
    wrong_device,
    wrong_register,
    wrong_value,
    lower_case,
    bytewise,
    two_replies,
    garbage,
    text_after_x,
    long_reply,
    close_in_reply,
    tls_identity,
    tls_only_version,
    tls_only_cipher,
    tls_wrong_version,
    tls_wrong_cipher,
    tls_stall,
    tls_close,
    tls_reset,
    tls_alert,
    tls_unusable_request,
    tls_refuse_client,
    tls_no_close_notify,
    tls_tiny_records,
    tls_oversized_record,
    tls_refuse_ticket,
    tls_renegotiate,
    tls_key_update,
    plain_on_secure,
    tls_on_clear,
};

/// What a fault waits for: each of these is one chance for it to fire.
enum class FaultPoint : std::uint8_t {
    listener,    ///< none: it is in force from the moment it is armed
    connection,  ///< a connection is accepted
    frame,       ///< a frame, whole or not, is about to be answered
};

/// Connections that a fault can befall.
enum class FaultPort : std::uint8_t { any, clear, secure };

enum class ParameterType : std::uint8_t {
    duration,  ///< "300ms", "1.5s", "2min": FaultSpec::delay
    number,    ///< a decimal or 0x number: FaultSpec::number
    text,      ///< any bytes, or one of `words`: FaultSpec::text
};

struct FaultParameter {
    std::string_view name;
    ParameterType type = ParameterType::text;
    std::string_view usual;  ///< taken unless given, as text; "!" says that it must be given
    std::string_view help;
    std::string_view words = {};  ///< of a text: what it can be, with `|` between; empty: anything
    std::int64_t min = 0;         ///< of a number
    std::int64_t max = 0;

    [[nodiscard]] constexpr bool is_required() const { return usual == "!"; }
};

struct FaultInfo {
    FaultKind kind;
    std::string_view name;
    FaultPoint point = FaultPoint::frame;
    FaultPort port = FaultPort::any;
    std::string_view help;                            ///< one sentence
    std::span<const FaultParameter> parameters = {};  ///< of each type one at most
};

/// A fault and when it fires.
struct FaultSpec {
    FaultKind kind = FaultKind::late;
    std::optional<std::chrono::nanoseconds> delay = {};  ///< nothing, here and below: as usual
    std::optional<std::int64_t> number = {};
    std::optional<std::string> text = {};
    std::int64_t nth = 0;                      ///< fires on the nth chance only, from 1; 0: on each
    std::optional<std::uint16_t> device = {};  ///< fires for frames of this device only
    FaultPort port = FaultPort::any;           ///< fires on this port only
    double probability = 1.0;                  ///< 0 to 1
    std::uint64_t seed = 0;                    ///< of the dice for `probability`
};

/// Every fault, in the order in which people read about them.
[[nodiscard]] std::span<const FaultInfo> fault_table();
[[nodiscard]] const FaultInfo& info_of(FaultKind kind);

/// Parameters of a fault and the words that say when it fires (nth, device, port, probability,
/// seed), by name and as text.
using FaultWords = std::span<const std::pair<std::string, std::string>>;

/// A fault by its name in the table. Throws rig::NoBench naming what is wrong and what there is.
[[nodiscard]] FaultSpec make_fault(std::string_view name, FaultWords words);
/// With everything filled in that was left as usual. Throws rig::NoBench for what is missing or out
/// of range.
[[nodiscard]] FaultSpec completed(FaultSpec spec);
/// "late by=300ms": kind and parameters, as make_fault() takes them.
[[nodiscard]] std::string describe(const FaultSpec& spec);

/// "300ms", "1.5s".
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds duration);

[[nodiscard]] std::string_view to_string(FaultPoint point);
/// "any", "clear", "secure".
[[nodiscard]] std::string_view to_string(FaultPort port);
/// "duration", "number", "text".
[[nodiscard]] std::string_view to_string(ParameterType type);

}  // namespace harness
