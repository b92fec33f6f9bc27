// Conversation is the protocol state of one connection, without socket or clock: whoever owns the
// connection feeds it with what arrived and when, sends the replies it yields, and closes once it
// has finished. It owns nothing but up to 11 bytes of an unfinished frame and the exchanges not
// yet taken (one for each 7 bytes fed, at most). The RegisterFile must outlive it. One thread.
//
// Whoever feeds it: hand over bytes that can be read before calling time_passed(), so that a late
// wake-up of the loop is not taken for a late peer; after each call take() the exchanges, send
// their replies in order, and look at state(). Once finished, go on feeding what still arrives
// while the connection drains: it is counted, never answered.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/event/event.hpp"
#include "harness/wwep/frame.hpp"
#include "harness/wwep/register_file.hpp"

namespace harness {

enum class ConversationMode : std::uint8_t {
    one_transaction,  ///< finished after the first frame
    keep_open,        ///< any number of frames, until the peer finishes, idles or errs
};

/// 0 or less: passes at once.
struct ConversationLimits {
    /// From the first byte of a frame to its last.
    std::chrono::nanoseconds frame_timeout = std::chrono::milliseconds(200);
    /// Without a byte while no frame is under way.
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds(30);
};

/// A frame, complete or not, and the reply it gets.
struct Exchange {
    FrameVerdict verdict = FrameVerdict::illegal;
    std::optional<std::uint16_t> device;  ///< absent in an illegal or truncated frame
    std::optional<std::uint8_t> reg;      ///< register; likewise
    std::optional<std::uint16_t> value;   ///< of a write: written; of a read: answered, if it was
    std::string raw;  ///< as it came, without line end; of an illegal frame up to the illegal byte
    std::string reason;           ///< why it is illegal or truncated, or why a write was not stored
    TimestampNs received_ns = 0;  ///< stamp of the read that brought the last byte
    StampSource stamp = StampSource::read;
    std::string reply;  ///< never empty: 11 bytes from `A`, or "X"
    bool operator==(const Exchange&) const = default;
};

class Conversation {
  public:
    enum class State : std::uint8_t { talking, finished };

    /// `opened_ns` is when the peer could first send (for TLS: the end of the handshake): the idle
    /// timeout runs from there.
    Conversation(RegisterFile& registers, ConversationMode mode, ConversationLimits limits,
                 TimestampNs opened_ns);

    /// What one read brought, cut anywhere; no bytes are nothing. A read that the kernel stamped
    /// at or after the frame's deadline came too late for the frame: it is truncated first. A stamp
    /// of any other source cannot prove lateness, and does not end the frame.
    void bytes(std::string_view received, TimestampNs received_ns, StampSource stamp);
    void bytes(std::span<const std::uint8_t> received, TimestampNs received_ns, StampSource stamp);

    /// The peer will send no more: half-close, close_notify or close. An unfinished frame is
    /// truncated and answered.
    void peer_finished(TimestampNs now_ns);

    /// Acts on a deadline that has come; nothing happens before it.
    void time_passed(TimestampNs now_ns);

    /// The owner did not read for a while and does from now on: the peer may have been kept from
    /// sending, so its deadlines run from here, also for a frame whose first bytes came before.
    void heard_again(TimestampNs now_ns);

    /// What comes next waited behind more than the owner took at once, which may have kept the peer
    /// from sending: a frame that begins with it has its time from here on, whatever its stamp. One
    /// that has begun keeps its time, so that no peer can make a frame last by sending more.
    void next_has_waited(TimestampNs now_ns);

    /// When time_passed() is to be called: the frame's timeout while one is under way, else the
    /// idle timeout. Nothing once finished.
    [[nodiscard]] std::optional<TimestampNs> deadline_ns() const;

    /// The exchanges since the last call, in the order of the frames. Their writes are stored.
    [[nodiscard]] std::vector<Exchange> take();

    /// Finished: send what take() yields, then half-close, drain, close.
    [[nodiscard]] State state() const { return state_; }
    /// Why it finished, for people: "answered", "illegal byte 0x51 where a frame starts", "frame
    /// incomplete after 200 ms", "idle for 30 s", "peer closed". Empty while talking.
    [[nodiscard]] const std::string& end_reason() const { return end_reason_; }
    /// Bytes that came after the conversation had finished. The one line end after the last frame
    /// is not among them.
    [[nodiscard]] std::int64_t ignored_bytes() const { return ignored_bytes_; }

  private:
    /// What is left of the one line end that may follow a frame.
    enum class LineEnd : std::uint8_t { none, line_feed, any };

    [[nodiscard]] std::size_t swallow_line_end(std::string_view received);
    [[nodiscard]] std::size_t add_to_frame(std::string_view received, TimestampNs received_ns,
                                           StampSource stamp);
    [[nodiscard]] Exchange end_frame(FrameVerdict verdict);
    void answer(const FrameParse& parse);
    void answer_read(const Frame& frame, Exchange& exchange) const;
    void answer_write(const Frame& frame, Exchange& exchange);
    void truncate(std::string reason);
    void finish(std::string reason);

    RegisterFile& registers_;
    const ConversationMode mode_;
    const ConversationLimits limits_;
    State state_ = State::talking;
    std::string frame_;                  // the unfinished frame, empty between frames
    TimestampNs frame_began_ns_ = 0;     // stamp of the read that brought its first byte
    TimestampNs frame_received_ns_ = 0;  // stamp of the read that brought its last byte so far
    StampSource frame_stamp_ = StampSource::read;
    TimestampNs last_received_ns_;
    TimestampNs heard_since_ns_ = 0;  // no deadline runs from before
    LineEnd line_end_ = LineEnd::none;
    std::vector<Exchange> exchanges_;
    std::string end_reason_;
    std::int64_t ignored_bytes_ = 0;
};

}  // namespace harness
