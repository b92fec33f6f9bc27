// KernelStamps turns the kernel's receive timestamps, which are CLOCK_REALTIME, into the timeline's
// CLOCK_MONOTONIC. The clock must outlive it. Not thread-safe.
#pragma once

#include <cstdint>

#include "harness/event/event.hpp"
#include "rig/base/clock.hpp"
#include "rig/base/wall_offset.hpp"

namespace harness {

/// When something was received, and whose word that is.
struct ReceiveStamp {
    TimestampNs at_ns = 0;
    StampSource source = StampSource::read;
};

class KernelStamps {
  public:
    static constexpr TimestampNs measured_every_ns = rig::WallOffset::measured_every_ns;
    static constexpr TimestampNs age_max_ns = rig::WallOffset::age_max_ns;
    static constexpr TimestampNs ahead_max_ns = rig::WallOffset::ahead_max_ns;

    explicit KernelStamps(const rig::Clock& clock) : clock_(clock), offset_(clock) {}

    /// `kernel_ns` is SCM_TIMESTAMPNS in nanoseconds since 1970, 0: the kernel gave none.
    /// `last_kernel_ns` is the one of the read before on the same connection: a stamp equal to it
    /// may be older than the bytes and is marked so.
    [[nodiscard]] ReceiveStamp convert(std::int64_t kernel_ns, std::int64_t last_kernel_ns);

  private:
    const rig::Clock& clock_;
    rig::WallOffset offset_;
};

}  // namespace harness
