#include "harness/wwep/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace harness {
namespace {

struct Field {
    std::string_view name;
    std::size_t offset;
    std::size_t digits;
};

constexpr std::array fields{Field{"device", 1, 4}, Field{"register", 5, 2}, Field{"value", 7, 4}};

std::optional<std::uint32_t> hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return static_cast<std::uint32_t>(digit - '0');
    }
    if (digit >= 'A' && digit <= 'F') {
        return static_cast<std::uint32_t>(digit - 'A' + 10);
    }
    if (digit >= 'a' && digit <= 'f') {
        return static_cast<std::uint32_t>(digit - 'a' + 10);
    }
    return std::nullopt;
}

unsigned as_number(char byte) {
    return static_cast<unsigned char>(byte);
}

/// The offset of the first byte after the command that is no hex digit; bytes.size() if all are.
std::size_t first_illegal(std::string_view bytes) {
    const auto found = std::find_if(bytes.begin() + 1, bytes.end(),
                                    [](char byte) { return !hex_digit(byte).has_value(); });
    return static_cast<std::size_t>(found - bytes.begin());
}

std::string illegal_digit_reason(std::string_view bytes, std::size_t offset) {
    const auto field = std::find_if(fields.begin(), fields.end(), [offset](const Field& each) {
        return offset < each.offset + each.digits;
    });
    return fmt::format("illegal byte 0x{:02x} among the digits of the {}", as_number(bytes[offset]),
                       field->name);
}

/// The number in one field of a frame whose digits have been checked.
std::uint32_t number(std::string_view bytes, const Field& field) {
    return parse_hex(bytes.substr(field.offset, field.digits)).value_or(0);
}

}  // namespace

std::size_t frame_size(char first) {
    switch (first) {
        case 'R':
            return read_frame_size;
        case 'W':
            return write_frame_size;
        default:
            return 0;
    }
}

FrameParse parse_frame(std::string_view bytes) {
    if (bytes.empty()) {
        return {};
    }
    const std::size_t size = frame_size(bytes.front());
    if (size == 0) {
        return {ParseOutcome::illegal,
                1,
                {},
                fmt::format("illegal byte 0x{:02x} where a frame starts", as_number(bytes[0]))};
    }
    bytes = bytes.substr(0, size);
    if (const std::size_t illegal = first_illegal(bytes); illegal < bytes.size()) {
        return {ParseOutcome::illegal, illegal + 1, {}, illegal_digit_reason(bytes, illegal)};
    }
    if (bytes.size() < size) {
        return {ParseOutcome::incomplete, bytes.size(), {}, {}};
    }
    Frame frame;
    frame.command = size == write_frame_size ? Command::write : Command::read;
    frame.device = static_cast<std::uint16_t>(number(bytes, fields[0]));
    frame.reg = static_cast<std::uint8_t>(number(bytes, fields[1]));
    if (frame.command == Command::write) {
        frame.value = static_cast<std::uint16_t>(number(bytes, fields[2]));
    }
    return {ParseOutcome::complete, size, frame, {}};
}

ReplyParse parse_reply(std::string_view bytes) {
    if (bytes.empty()) {
        return {};
    }
    if (bytes.front() == 'X') {
        return {ParseOutcome::complete, failed_reply_size, {}, {}};
    }
    if (bytes.front() != 'A') {
        return {ParseOutcome::illegal,
                1,
                {},
                fmt::format("illegal byte 0x{:02x} where a reply starts", as_number(bytes[0]))};
    }
    bytes = bytes.substr(0, accepted_reply_size);
    if (const std::size_t illegal = first_illegal(bytes); illegal < bytes.size()) {
        return {ParseOutcome::illegal, illegal + 1, {}, illegal_digit_reason(bytes, illegal)};
    }
    if (bytes.size() < accepted_reply_size) {
        return {ParseOutcome::incomplete, bytes.size(), {}, {}};
    }
    const Reply reply{true, static_cast<std::uint16_t>(number(bytes, fields[0])),
                      static_cast<std::uint8_t>(number(bytes, fields[1])),
                      static_cast<std::uint16_t>(number(bytes, fields[2]))};
    return {ParseOutcome::complete, accepted_reply_size, reply, {}};
}

std::string format_read(std::uint16_t device, std::uint8_t reg) {
    return fmt::format("R{:04X}{:02X}", device, reg);
}

std::string format_write(std::uint16_t device, std::uint8_t reg, std::uint16_t value) {
    return fmt::format("W{:04X}{:02X}{:04X}", device, reg, value);
}

std::string format_accepted(std::uint16_t device, std::uint8_t reg, std::uint16_t value) {
    return fmt::format("A{:04X}{:02X}{:04X}", device, reg, value);
}

std::string format_failed() {
    return "X";
}

std::string echo_accepted(std::string_view write_frame) {
    return std::string("A").append(write_frame.substr(1, write_frame_size - 1));
}

bool accepts(const Reply& reply, const Frame& frame) {
    return reply.accepted && reply.device == frame.device && reply.reg == frame.reg &&
           (frame.command == Command::read || reply.value == frame.value);
}

std::optional<std::uint32_t> parse_hex(std::string_view digits) {
    if (digits.empty() || digits.size() > 8) {
        return std::nullopt;
    }
    std::uint32_t result = 0;
    for (const char each : digits) {
        const auto digit = hex_digit(each);
        if (!digit) {
            return std::nullopt;
        }
        result = result * 16 + *digit;
    }
    return result;
}

}  // namespace harness
