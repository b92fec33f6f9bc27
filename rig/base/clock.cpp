#include "rig/base/clock.hpp"

#include <ctime>

namespace rig {
namespace {

std::int64_t read_clock_ns(clockid_t id) {
    timespec now{};
    ::clock_gettime(id, &now);  // Cannot fail for the two clocks that are asked for here.
    return std::int64_t{now.tv_sec} * ns_per_s + now.tv_nsec;
}

}  // namespace

TimestampNs SystemClock::monotonic_ns() const {
    return read_clock_ns(CLOCK_MONOTONIC);
}

std::int64_t SystemClock::wall_ns() const {
    return read_clock_ns(CLOCK_REALTIME);
}

}  // namespace rig
