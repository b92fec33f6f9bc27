#include "rig/target/console_lines.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace rig {
namespace {

/// Carriage returns that may stand before a LF; terminals that translate twice make two.
constexpr std::size_t carriage_returns_max = 2;

std::uint8_t value_of(char byte) {
    return static_cast<std::uint8_t>(byte);
}

/// Bytes of the UTF-8 sequence that begins with this byte; 0: none does.
std::size_t sequence_length(std::uint8_t first) {
    if (first >= 0xC2 && first <= 0xDF) {
        return 2;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        return 3;
    }
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

/// Whether `next` may follow `sequence`: no overlong forms, no surrogates, nothing past U+10FFFF
/// and no control characters of the C1 block.
bool continues(std::string_view sequence, std::uint8_t next) {
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xBF;
    if (sequence.size() == 1) {
        switch (value_of(sequence[0])) {
            case 0xC2:
                low = 0xA0;
                break;
            case 0xE0:
                low = 0xA0;
                break;
            case 0xED:
                high = 0x9F;
                break;
            case 0xF0:
                low = 0x90;
                break;
            case 0xF4:
                high = 0x8F;
                break;
            default:
                break;
        }
    }
    return next >= low && next <= high;
}

}  // namespace

void ConsoleLines::take(std::string_view bytes, TimestampNs at_ns,
                        std::vector<TargetEvent>& events) {
    for (const char byte : bytes) {
        take_byte(byte, at_ns, events);
    }
}

void ConsoleLines::take_byte(char byte, TimestampNs at_ns, std::vector<TargetEvent>& events) {
    if (!sequence_.empty()) {
        if (continues(sequence_, value_of(byte))) {
            sequence_ += byte;
            if (sequence_.size() == sequence_length(value_of(sequence_[0]))) {
                append(std::exchange(sequence_, {}), at_ns, events);
            }
            return;
        }
        give_up_sequence(at_ns, events);
    }
    if (byte == '\n') {
        end_line(at_ns, events);
        return;
    }
    if (byte == '\r') {
        if (is_at_start_) {
            return;  // The LF CR of some firmware.
        }
        if (carriage_returns_ == carriage_returns_max) {
            append_escaped('\r', at_ns, events);
        } else {
            ++carriage_returns_;
        }
        return;
    }
    for (; carriage_returns_ > 0; --carriage_returns_) {
        append_escaped('\r', at_ns, events);
    }
    is_at_start_ = false;
    const std::uint8_t value = value_of(byte);
    if (sequence_length(value) > 0) {
        sequence_ = byte;
    } else if (byte == '\t' || (value >= 0x20 && value < 0x7F)) {
        append(std::string_view(&byte, 1), at_ns, events);
    } else {
        append_escaped(byte, at_ns, events);
    }
}

void ConsoleLines::end_line(TimestampNs at_ns, std::vector<TargetEvent>& events) {
    events.emplace_back(ConsoleText{at_ns, std::exchange(text_, {}), true});
    carriage_returns_ = 0;
    is_at_start_ = true;
}

void ConsoleLines::give_up_sequence(TimestampNs at_ns, std::vector<TargetEvent>& events) {
    for (const char byte : std::exchange(sequence_, {})) {
        append_escaped(byte, at_ns, events);
    }
}

void ConsoleLines::append(std::string_view unit, TimestampNs at_ns,
                          std::vector<TargetEvent>& events) {
    if (text_.size() + unit.size() > line_bytes_max) {
        events.emplace_back(ConsoleText{at_ns, std::exchange(text_, {}), false});
    }
    text_ += unit;
}

void ConsoleLines::append_escaped(char byte, TimestampNs at_ns, std::vector<TargetEvent>& events) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const std::uint8_t value = value_of(byte);
    const std::array<char, 4> escape = {'\\', 'x', digits[value >> 4U], digits[value & 0x0FU]};
    append(std::string_view(escape.data(), escape.size()), at_ns, events);
}

void ConsoleLines::flush(TimestampNs at_ns, std::vector<TargetEvent>& events) {
    give_up_sequence(at_ns, events);
    if (!text_.empty()) {
        events.emplace_back(ConsoleText{at_ns, std::exchange(text_, {}), false});
    }
}

bool ConsoleLines::has_unfinished() const {
    return !text_.empty() || !sequence_.empty();
}

void ConsoleLines::clear() {
    *this = ConsoleLines();
}

}  // namespace rig
