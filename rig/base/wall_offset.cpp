#include "rig/base/wall_offset.hpp"

#include <algorithm>
#include <limits>

namespace rig {
namespace {

constexpr int readings = 5;

}  // namespace

WallOffset::WallOffset(const Clock& clock) : clock_(clock) {
    measure(clock_.monotonic_ns());
}

std::optional<TimestampNs> WallOffset::monotonic_of(std::int64_t wall_ns, TimestampNs now_ns) {
    if (now_ns - measured_at_ns_ >= measured_every_ns) {
        measure(now_ns);
    }
    const TimestampNs at_ns = wall_ns - wall_minus_monotonic_ns_;
    if (at_ns > now_ns + ahead_max_ns || now_ns - at_ns > age_max_ns) {
        return std::nullopt;
    }
    return std::min(at_ns, now_ns);
}

void WallOffset::measure(TimestampNs now_ns) {
    TimestampNs tightest_ns = std::numeric_limits<TimestampNs>::max();
    for (int i = 0; i < readings; ++i) {
        const TimestampNs before_ns = clock_.monotonic_ns();
        const std::int64_t wall_ns = clock_.wall_ns();
        const TimestampNs bracket_ns = clock_.monotonic_ns() - before_ns;
        if (bracket_ns < tightest_ns) {
            tightest_ns = bracket_ns;
            wall_minus_monotonic_ns_ = wall_ns - (before_ns + bracket_ns / 2);
        }
    }
    measured_at_ns_ = now_ns;
}

}  // namespace rig
