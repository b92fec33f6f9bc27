// EventWriter turns events into rows: one prepared statement for each kind. It starts and ends no
// transaction. The Database must outlive it. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/event/event.hpp"
#include "harness/recorder/database.hpp"

namespace harness {

/// The greatest ids of an earlier run in the same recording: a run's own count from 1.
struct IdsBefore {
    std::int64_t press = 0;
    std::int64_t connection = 0;
    std::int64_t frame = 0;
};

class EventWriter {
  public:
    explicit EventWriter(Database& database, IdsBefore before = {});

    /// All of one transaction's events, in order. A frame and its reply become one row at once, not
    /// a row and a change of it: that is most of what a busy server writes. Throws DatabaseError.
    void write(std::span<const Event> events);

  private:
    /// A frame that waits for its reply to turn up among the events at hand.
    struct WaitingFrame {
        const FrameReceived* frame = nullptr;
        const ReplySent* reply = nullptr;
    };

    [[nodiscard]] WaitingFrame* waiting(FrameId id);
    void write_waiting();
    void write_row(const EdgeSeen& event);
    void write_row(const PressAsserted& event);
    void write_row(const PressReleased& event);
    void write_row(const ConnectionOpened& event);
    void write_row(const HandshakeEnded& event);
    void write_row(const FrameReceived& event);
    void write_row(const ReplySent& event);
    void write_row(const ConnectionClosed& event);
    void write_row(const ConsoleLine& event);
    void write_row(const TargetChanged& event);
    void write_row(const FaultFired& event);
    void write_row(const RigNote& event);
    void write_row(const TestBegan& event);
    void write_row(const TestEnded& event);

    const IdsBefore before_;
    std::vector<WaitingFrame> waiting_;  // empty between calls
    Statement edge_;
    Statement press_;
    Statement press_released_;
    Statement connection_;
    Statement handshake_;
    Statement connection_secured_;
    Statement connection_closed_;
    Statement frame_;
    Statement reply_;
    Statement console_;
    Statement target_;
    Statement fault_;
    Statement note_;
    Statement test_;
    Statement test_ended_;
};

}  // namespace harness
