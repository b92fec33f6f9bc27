// EventQueue is a queue of events that takes its memory in large blocks and uses a block again once
// its events are gone: a busy server adds hundreds of thousands a second, and a std::deque would go
// to the heap for every third. Owns its events. Not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "harness/event/event.hpp"

namespace harness {

class EventQueue {
  public:
    static constexpr std::size_t events_per_block = 1'024;

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    /// Below size(), from the oldest on.
    [[nodiscard]] const Event& operator[](std::size_t index) const;

    void push_back(Event&& event);
    /// Drops the oldest; there must be one.
    void pop_front();

  private:
    using Block = std::vector<Event>;

    std::deque<Block> blocks_;  // every one full, but the last
    std::size_t begin_ = 0;     // the oldest, in the first block
    std::size_t size_ = 0;
    Block spare_;
};

}  // namespace harness
