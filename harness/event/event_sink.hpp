// EventSink takes events. It is the seam between those who see things happen (server, lines,
// target) and those who keep them (timeline, recorder). Any thread may call it; it never blocks.
#pragma once

#include "harness/event/event.hpp"

namespace harness {

class EventSink {
  public:
    virtual ~EventSink() = default;

    /// Takes one event. Nothing that was offered while has_room() held is ever lost.
    virtual void take(Event event) = 0;

    /// Whether connections may go on producing events. While it is false the server stops reading
    /// and accepting, so that the peers wait instead of events being lost.
    [[nodiscard]] virtual bool has_room() const = 0;
};

}  // namespace harness
