// Clock is where every timestamp of the rig comes from: nothing else reads the time. SystemClock
// is the machine's; tests hand in a ManualClock. All timestamps are CLOCK_MONOTONIC nanoseconds,
// which is the clock that the kernel stamps GPIO edges with. Any thread may read a clock.
#pragma once

#include <atomic>
#include <cstdint>

namespace rig {

/// CLOCK_MONOTONIC, nanoseconds. 0 stands for "never" where a value can be missing.
using TimestampNs = std::int64_t;

constexpr TimestampNs ns_per_us = 1'000;
constexpr TimestampNs ns_per_ms = 1'000'000;
constexpr TimestampNs ns_per_s = 1'000'000'000;

class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimestampNs monotonic_ns() const = 0;
    /// CLOCK_REALTIME, nanoseconds since 1970, for people and for converting kernel stamps only.
    [[nodiscard]] virtual std::int64_t wall_ns() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] TimestampNs monotonic_ns() const override;
    [[nodiscard]] std::int64_t wall_ns() const override;
};

/// A clock that stands still until it is told otherwise, for tests.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(TimestampNs now_ns = ns_per_s) : now_ns_(now_ns) {}
    [[nodiscard]] TimestampNs monotonic_ns() const override { return now_ns_; }
    [[nodiscard]] std::int64_t wall_ns() const override { return now_ns_; }
    void advance_ns(TimestampNs by_ns) { now_ns_ += by_ns; }

  private:
    std::atomic<TimestampNs> now_ns_;
};

}  // namespace rig
