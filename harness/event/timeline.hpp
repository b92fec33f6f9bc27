// Timeline is the run's events in memory, in the order in which they were taken: what scripts wait
// on and look back at. It keeps the last `events_kept_max`, fewer where they are long: at most
// `bytes_kept_max`. It passes every event on to the next sink (the recorder), if there is one,
// which must outlive it. Any thread may call anything.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "harness/event/event_queue.hpp"
#include "harness/event/event_sink.hpp"
#include "rig/base/deadline.hpp"

namespace harness {

/// A place on the timeline: the number of events taken before it.
using Cursor = std::uint64_t;

class Timeline final : public EventSink {
  public:
    static constexpr std::size_t events_kept_max = 200'000;
    static constexpr std::size_t bytes_kept_max = 96U * 1024 * 1024;

    /// How much is kept; always the newest event, however long.
    struct Limits {
        std::size_t events_max = events_kept_max;
        std::size_t bytes_max = bytes_kept_max;  ///< as memory_size() has it
    };

    Timeline(const rig::Clock& clock, EventSink* next) : Timeline(clock, next, Limits()) {}
    Timeline(const rig::Clock& clock, EventSink* next, Limits limits);

    void take(Event event) override;
    [[nodiscard]] bool has_room() const override;

    /// The place after the newest event.
    [[nodiscard]] Cursor end() const;

    struct Slice {
        std::vector<Event> events;
        Cursor next = 0;            ///< where to go on reading
        std::uint64_t dropped = 0;  ///< events between the cursor and the oldest one kept
    };
    /// Events from `cursor` on, at most `events_max`.
    [[nodiscard]] Slice since(Cursor cursor, std::size_t events_max) const;

    /// Calls `found` on each event from `cursor` on, also on those still to come, until it returns
    /// true (then wait returns true) or the deadline passes, or `interrupted` (asked at least every
    /// 50 ms, outside the lock) returns true. `found` runs under the timeline's lock: it must be
    /// short and must not call the timeline.
    [[nodiscard]] bool wait(Cursor cursor, rig::Deadline deadline,
                            const std::function<bool(const Event&)>& found,
                            const std::function<bool()>& interrupted) const;

  private:
    void drop_oldest();

    const rig::Clock& clock_;
    EventSink* next_;
    const Limits limits_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    EventQueue events_;
    std::size_t bytes_ = 0;  // of events_
    Cursor begin_ = 0;       // the cursor of events_.front()
};

}  // namespace harness
