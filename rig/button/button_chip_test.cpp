// A button on a chip of the kernel's gpio-sim: what the board feels of a press.
#include "rig/button/button.hpp"

#include <thread>

#include "rig/line/chip_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using rig::Level;
using ButtonChipTest = rig::testing::ChipTest;

TEST_F(ButtonChipTest, a_press_holds_the_line_low_for_as_long_as_it_says) {
    open();
    rig::Button button0(*lines_, 0);
    const auto asserted = button0.press("ideal", 50ms, clock_);
    EXPECT_EQ(board_reads_button(), Level::low);
    EXPECT_LE(asserted.before_ns, asserted.edge.at_ns);
    EXPECT_LE(asserted.edge.at_ns, asserted.after_ns);
    EXPECT_TRUE(button0.play(clock_.monotonic_ns()).empty() || !button0.is_pressing());
    while (clock_.monotonic_ns() < button0.due_ns()) {
        std::this_thread::sleep_for(1ms);
    }
    const auto edges = button0.play(clock_.monotonic_ns());
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_GE(edges[0].at_ns - asserted.after_ns, 50 * rig::ns_per_ms);
    EXPECT_EQ(board_reads_button(), Level::high);
}

TEST_F(ButtonChipTest, a_bouncing_press_drives_every_edge_of_its_train_and_ends_open) {
    open();
    rig::Button button0(*lines_, 0);
    const auto steps = rig::press_steps("tactile:seed=7", 10ms);
    const auto asserted = button0.press("tactile:seed=7", 10ms, clock_);
    std::vector<rig::Edge> edges{asserted.edge};
    while (button0.is_pressing()) {
        button0.play_train(clock_, edges);
    }
    ASSERT_EQ(edges.size(), steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        EXPECT_EQ(edges[i].level, steps[i].closed ? Level::low : Level::high);
        EXPECT_EQ(edges[i].seqno, i + 1);
        EXPECT_GE(edges[i].at_ns, asserted.before_ns + steps[i].after_ns);
    }
    EXPECT_EQ(board_reads_button(), Level::high);
}

TEST_F(ButtonChipTest, a_button_that_goes_while_it_presses_lets_go) {
    open();
    {
        rig::Button button0(*lines_, 0);
        static_cast<void>(button0.press("ideal", 1min, clock_));
        EXPECT_EQ(board_reads_button(), Level::low);
    }
    EXPECT_EQ(board_reads_button(), Level::high);
}

TEST_F(ButtonChipTest, a_chip_that_goes_during_a_press_is_a_rig_error_and_ends_the_press) {
    open();
    rig::Button button0(*lines_, 0);
    static_cast<void>(button0.press("ideal", 1ms, clock_));
    sim_->unplug();
    EXPECT_THAT(rig::testing::thrown_by<rig::RigError>([&] {
                    static_cast<void>(button0.play(clock_.monotonic_ns() + rig::ns_per_s));
                }),
                ::testing::HasSubstr("was unplugged"));
    EXPECT_FALSE(button0.is_pressing());
}

}  // namespace
