// Everything that lands on the timeline, as plain values. rig/ and the server hand over what they
// saw; harness/bench turns it into one of these; the timeline and the recorder keep them.
// All timestamps are CLOCK_MONOTONIC nanoseconds; 0 means that the thing did not happen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/line/level.hpp"

namespace harness {

using rig::TimestampNs;

/// Counts connections of one run from 1. 0: no connection.
using ConnectionId = std::int64_t;
/// Counts frames of one run from 1.
using FrameId = std::int64_t;
/// Counts presses of one run from 1.
using PressId = std::int64_t;

/// An edge on a named line, driven by the rig (source rig) or seen.
struct EdgeSeen {
    TimestampNs at_ns = 0;
    std::string line;
    rig::Level level = rig::Level::low;
    rig::EdgeSource source = rig::EdgeSource::kernel;
    std::uint64_t seqno = 0;
    bool operator==(const EdgeSeen&) const = default;
};

/// The rig asserted a button: the line was set somewhere between before_ns and after_ns.
struct PressAsserted {
    PressId id = 0;
    std::string line;
    TimestampNs before_ns = 0;
    TimestampNs after_ns = 0;
    std::string profile;
    bool operator==(const PressAsserted&) const = default;
};

/// The rig let go of the button; right after the line was released.
struct PressReleased {
    PressId id = 0;
    std::string line;
    TimestampNs released_ns = 0;
    bool operator==(const PressReleased&) const = default;
};

struct ConnectionOpened {
    ConnectionId id = 0;
    TimestampNs at_ns = 0;
    std::string peer;  ///< "127.0.0.1:50311" or "[::1]:50311"
    std::string local;
    bool secure = false;
    bool operator==(const ConnectionOpened&) const = default;
};

/// The end of a TLS handshake, good or bad.
struct HandshakeEnded {
    ConnectionId id = 0;
    TimestampNs at_ns = 0;
    std::string tls_version;        ///< "TLSv1.3"; empty if none was agreed on
    std::string cipher;             ///< IANA name; empty if none was agreed on
    std::int64_t handshake_ns = 0;  ///< from accept to the end of the handshake
    std::string offered;  ///< what the ClientHello offered, as a JSON object; empty: none came
    std::string failure;  ///< why it failed, for people; empty: it succeeded
    bool operator==(const HandshakeEnded&) const = default;
};

/// Where a received_ns comes from.
enum class StampSource : std::uint8_t {
    kernel,        ///< SO_TIMESTAMPNS, converted to the monotonic clock
    kernel_stale,  ///< the same stamp as the frame before: an upper bound of the arrival at best
    read,          ///< the time of the read that brought the last byte
};

enum class FrameVerdict : std::uint8_t { read, write, illegal, truncated };

/// A request, complete or not, as the server took it.
struct FrameReceived {
    FrameId id = 0;
    ConnectionId connection_id = 0;
    TimestampNs received_ns = 0;
    StampSource stamp = StampSource::read;
    FrameVerdict verdict = FrameVerdict::illegal;
    std::optional<std::uint16_t> device = {};  ///< absent in an illegal or truncated frame
    std::optional<std::uint8_t> reg = {};      ///< register; likewise
    std::optional<std::uint16_t> value =
        {};              ///< of a write: written; of a read: answered, if it was
    std::string raw;     ///< the bytes as they came, at most 64 of an illegal frame
    std::string reason;  ///< why it is illegal or truncated; empty otherwise
    bool operator==(const FrameReceived&) const = default;
};

/// The reply to a frame was handed to the kernel.
struct ReplySent {
    FrameId frame_id = 0;
    ConnectionId connection_id = 0;
    TimestampNs replied_ns = 0;
    std::string reply;
    bool operator==(const ReplySent&) const = default;
};

struct ConnectionClosed {
    ConnectionId id = 0;
    TimestampNs at_ns = 0;
    std::string end_reason;          ///< for people: "answered", "peer closed", "idle for 30 s"
    std::int64_t ignored_bytes = 0;  ///< received after the frame that ended the connection
    bool operator==(const ConnectionClosed&) const = default;
};

/// One line that the target's firmware printed, without its line end.
struct ConsoleLine {
    TimestampNs at_ns = 0;
    std::string text;
    bool operator==(const ConsoleLine&) const = default;
};

/// The target was started, reset or stopped, or ended by itself; `what` says how, for people.
struct TargetChanged {
    TimestampNs at_ns = 0;
    std::string what;
    bool is_running = false;
    bool operator==(const TargetChanged&) const = default;
};

/// A fault that was asked for came into effect.
struct FaultFired {
    TimestampNs at_ns = 0;
    ConnectionId connection_id = 0;
    std::string name;
    bool operator==(const FaultFired&) const = default;
};

/// The rig itself erred: edges lost, the recorder behind, a device ID used by two addresses.
/// Never a verdict on the target. `is_error` false: worth a note only.
struct RigNote {
    TimestampNs at_ns = 0;
    std::string what;
    bool is_error = true;
    bool operator==(const RigNote&) const = default;
};

struct TestBegan {
    TimestampNs at_ns = 0;
    std::string nodeid;
    bool operator==(const TestBegan&) const = default;
};

struct TestEnded {
    TimestampNs at_ns = 0;
    std::string nodeid;
    std::string outcome;  ///< "passed", "failed", "error", "skipped"
    bool operator==(const TestEnded&) const = default;
};

using Event = std::variant<EdgeSeen, PressAsserted, PressReleased, ConnectionOpened, HandshakeEnded,
                           FrameReceived, ReplySent, ConnectionClosed, ConsoleLine, TargetChanged,
                           FaultFired, RigNote, TestBegan, TestEnded>;

/// When the event happened. For a press: when it was asserted (before_ns).
[[nodiscard]] TimestampNs at_ns(const Event& event);

/// The memory that it takes with its texts, in bytes, to 16 bytes a text.
[[nodiscard]] std::size_t memory_size(const Event& event);

/// The lane it belongs to: button, led, connection, frame, reply, console, target, fault, rig,
/// test.
[[nodiscard]] std::string_view lane(const Event& event);

/// One line for people, without the time.
[[nodiscard]] std::string describe(const Event& event);

/// "kernel", "kernel-stale", "read".
[[nodiscard]] std::string_view to_string(StampSource source);
/// "read", "write", "illegal", "truncated".
[[nodiscard]] std::string_view to_string(FrameVerdict verdict);
/// "kernel", "board", "rig".
[[nodiscard]] std::string_view to_string(rig::EdgeSource source);

}  // namespace harness
