// KernelStamps turns the kernel's receive timestamps, which are CLOCK_REALTIME, into the timeline's
// CLOCK_MONOTONIC. It measures the distance of the two clocks anew every second, by the tightest of
// several bracketed readings, so that a step of the wall clock does harm for a second at most. The
// clock must outlive it. Not thread-safe.
#pragma once

#include <cstdint>

#include "harness/event/event.hpp"
#include "rig/base/clock.hpp"

namespace harness {

/// When something was received, and whose word that is.
struct ReceiveStamp {
    TimestampNs at_ns = 0;
    StampSource source = StampSource::read;
};

class KernelStamps {
  public:
    static constexpr TimestampNs measured_every_ns = rig::ns_per_s;
    /// A converted stamp further in the past than this is not believed: the wall clock stepped.
    static constexpr TimestampNs age_max_ns = 60 * rig::ns_per_s;
    /// A stamp later than the read by up to this is the read's time: the wall clock may run faster
    /// than the monotonic one by half a millisecond a second, and is measured only so often.
    static constexpr TimestampNs ahead_max_ns = rig::ns_per_ms;

    explicit KernelStamps(const rig::Clock& clock);

    /// `kernel_ns` is SCM_TIMESTAMPNS in nanoseconds since 1970, 0: the kernel gave none.
    /// `last_kernel_ns` is the one of the read before on the same connection: a stamp equal to it
    /// may be older than the bytes and is marked so.
    [[nodiscard]] ReceiveStamp convert(std::int64_t kernel_ns, std::int64_t last_kernel_ns);

  private:
    void measure(TimestampNs now_ns);

    const rig::Clock& clock_;
    std::int64_t wall_minus_monotonic_ns_ = 0;
    TimestampNs measured_at_ns_ = 0;
};

}  // namespace harness
