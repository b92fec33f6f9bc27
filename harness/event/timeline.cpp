#include "harness/event/timeline.hpp"

#include <algorithm>
#include <utility>

#include "harness/event/patient_wait.hpp"

namespace harness {

Timeline::Timeline(const rig::Clock& clock, EventSink* next, Limits limits)
    : clock_(clock), next_(next), limits_(limits) {}

void Timeline::take(Event event) {
    if (next_ != nullptr) {
        next_->take(event);
    }
    const std::size_t bytes = memory_size(event);
    {
        const std::lock_guard lock(mutex_);
        while (!events_.empty() &&
               (events_.size() >= limits_.events_max || bytes_ + bytes > limits_.bytes_max)) {
            drop_oldest();
        }
        events_.push_back(std::move(event));
        bytes_ += bytes;
    }
    changed_.notify_all();
}

void Timeline::drop_oldest() {
    bytes_ -= memory_size(events_[0]);
    events_.pop_front();
    ++begin_;
}

bool Timeline::has_room() const {
    return next_ == nullptr || next_->has_room();
}

Cursor Timeline::end() const {
    const std::lock_guard lock(mutex_);
    return begin_ + events_.size();
}

Timeline::Slice Timeline::since(Cursor cursor, std::size_t events_max) const {
    const std::lock_guard lock(mutex_);
    Slice slice;
    const Cursor end = begin_ + events_.size();
    const Cursor from = std::clamp(cursor, begin_, end);
    slice.dropped = from > cursor ? from - cursor : 0;
    const auto count = std::min<std::size_t>(events_max, end - from);
    slice.events.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        slice.events.push_back(events_[from - begin_ + i]);
    }
    slice.next = from + count;
    return slice;
}

bool Timeline::wait(Cursor cursor, rig::Deadline deadline,
                    const std::function<bool(const Event&)>& found,
                    const std::function<bool()>& interrupted) const {
    std::unique_lock lock(mutex_);
    return wait_patiently(changed_, lock, clock_, deadline, interrupted, [&] {
        for (cursor = std::max(cursor, begin_); cursor < begin_ + events_.size(); ++cursor) {
            if (found(events_[cursor - begin_])) {
                return true;
            }
        }
        return false;
    });
}

}  // namespace harness
