// Mischief is what befalls one connection on purpose. The connection asks it at each point where
// something can go wrong, and does as it is told; Mischief knows no socket. It counts a fault as
// fired, and makes the event of it, when the fault comes into effect. While no fault is armed it
// costs a look at a flag. Everything handed to the constructor must outlive it. Loop's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/event/event_sink.hpp"
#include "harness/server/faults.hpp"
#include "harness/server/reply_plan.hpp"
#include "harness/tls/tls_session.hpp"
#include "rig/base/clock.hpp"

namespace harness {

/// What a fault wants done to a connection.
struct Order {
    enum class What : std::uint8_t {
        go_on,
        close,  ///< close it the polite way
        reset,  ///< RST, now
        mute,   ///< take what comes, answer nothing
        deaf,   ///< read nothing more
    };
    What what = What::go_on;
    std::chrono::nanoseconds length{0};  ///< of mute and deaf; it is closed afterwards
    std::string reason;                  ///< for people: why the connection ended

    explicit operator bool() const { return what != What::go_on; }
};

class Mischief {
  public:
    /// Takes the chances that a new connection on `port` is for faults that are armed.
    Mischief(Faults& faults, EventSink& sink, const rig::Clock& clock, ConnectionId id,
             FaultPort port);

    /// What the connection's TLS is made from, where it is usually made from `usual`; nullptr, both
    /// times: it goes in the clear.
    [[nodiscard]] const TlsContext* context(const TlsContext* usual);
    /// The connection has this session, and nothing was received yet.
    void dress(TlsSession& session);
    /// The connection is there.
    [[nodiscard]] Order at_accept();
    /// The handshake has ended, one way or the other.
    void after_handshake(TlsSession& session);
    /// Everything that TLS gave out has been sent. What a fault of a record wants done then.
    [[nodiscard]] Order after_records();
    /// The connection is to end: whether close_notify is left out.
    [[nodiscard]] bool omits_close_notify();
    /// So many bytes have been received on the wire, all in all.
    [[nodiscard]] Order after_received(std::uint64_t bytes);
    /// The client could begin to talk: what is said to it before it does. Mostly nothing.
    [[nodiscard]] std::string early_reply();
    /// How a frame is answered.
    [[nodiscard]] ReplyPlan plan(std::optional<std::uint16_t> device, std::string reply);
    /// Of `bytes` that are to go out on the wire after `sent` others: how many may.
    [[nodiscard]] std::size_t may_send(std::uint64_t sent, std::size_t bytes) const;
    /// So many bytes have been sent on the wire, all in all.
    [[nodiscard]] Order after_sent(std::uint64_t bytes);

  private:
    struct Begun {
        Faults::Struck fault;
        bool has_fired = false;
    };
    [[nodiscard]] Begun* find(FaultKind kind);
    [[nodiscard]] std::vector<ShimFault> shim_faults();
    [[nodiscard]] Order reset_after(std::string_view what, std::uint64_t bytes);
    void fire(Begun& begun);
    void fire(const Faults::Struck& fault);

    Faults& faults_;
    EventSink& sink_;
    const rig::Clock& clock_;
    const ConnectionId id_;
    const FaultPort port_;
    bool has_replied_early_ = false;
    std::shared_ptr<const TlsContext> context_;
    std::unique_ptr<RecordShim> shim_;
    std::vector<std::size_t> of_shim_;  // the places in begun_ of the shim's faults
    std::vector<Begun> begun_;          // faults of this connection, in force or still to come
};

}  // namespace harness
