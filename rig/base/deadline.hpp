// Deadline is a point in time that a wait must not pass. It travels down the stack in place of a
// timeout, so that nested waits share one budget. A plain value. earliest_ns() is for whoever has
// several things to do at times of their own.
#pragma once

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <limits>

#include "rig/base/clock.hpp"

namespace rig {

class Deadline {
  public:
    /// A deadline that never comes.
    [[nodiscard]] static Deadline never() {
        return Deadline(std::numeric_limits<TimestampNs>::max());
    }
    /// `timeout` from now; 0 or negative has passed already.
    [[nodiscard]] static Deadline after(const Clock& clock, std::chrono::nanoseconds timeout) {
        return Deadline(clock.monotonic_ns() + timeout.count());
    }

    [[nodiscard]] TimestampNs at_ns() const { return at_ns_; }
    [[nodiscard]] bool has_passed(const Clock& clock) const {
        return clock.monotonic_ns() >= at_ns_;
    }
    /// What is left, never negative.
    [[nodiscard]] std::chrono::nanoseconds left(const Clock& clock) const {
        return std::chrono::nanoseconds(std::max<TimestampNs>(0, at_ns_ - clock.monotonic_ns()));
    }

  private:
    explicit Deadline(TimestampNs at_ns) : at_ns_(at_ns) {}
    TimestampNs at_ns_;
};

/// The earliest of these times, of which 0 never comes; 0: none does.
[[nodiscard]] constexpr TimestampNs earliest_ns(std::initializer_list<TimestampNs> times) {
    TimestampNs earliest = 0;
    for (const TimestampNs each : times) {
        if (earliest == 0 || (each != 0 && each < earliest)) {
            earliest = each;
        }
    }
    return earliest;
}

}  // namespace rig
