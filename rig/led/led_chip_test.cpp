// An LED on a chip of the kernel's gpio-sim: what the board does with it is judged by the kernel's
// timestamps.
#include "rig/led/led.hpp"

#include <thread>

#include "rig/led/led_window.hpp"
#include "rig/line/chip_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using rig::Level;

class LedChipTest : public rig::testing::ChipTest {
  protected:
    /// The board changes its LED `count` times, `gap` apart, and the rig sees each change.
    std::vector<rig::Edge> blink(int count, std::chrono::nanoseconds gap) {
        std::vector<rig::Edge> edges;
        const auto begin_ns = clock_.monotonic_ns();
        for (int i = 0; i < count; ++i) {
            while (clock_.monotonic_ns() < begin_ns + i * gap.count()) {
                std::this_thread::sleep_for(1ms);
            }
            if (const auto edge = board_sets_led(i % 2 == 0 ? Level::high : Level::low)) {
                edges.push_back(*edge);
            }
        }
        return edges;
    }
};

TEST_F(LedChipTest, an_led_follows_its_line) {
    open();
    rig::Led led0(rig::Active::high, lines_->level(1));
    EXPECT_FALSE(led0.is_on());
    const auto edge = board_sets_led(Level::high);
    ASSERT_TRUE(edge);
    led0.take(*edge);
    EXPECT_TRUE(led0.is_on());
    EXPECT_EQ(led0.changed_ns(), edge->at_ns);
}

TEST_F(LedChipTest, a_blinking_board_is_seen_to_blink_and_not_to_stay) {
    open();
    const auto from_ns = clock_.monotonic_ns();
    const auto edges = blink(8, 100ms);
    ASSERT_EQ(edges.size(), 8U);
    const auto window = rig::led_window("led0", rig::led_edges(edges, rig::Active::high), false,
                                        from_ns, edges.back().at_ns);
    const auto verdict = rig::blinks(window, {.period = 200ms, .duty = 0.5, .tolerance = 0.3});
    EXPECT_EQ(verdict.answer, rig::LedAnswer::yes) << verdict.text;
    EXPECT_EQ(rig::blinks(window, {.period = 100ms}).answer, rig::LedAnswer::no);
    EXPECT_EQ(rig::stays(window, false).answer, rig::LedAnswer::no);
}

TEST_F(LedChipTest, a_board_that_does_nothing_stays_dark) {
    open();
    const auto from_ns = clock_.monotonic_ns();
    const auto edges = wait_for_edges(1, 200ms);
    const auto window = rig::led_window("led0", rig::led_edges(edges, rig::Active::high), false,
                                        from_ns, clock_.monotonic_ns());
    EXPECT_EQ(rig::stays(window, false).answer, rig::LedAnswer::yes);
}

}  // namespace
