// The rig's measurement of itself on a bench: a firmware that carries levels from button to LED
// stands for the wire.
#include "harness/bench/bench_fixture.hpp"

namespace {

using namespace harness;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Le;

class BenchLoopbackTest : public BenchTest {
  protected:
    void expect_that_the_board_feels_its_button_released() {
        bench_->close();
        std::vector<std::string> of_the_button;
        for (const std::string& line : board_saw()) {
            if (line.starts_with("pin 0 ")) {
                of_the_button.push_back(line);
            }
        }
        ASSERT_THAT(of_the_button, Contains("pin 0 low"));
        EXPECT_EQ(of_the_button.back(), "pin 0 high");
    }
};

TEST_F(BenchLoopbackTest, every_setting_of_the_button_is_compared_with_the_leds_edge) {
    open(options(WWEP_JUMPER));
    std::vector<std::size_t> told;
    const auto report =
        bench_->measure_loopback("button0", "led0", 301, [&told](std::size_t settings_done) {
            told.push_back(settings_done);
            return false;
        });
    EXPECT_EQ(report.samples + report.missed, 301U);
    EXPECT_GT(report.samples, 0U);
    EXPECT_GT(report.set_call.p50_ns, 0);
    EXPECT_GT(report.set_to_edge.p50_ns, 0);
    EXPECT_GT(report.edge_to_read.p50_ns, 0);
    EXPECT_THAT(told, Each(Le(301U)));
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.back(), 301U);
    expect_that_the_board_feels_its_button_released();
}

TEST_F(BenchLoopbackTest, a_measurement_that_is_broken_off_lets_go_of_the_button_at_once) {
    constexpr std::size_t far_too_many = 100'000'000;
    open(options(WWEP_JUMPER));
    const auto report = bench_->measure_loopback("button0", "led0", far_too_many,
                                                 [](std::size_t /*done*/) { return true; });
    EXPECT_GT(report.samples, 0U);
    EXPECT_LT(report.samples, far_too_many);
    EXPECT_GT(bench_->measure_loopback("button0", "led0", 1, nullptr).samples, 0U)
        << "it may be begun again";
    expect_that_the_board_feels_its_button_released();
}

TEST_F(BenchLoopbackTest, buttons_that_are_released_meanwhile_end_the_measurement) {
    open(options(WWEP_JUMPER));
    EXPECT_THROW(static_cast<void>(bench_->measure_loopback("button0", "led0", 100'000'000,
                                                            [this](std::size_t /*done*/) {
                                                                bench_->release_buttons();
                                                                return false;
                                                            })),
                 rig::RigError);
    expect_that_the_board_feels_its_button_released();
}

TEST_F(BenchLoopbackTest, a_pair_that_cannot_be_measured_is_named_and_leaves_the_button_free) {
    open(options(WWEP_JUMPER));
    const auto measure = [this](const std::string& button, const std::string& led) {
        try {
            static_cast<void>(bench_->measure_loopback(button, led, 10, nullptr));
        } catch (const std::exception& error) {
            return std::string(error.what());
        }
        return std::string("(nothing)");
    };
    EXPECT_THAT(measure("button7", "led0"), HasSubstr("no button \"button7\""));
    EXPECT_THAT(measure("button0", "led7"), HasSubstr("no LED \"led7\""));
    EXPECT_THAT(measure("button0", "led1"), AllOf(HasSubstr("led1 does not follow button0"),
                                                  HasSubstr("; wire them together")));
    EXPECT_EQ(measure("button0", "led0"), "(nothing)");
    expect_that_the_board_feels_its_button_released();
}

}  // namespace
