// The bytes of WWEP: frames (requests) and replies, parsed and formatted by pure functions. No
// state, no I/O, no clock: what a byte means never depends on how reads cut the stream. Line ends
// and time belong to Conversation. Command letters are upper case only; hex digits are taken in
// both cases. Limits: a read frame is 7 bytes, a write frame and an accepting reply 11, a failing
// reply 1. Any thread may call anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace harness {

constexpr std::size_t read_frame_size = 7;
constexpr std::size_t write_frame_size = 11;
constexpr std::size_t accepted_reply_size = 11;
constexpr std::size_t failed_reply_size = 1;

enum class Command : std::uint8_t { read, write };

/// One well-formed request.
struct Frame {
    Command command = Command::read;
    std::uint16_t device = 0;
    std::uint8_t reg = 0;     ///< register
    std::uint16_t value = 0;  ///< of a write; 0 in a read, which carries none
    bool operator==(const Frame&) const = default;
};

/// One well-formed reply.
struct Reply {
    bool accepted = false;  ///< `A`; false: `X`, and the three fields below say nothing
    std::uint16_t device = 0;
    std::uint8_t reg = 0;  ///< register
    std::uint16_t value = 0;
    bool operator==(const Reply&) const = default;
};

enum class ParseOutcome : std::uint8_t {
    incomplete,  ///< a good start: more bytes decide
    complete,
    illegal,  ///< no further byte can make it good
};

/// `size` counts the bytes that belong to the frame or the reply: all of it when complete, up to
/// and including the illegal byte when illegal, everything there is when incomplete.
struct FrameParse {
    ParseOutcome outcome = ParseOutcome::incomplete;
    std::size_t size = 0;
    Frame frame;         ///< when complete
    std::string reason;  ///< when illegal, for people: "illegal byte 0x51 where a frame starts"
};

struct ReplyParse {
    ParseOutcome outcome = ParseOutcome::incomplete;
    std::size_t size = 0;
    Reply reply;         ///< when complete
    std::string reason;  ///< when illegal, for people
};

/// How many bytes the frame has that starts with `first`: 7 for `R`, 11 for `W`, 0 for any other
/// byte (lower case too), with which no frame starts.
[[nodiscard]] std::size_t frame_size(char first);

/// Reads one frame from the start of `bytes`; what follows the frame is not looked at, and a line
/// end is an illegal byte here. No bytes: incomplete.
[[nodiscard]] FrameParse parse_frame(std::string_view bytes);

/// Reads one reply from the start of `bytes`. An `X` is complete by itself: what follows it
/// (`X Not Found`) is bytes.substr(size), for the caller to note. No bytes: incomplete.
[[nodiscard]] ReplyParse parse_reply(std::string_view bytes);

/// "R0FAC0B"; digits in upper case.
[[nodiscard]] std::string format_read(std::uint16_t device, std::uint8_t reg);
/// "W0FAC0B1234"; digits in upper case.
[[nodiscard]] std::string format_write(std::uint16_t device, std::uint8_t reg, std::uint16_t value);
/// "A0FAC0B1234"; digits in upper case, as a read is answered.
[[nodiscard]] std::string format_accepted(std::uint16_t device, std::uint8_t reg,
                                          std::uint16_t value);
/// "X".
[[nodiscard]] std::string format_failed();
/// The answer to a write: `A` and the ten digits of `write_frame` in the case in which they came.
/// `write_frame` must be a complete write frame.
[[nodiscard]] std::string echo_accepted(std::string_view write_frame);

/// Whether `reply` is an `A` that fits `frame`: same device and register, and for a write the same
/// value. Numbers are compared, so the case of digits does not matter.
[[nodiscard]] bool accepts(const Reply& reply, const Frame& frame);

/// The number that one to eight hex digits (either case, no prefix) spell; nothing for any other
/// text.
[[nodiscard]] std::optional<std::uint32_t> parse_hex(std::string_view digits);

}  // namespace harness
