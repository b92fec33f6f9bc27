#include "time_base.h"

#include <gtest/gtest.h>

namespace {

constexpr uint64_t wrap_cycles = uint64_t{1} << 24;

TEST(TimeBase, CountsUpWhileTheCounterCountsDown) {
    EXPECT_EQ(time_base_cycles(0, false, TIME_BASE_COUNTER_MAX), 0u);
    EXPECT_EQ(time_base_cycles(0, false, TIME_BASE_COUNTER_MAX - 5), 5u);
    EXPECT_EQ(time_base_cycles(0, false, 0), wrap_cycles - 1);
}

TEST(TimeBase, GoesOnWithoutAStepWhereTheCounterWraps) {
    const uint64_t before = time_base_cycles(7, false, 0);

    EXPECT_EQ(time_base_cycles(8, false, TIME_BASE_COUNTER_MAX), before + 1);
}

TEST(TimeBase, KnowsOfAWrapWhoseHandlerHasNotRunYet) {
    EXPECT_EQ(time_base_cycles(7, true, TIME_BASE_COUNTER_MAX - 3),
              time_base_cycles(8, false, TIME_BASE_COUNTER_MAX - 3));
}

TEST(TimeBase, DoesNotOverflowInTheLastOfItsWraps) {
    EXPECT_EQ(time_base_cycles(UINT32_MAX, true, TIME_BASE_COUNTER_MAX), uint64_t{1} << 56);
    EXPECT_EQ(time_base_ns(uint64_t{1} << 56), (uint64_t{1} << 56) * 20);
}

TEST(TimeBase, ASecondIsASecond) {
    EXPECT_EQ(time_base_ns(TIME_BASE_HZ), 1'000'000'000u);
}

TEST(TimeBase, TheTimerNeverFiresBeforeItsMoment) {
    EXPECT_EQ(time_base_timer_cycles(1000, 1020, 50), 1u);
    EXPECT_EQ(time_base_timer_cycles(1000, 1021, 50), 2u);
    EXPECT_EQ(time_base_timer_cycles(1000, 1041, 50), 3u);
}

TEST(TimeBase, TheTimerFiresAtOnceForWhatIsPastAndEarlyForWhatIsFar) {
    EXPECT_EQ(time_base_timer_cycles(1000, 1000, 50), 1u);
    EXPECT_EQ(time_base_timer_cycles(1000, 0, 50), 1u);
    EXPECT_EQ(time_base_timer_cycles(1000, UINT64_MAX - 100, TIME_BASE_HZ), TIME_BASE_HZ);
}

}  // namespace
