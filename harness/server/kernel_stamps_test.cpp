#include "harness/server/kernel_stamps.hpp"

#include <gtest/gtest.h>

namespace {

using harness::StampSource;

/// A wall clock that is a fixed distance ahead of the monotonic one, until it steps.
class SteppingClock final : public rig::Clock {
  public:
    [[nodiscard]] rig::TimestampNs monotonic_ns() const override { return now_ns; }
    [[nodiscard]] std::int64_t wall_ns() const override { return now_ns + ahead_ns; }
    rig::TimestampNs now_ns = 100 * rig::ns_per_s;
    std::int64_t ahead_ns = 1'700'000'000 * rig::ns_per_s;
};

class KernelStampsTest : public ::testing::Test {
  protected:
    SteppingClock clock_;
    harness::KernelStamps stamps_{clock_};
};

TEST_F(KernelStampsTest, a_wall_time_becomes_monotonic) {
    const auto stamp = stamps_.convert(clock_.wall_ns() - 5000, 0);
    EXPECT_EQ(stamp.at_ns, clock_.now_ns - 5000);
    EXPECT_EQ(stamp.source, StampSource::kernel);
}

TEST_F(KernelStampsTest, without_a_kernel_stamp_the_time_of_the_read_counts_and_says_so) {
    const auto stamp = stamps_.convert(0, 0);
    EXPECT_EQ(stamp.at_ns, clock_.now_ns);
    EXPECT_EQ(stamp.source, StampSource::read);
}

TEST_F(KernelStampsTest, a_stamp_equal_to_the_one_before_is_marked_stale) {
    const auto kernel_ns = clock_.wall_ns() - 5000;
    EXPECT_EQ(stamps_.convert(kernel_ns, kernel_ns).source, StampSource::kernel_stale);
}

TEST_F(KernelStampsTest, a_stamp_just_after_the_read_is_the_reads_time_and_the_kernels) {
    const auto stamp = stamps_.convert(clock_.wall_ns() + rig::ns_per_ms, 0);
    EXPECT_EQ(stamp.at_ns, clock_.now_ns);
    EXPECT_EQ(stamp.source, StampSource::kernel);
}

TEST_F(KernelStampsTest, a_stamp_from_the_future_or_the_far_past_is_not_believed) {
    EXPECT_EQ(stamps_.convert(clock_.wall_ns() + rig::ns_per_ms + 1, 0).source, StampSource::read);
    EXPECT_EQ(stamps_.convert(clock_.wall_ns() - 61 * rig::ns_per_s, 0).source, StampSource::read);
}

TEST_F(KernelStampsTest, a_step_of_the_wall_clock_is_followed_within_a_second) {
    clock_.ahead_ns += 3600 * rig::ns_per_s;
    clock_.now_ns += rig::ns_per_s;
    const auto stamp = stamps_.convert(clock_.wall_ns() - 5000, 0);
    EXPECT_EQ(stamp.at_ns, clock_.now_ns - 5000);
    EXPECT_EQ(stamp.source, StampSource::kernel);
}

}  // namespace
