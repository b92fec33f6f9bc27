// Outbox is what one connection still has to send: replies that wait for their time, and bytes that
// wait for the peer. It encrypts them where the connection has TLS, and makes an event of each
// reply that is out. It owns replies and bytes, no socket; everything handed to it must outlive it.
// Loop's thread only.
//
// Limit: while bytes_max wait for the peer no reply follows them, so a peer that reads nothing
// costs no more than that and the replies to what was read from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/event/event_sink.hpp"
#include "harness/server/mischief.hpp"
#include "harness/server/reply_plan.hpp"
#include "harness/tls/tls_session.hpp"
#include "rig/base/clock.hpp"

namespace harness {

class Outbox {
  public:
    static constexpr std::size_t bytes_max = 16U * 1024;

    Outbox(const rig::Clock& clock, EventSink& sink, ConnectionId id);

    /// Before anything is added: what goes out does so through this session.
    void use(TlsSession& tls) { tls_ = &tls; }

    /// A frame's reply, in the pieces and at the times that the plan says, and what a fault wants
    /// done once it is out.
    void add(FrameId frame_id, const ReplyPlan& plan, const Order& then);
    /// Bytes that answer nothing, for now.
    void add(std::string bytes);
    /// Gives up the replies that wait for their time.
    void drop_replies() { replies_.clear(); }

    /// Makes bytes of the replies whose time has come, up to one that wants something done: that.
    /// The session, if there is one, must be one that can be written to.
    [[nodiscard]] Order make_bytes();

    struct Flushed {
        Order order;    ///< what a fault wants done, now that so many bytes are out
        int error = 0;  ///< errno: the peer has gone
    };
    /// Sends what the kernel takes and `mischief` allows.
    [[nodiscard]] Flushed flush(int socket, Mischief& mischief);

    [[nodiscard]] bool has_replies() const { return !replies_.empty(); }
    [[nodiscard]] bool has_bytes() const { return !bytes().empty(); }
    /// Bytes wait, or replies that may become as many.
    [[nodiscard]] bool is_full() const;
    /// When make_bytes() has something to do; nothing while it depends on the peer, or never.
    [[nodiscard]] std::optional<TimestampNs> due_ns() const;
    /// Since when the kernel has taken none of our bytes; nothing if it has taken the last ones.
    [[nodiscard]] std::optional<TimestampNs> stalled_since_ns() const { return stalled_since_ns_; }

  private:
    struct Reply {
        FrameId frame_id = 0;    ///< 0: not the last piece of a frame's reply
        TimestampNs due_ns = 0;  ///< not before
        std::string bytes;       ///< this piece
        std::string whole;       ///< all of the reply, with its last piece
        Order then;              ///< what a fault wants done afterwards
    };
    struct Mark {
        FrameId frame_id = 0;
        std::uint64_t after_bytes = 0;  ///< the reply is out once so many bytes are
        std::string bytes;
    };

    [[nodiscard]] std::span<const std::uint8_t> bytes() const;
    void note_sent(std::size_t count);

    const rig::Clock& clock_;
    EventSink& sink_;
    const ConnectionId id_;
    TlsSession* tls_ = nullptr;  // nullptr: in the clear
    std::deque<Reply> replies_;
    std::deque<Mark> marks_;
    std::vector<std::uint8_t> clear_bytes_;  // without TLS
    std::uint64_t bytes_sent_ = 0;
    std::optional<TimestampNs> stalled_since_ns_;
};

}  // namespace harness
