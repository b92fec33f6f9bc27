#include "rig/base/deadline.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

TEST(Deadline, passes_when_its_time_has_come_and_not_before) {
    rig::ManualClock clock;
    const auto deadline = rig::Deadline::after(clock, 10ms);
    clock.advance_ns(10 * rig::ns_per_ms - 1);
    EXPECT_FALSE(deadline.has_passed(clock));
    EXPECT_EQ(deadline.left(clock), 1ns);
    clock.advance_ns(1);
    EXPECT_TRUE(deadline.has_passed(clock));
}

TEST(Deadline, never_has_less_than_nothing_left) {
    rig::ManualClock clock;
    const auto deadline = rig::Deadline::after(clock, 1ms);
    clock.advance_ns(5 * rig::ns_per_ms);
    EXPECT_EQ(deadline.left(clock), 0ns);
}

TEST(Deadline, that_never_comes_does_not_pass) {
    rig::ManualClock clock;
    clock.advance_ns(rig::ns_per_s * 3600 * 24 * 365);
    EXPECT_FALSE(rig::Deadline::never().has_passed(clock));
}

TEST(EarliestNs, leaves_out_what_never_comes) {
    EXPECT_EQ(rig::earliest_ns({5, 0, 3, 4}), 3);
    EXPECT_EQ(rig::earliest_ns({0, 7}), 7);
    EXPECT_EQ(rig::earliest_ns({0, 0}), 0);
}

}  // namespace
