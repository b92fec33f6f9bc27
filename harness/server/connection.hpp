// Connection is one accepted TCP connection: its socket, its TLS session if it is secure, its
// conversation, and the outbox of its replies. It owns all of them. The server calls
// on_readable(), on_writable(), on_time() and then asks interest(), deadline_ns() and is_over():
// what to wait for is computed from the state, never remembered. Loop's thread only.
//
// Limits: received_per_call_max bytes are taken a call, so that one peer cannot keep the loop to
// itself; a frame that waited behind them has its time from when it was read. A peer that does not
// read its replies is not read from while its outbox is full, and is not late meanwhile: what it
// says next may be unable to leave it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "harness/event/event_sink.hpp"
#include "harness/loop/loop.hpp"
#include "harness/server/faults.hpp"
#include "harness/server/kernel_stamps.hpp"
#include "harness/server/listener.hpp"
#include "harness/server/mischief.hpp"
#include "harness/server/outbox.hpp"
#include "harness/tls/tls_session.hpp"
#include "harness/wwep/conversation.hpp"
#include "harness/wwep/device_id_watch.hpp"

namespace harness {

struct ConnectionLimits {
    ConversationMode mode = ConversationMode::one_transaction;
    ConversationLimits conversation;
    /// From accept to the end of the TLS handshake.
    std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(10);
    /// For the peer to take what we sent and to close its side, once ours is closed.
    std::chrono::nanoseconds drain_timeout = std::chrono::seconds(1);
};

/// What all connections of a server share. Everything must outlive them.
struct ConnectionContext {
    const rig::Clock& clock;
    EventSink& sink;
    RegisterFile& registers;
    KernelStamps& stamps;
    Faults& faults;
    DeviceIdWatch& device_ids;
    FrameId& last_frame_id;
    ConnectionLimits limits;
    /// The sink was found full: nothing is read, and no peer is late meanwhile. The server sets it,
    /// so that all connections go by one look at the sink, and sees to it that they go on.
    bool is_held_back = false;
};

class Connection {
  public:
    /// A hundred and a half of frames: two hundred peers that ask without end delay another one by
    /// less than 100 ms (server_attack_benchmark).
    static constexpr std::size_t received_per_call_max = 1024;

    /// `tls` is nullptr for a connection in the clear. Records that it was opened.
    Connection(ConnectionContext& context, ConnectionId id, Accepted accepted,
               const TlsContext* tls);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] int fd() const { return socket_.get(); }

    void on_readable();
    void on_writable();
    /// Acts on deadlines that have come.
    void on_time();
    /// The server read nothing for a while and goes on now: what was waited for may still come.
    void on_heard_again();
    /// Answers what was received already and ends the connection politely.
    void shut_down();
    /// Ends it at once; records why.
    void abandon(const std::string& reason);

    [[nodiscard]] Interest interest() const;
    [[nodiscard]] std::optional<TimestampNs> deadline_ns() const;
    /// Over and done: its end is recorded, and it can be destroyed.
    [[nodiscard]] bool is_over() const { return state_ == State::over; }

  private:
    enum class State : std::uint8_t {
        handshaking,  ///< TLS is being set up
        talking,      ///< frames come in
        finishing,    ///< the conversation has finished; replies still go out
        draining,     ///< our side is closed; what still comes is counted
        held,         ///< a fault keeps it open and silent
        over,
    };
    enum class ReadOutcome : std::uint8_t { drained, may_have_more, over };

    // What comes in: connection_input.cpp.
    /// Whether all that has arrived was taken.
    bool read_available();
    [[nodiscard]] ReadOutcome read_once(std::size_t& taken);
    void take_ciphertext(std::span<const std::uint8_t> bytes, ReceiveStamp stamp);
    void take_plaintext(std::span<const std::uint8_t> bytes, ReceiveStamp stamp);
    void take_end();
    void look_at_session();
    void record_handshake(const std::string& failure);
    void collect_exchanges();
    void queue_reply(FrameId frame_id, const ReplyPlan& plan);
    /// Makes the conversation, once the peer can talk.
    void begin_conversation();

    void obey(const Order& order);
    void make_bytes();
    void flush();
    void advance();
    void finish(std::string reason);
    void end(std::string reason);
    /// Whether what the peer says can be recorded: if not, it cannot be late.
    [[nodiscard]] bool hears() const;
    [[nodiscard]] std::string end_reason() const;

    ConnectionContext& context_;
    const ConnectionId id_;
    rig::UniqueFd socket_;
    const std::string peer_;
    const TimestampNs opened_ns_;
    TimestampNs handshake_until_ns_;
    State state_;
    Mischief mischief_;
    std::unique_ptr<TlsSession> tls_;
    std::unique_ptr<Conversation> conversation_;
    Outbox outbox_;
    bool has_spoken_ = false;  // at least one frame, whole or not
    bool peer_has_ended_ = false;
    bool is_half_closed_ = false;
    bool outbox_was_full_ = false;  // when advance() looked last
    bool is_behind_ = false;        // the last read took as much as it may: more may wait
    bool drops_input_ = false;      // a fault wants no answer to what still comes
    bool is_deaf_ = false;          // held, and not read from either
    std::string reason_;            // why it ends, if not for the conversation's own reason
    std::uint64_t bytes_received_ = 0;
    std::int64_t bytes_dropped_ = 0;
    TimestampNs held_until_ns_ = 0;
    std::int64_t last_kernel_ns_ = 0;
    TimestampNs drain_until_ns_ = 0;
};

}  // namespace harness
