// WallOffset turns stamps of CLOCK_REALTIME (the kernel's of received bytes, QEMU's of its log)
// into the timeline's CLOCK_MONOTONIC. It measures the distance of the two clocks anew every
// second, by the tightest of several bracketed readings, so that a step of the wall clock does harm
// for a second at most. The clock must outlive it. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "rig/base/clock.hpp"

namespace rig {

class WallOffset {
  public:
    static constexpr TimestampNs measured_every_ns = ns_per_s;
    /// A converted stamp further in the past than this is not believed: the wall clock stepped.
    static constexpr TimestampNs age_max_ns = 60 * ns_per_s;
    /// A stamp later than now by up to this is now: the wall clock may run faster than the
    /// monotonic one by half a millisecond a second, and is measured only so often.
    static constexpr TimestampNs ahead_max_ns = ns_per_ms;

    explicit WallOffset(const Clock& clock);

    /// `wall_ns`, nanoseconds since 1970, as a time not later than `now_ns`, which is the clock's.
    /// Nothing: it is not to be believed.
    [[nodiscard]] std::optional<TimestampNs> monotonic_of(std::int64_t wall_ns, TimestampNs now_ns);

  private:
    void measure(TimestampNs now_ns);

    const Clock& clock_;
    std::int64_t wall_minus_monotonic_ns_ = 0;
    TimestampNs measured_at_ns_ = 0;
};

}  // namespace rig
