#include "harness/event/event_queue.hpp"

#include <utility>

namespace harness {

const Event& EventQueue::operator[](std::size_t index) const {
    const std::size_t place = begin_ + index;
    return blocks_[place / events_per_block][place % events_per_block];
}

void EventQueue::push_back(Event&& event) {
    if (blocks_.empty() || blocks_.back().size() == events_per_block) {
        blocks_.push_back(std::exchange(spare_, {}));
        blocks_.back().reserve(events_per_block);
    }
    blocks_.back().push_back(std::move(event));
    ++size_;
}

void EventQueue::pop_front() {
    blocks_.front()[begin_] =
        Event();  // the memory of its texts goes now, its place with the block
    ++begin_;
    --size_;
    if (begin_ == events_per_block) {
        spare_ = std::move(blocks_.front());
        spare_.clear();
        blocks_.pop_front();
        begin_ = 0;
    }
}

}  // namespace harness
