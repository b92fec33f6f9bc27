#include "rig/button/button.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "rig/base/errors.hpp"
#include "rig/line/wire_lines.hpp"

namespace {

using namespace std::chrono_literals;
using rig::Level;

class ButtonTest : public ::testing::Test {
  protected:
    void SetUp() override { board_ = lines_.plug(); }

    /// Level bytes of the drive records that the board was sent: 0 low, 2 released.
    std::vector<int> board_heard() {
        std::vector<int> levels;
        std::array<std::uint8_t, 24> record{};
        while (::recv(board_.get(), record.data(), record.size(), MSG_DONTWAIT) == 24) {
            levels.push_back(record[2]);
        }
        return levels;
    }

    rig::ManualClock clock_{1000};
    rig::WireLines lines_{{{.name = "button0",
                            .chip = "",
                            .line = "0",
                            .direction = rig::Direction::output,
                            .active = rig::Active::low}},
                          clock_};
    rig::UniqueFd board_;
    rig::Button button_{lines_, 0};
};

TEST_F(ButtonTest, a_press_asserts_now_and_releases_when_its_time_has_come) {
    const auto asserted = button_.press("ideal", 30ms, clock_);
    EXPECT_EQ(asserted.before_ns, 1000);
    EXPECT_EQ(asserted.edge.level, Level::low);
    EXPECT_EQ(board_heard(), std::vector<int>{0});

    EXPECT_EQ(button_.due_ns(), 1000 + 30'000'000);
    EXPECT_TRUE(button_.play(30'000'999).empty());
    EXPECT_TRUE(button_.is_pressing());

    const auto edges = button_.play(30'001'000);
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].level, Level::high);
    EXPECT_EQ(board_heard(), std::vector<int>{2});
    EXPECT_FALSE(button_.is_pressing());
    EXPECT_FALSE(button_.due_ns());
}

TEST_F(ButtonTest, a_second_press_during_the_first_is_refused) {
    static_cast<void>(button_.press("ideal", 30ms, clock_));
    EXPECT_THROW(static_cast<void>(button_.press("ideal", 30ms, clock_)), rig::RigError);
}

TEST_F(ButtonTest, release_ends_a_press_at_once) {
    static_cast<void>(button_.press("ideal", 30ms, clock_));
    button_.release();
    EXPECT_FALSE(button_.is_pressing());
    EXPECT_EQ(board_heard(), (std::vector<int>{0, 2}));
}

TEST_F(ButtonTest, going_away_lets_go_of_the_line) {
    {
        rig::Button other(lines_, 0);
        static_cast<void>(other.press("ideal", 30ms, clock_));
    }
    EXPECT_EQ(board_heard(), (std::vector<int>{0, 2}));
}

TEST_F(ButtonTest, an_unknown_profile_or_hold_is_refused_before_anything_is_driven) {
    EXPECT_THROW(static_cast<void>(button_.press("crisp", 30ms, clock_)), rig::NoBench);
    EXPECT_THROW(static_cast<void>(button_.press("ideal", 0ms, clock_)), rig::NoBench);
    EXPECT_THROW(static_cast<void>(button_.press("ideal", 1h, clock_)), rig::NoBench);
    EXPECT_TRUE(board_heard().empty());
}

TEST_F(ButtonTest, a_press_without_a_board_is_a_press_that_nobody_feels) {
    lines_.unplug();
    EXPECT_EQ(button_.press("ideal", 30ms, clock_).edge.seqno, 1U);
    EXPECT_TRUE(button_.is_pressing());
}

}  // namespace
