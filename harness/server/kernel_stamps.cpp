#include "harness/server/kernel_stamps.hpp"

#include <algorithm>
#include <limits>

namespace harness {
namespace {

constexpr int readings = 5;

}  // namespace

KernelStamps::KernelStamps(const rig::Clock& clock) : clock_(clock) {
    measure(clock_.monotonic_ns());
}

ReceiveStamp KernelStamps::convert(std::int64_t kernel_ns, std::int64_t last_kernel_ns) {
    const TimestampNs now_ns = clock_.monotonic_ns();
    if (now_ns - measured_at_ns_ >= measured_every_ns) {
        measure(now_ns);
    }
    if (kernel_ns == 0) {
        return {.at_ns = now_ns, .source = StampSource::read};
    }
    const TimestampNs at_ns = kernel_ns - wall_minus_monotonic_ns_;
    if (at_ns > now_ns + ahead_max_ns || now_ns - at_ns > age_max_ns) {
        return {.at_ns = now_ns, .source = StampSource::read};
    }
    return {
        .at_ns = std::min(at_ns, now_ns),
        .source = kernel_ns == last_kernel_ns ? StampSource::kernel_stale : StampSource::kernel};
}

void KernelStamps::measure(TimestampNs now_ns) {
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

}  // namespace harness
