#include "rig/line/loopback.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <optional>
#include <utility>

#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using rig::Level;
using ::testing::HasSubstr;

/// A jumper from line 0 to line 1: setting takes 10 us, the stamp comes 3 us after that.
class JumperLines final : public rig::Lines {
  public:
    explicit JumperLines(rig::ManualClock& clock) : clock_(clock) {}

    [[nodiscard]] std::span<const rig::LineSpec> specs() const override { return specs_; }
    [[nodiscard]] std::vector<int> descriptors() const override { return {7}; }
    [[nodiscard]] bool read_edges(std::vector<rig::Edge>& edges) override {
        if (waiting_) {
            edges.push_back(*std::exchange(waiting_, std::nullopt));
        }
        return false;
    }
    [[nodiscard]] rig::Edge drive(std::uint32_t line, Level level) override {
        clock_.advance_ns(10'000);
        level_ = level;
        ++seqno_;
        if (seqno_ > deaf_until_) {
            waiting_ = rig::Edge{
                .at_ns = clock_.monotonic_ns() + 3'000, .seqno = seqno_, .line = 1, .level = level};
        }
        return {.at_ns = clock_.monotonic_ns(),
                .seqno = seqno_,
                .line = line,
                .level = level,
                .source = rig::EdgeSource::rig};
    }
    void release(std::uint32_t /*line*/) noexcept override { was_released_ = true; }
    [[nodiscard]] Level level(std::uint32_t /*line*/) const override { return level_; }
    [[nodiscard]] std::uint64_t edges_lost() const override { return 0; }
    [[nodiscard]] bool is_connected() const override { return true; }

    void be_deaf_to(std::uint64_t settings) { deaf_until_ = settings; }
    [[nodiscard]] bool was_released() const { return was_released_; }

  private:
    rig::ManualClock& clock_;
    std::array<rig::LineSpec, 2> specs_{
        rig::LineSpec{.name = "button0", .direction = rig::Direction::output},
        rig::LineSpec{.name = "led0"}};
    std::optional<rig::Edge> waiting_;
    Level level_ = Level::high;
    std::uint64_t seqno_ = 0;
    std::uint64_t deaf_until_ = 0;
    bool was_released_ = false;
};

class LoopbackTest : public ::testing::Test {
  protected:
    rig::LoopbackReport measure(std::size_t samples) {
        rig::Loopback loopback(lines_, clock_, {.output = 0, .input = 1, .samples = samples});
        while (!loopback.is_done()) {
            loopback.measure_for(1ms, wait_);
        }
        return loopback.report();
    }
    rig::WaitReadable wait_ = [this](std::span<const int>, std::chrono::nanoseconds left) {
        clock_.advance_ns(left.count());
        return false;
    };

    rig::ManualClock clock_;
    JumperLines lines_{clock_};
};

TEST(LoopbackSpread, percentiles_are_values_that_occurred) {
    std::vector<std::int64_t> durations(100);
    std::iota(durations.begin(), durations.end(), 1);
    std::swap(durations.front(), durations.back());
    EXPECT_EQ(rig::spread_of(durations),
              (rig::Spread{.p50_ns = 50, .p99_ns = 99, .max_ns = 100, .jitter_ns = 99}));
    EXPECT_EQ(rig::spread_of({7}),
              (rig::Spread{.p50_ns = 7, .p99_ns = 7, .max_ns = 7, .jitter_ns = 0}));
    EXPECT_EQ(rig::spread_of({}), rig::Spread{});
}

TEST(LoopbackSpread, a_report_takes_each_duration_from_its_own_two_stamps) {
    const std::array<rig::LoopbackSample, 2> samples{
        rig::LoopbackSample{.before_ns = 100, .after_ns = 110, .edge_ns = 105, .read_ns = 200},
        rig::LoopbackSample{.before_ns = 300, .after_ns = 312, .edge_ns = 320, .read_ns = 350}};
    const auto report = rig::loopback_report(samples, 4);
    EXPECT_EQ(report.samples, 2U);
    EXPECT_EQ(report.missed, 4U);
    EXPECT_EQ(report.set_call,
              (rig::Spread{.p50_ns = 10, .p99_ns = 12, .max_ns = 12, .jitter_ns = 2}));
    EXPECT_EQ(report.set_to_edge,
              (rig::Spread{.p50_ns = 5, .p99_ns = 20, .max_ns = 20, .jitter_ns = 15}));
    EXPECT_EQ(report.edge_to_read,
              (rig::Spread{.p50_ns = 30, .p99_ns = 95, .max_ns = 95, .jitter_ns = 65}));
}

TEST_F(LoopbackTest, every_setting_is_answered_by_its_own_edge) {
    const auto report = measure(50);
    EXPECT_EQ(report.samples, 50U);
    EXPECT_EQ(report.missed, 0U);
    EXPECT_EQ(report.set_call.max_ns, 10'000);
    EXPECT_EQ(report.set_to_edge.p50_ns, 13'000);
    EXPECT_EQ(report.set_to_edge.jitter_ns, 0);
    EXPECT_TRUE(lines_.was_released());
}

TEST_F(LoopbackTest, a_slice_ends_in_time_and_the_next_goes_on) {
    {
        rig::Loopback loopback(lines_, clock_, {.output = 0, .input = 1, .samples = 5});
        loopback.measure_for(25us, wait_);  // each setting takes 10
        EXPECT_EQ(loopback.settings_done(), 3U);
        EXPECT_FALSE(loopback.is_done());
        EXPECT_EQ(loopback.report().samples, 3U);
        loopback.measure_for(1s, wait_);
        EXPECT_TRUE(loopback.is_done());
        EXPECT_EQ(loopback.settings_done(), 5U);
        EXPECT_FALSE(lines_.was_released());
    }
    EXPECT_TRUE(lines_.was_released());
}

TEST_F(LoopbackTest, a_slice_waits_for_no_more_than_one_setting_that_goes_unanswered) {
    lines_.be_deaf_to(2);
    rig::Loopback loopback(lines_, clock_, {.output = 0, .input = 1, .samples = 5});
    loopback.measure_for(1ms, wait_);
    EXPECT_EQ(loopback.settings_done(), 1U);
}

TEST_F(LoopbackTest, a_wire_that_answers_late_is_counted_and_one_that_is_missing_is_named) {
    lines_.be_deaf_to(2);
    EXPECT_EQ(measure(10).missed, 2U);
    lines_.be_deaf_to(1000);
    try {
        static_cast<void>(measure(10));
        FAIL() << "nothing is wired";
    } catch (const rig::RigError& error) {
        EXPECT_THAT(error.what(), HasSubstr("led0 does not follow button0; wire them together"));
    }
    EXPECT_TRUE(lines_.was_released());
}

}  // namespace
