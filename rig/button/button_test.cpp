#include "rig/button/button.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "rig/base/errors.hpp"
#include "rig/line/wire_lines.hpp"

namespace {

using namespace std::chrono_literals;
using rig::Level;

/// A clock that goes on by a microsecond each time it is read: waiting for it costs no time.
class TickingClock final : public rig::Clock {
  public:
    [[nodiscard]] rig::TimestampNs monotonic_ns() const override { return now_ns_ += 1000; }
    [[nodiscard]] std::int64_t wall_ns() const override { return now_ns_; }

  private:
    mutable rig::TimestampNs now_ns_ = rig::ns_per_s;
};

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

class ButtonTrainTest : public ButtonTest {
  protected:
    /// Plays until nothing is left to wait for closely.
    std::vector<rig::Edge> play() {
        std::vector<rig::Edge> edges;
        button_.play_train(ticking_, edges);
        return edges;
    }
    /// Lets the time pass until the button wants to be played again.
    void sleep_until_woken() {
        while (ticking_.monotonic_ns() < button_.wake_ns()) {
        }
    }
    /// Plays a whole press as a loop does. Returns its edges, the first one included.
    std::vector<rig::Edge> play_whole(std::string_view profile, std::chrono::nanoseconds hold) {
        const auto asserted = button_.press(profile, hold, ticking_);
        std::vector<rig::Edge> edges{asserted.edge};
        began_ns_ = asserted.after_ns;
        while (button_.is_pressing()) {
            button_.play_train(ticking_, edges);
            if (button_.is_pressing()) {
                sleep_until_woken();
            }
        }
        return edges;
    }

    TickingClock ticking_;
    rig::WireLines timed_lines_{{{.name = "button0",
                                  .chip = "",
                                  .line = "0",
                                  .direction = rig::Direction::output,
                                  .active = rig::Active::low}},
                                ticking_};
    rig::UniqueFd timed_board_ = timed_lines_.plug();
    rig::Button button_{timed_lines_, 0};
    rig::TimestampNs began_ns_ = 0;
};

TEST_F(ButtonTrainTest, every_edge_of_a_train_is_driven_when_its_time_has_come) {
    for (const std::string profile : {"tactile:seed=7", "worn:seed=3", "glitch:50us"}) {
        const auto steps = rig::press_steps(profile, 40ms);
        const auto edges = play_whole(profile, 40ms);
        ASSERT_EQ(edges.size(), steps.size());
        for (std::size_t i = 1; i < steps.size(); ++i) {
            EXPECT_EQ(edges[i].level, steps[i].closed ? Level::low : Level::high);
            const auto late_ns = edges[i].at_ns - began_ns_ - steps[i].after_ns;
            EXPECT_GE(late_ns, 0) << profile << " edge " << i << " came early";
            EXPECT_LE(late_ns, 5'000) << profile << " edge " << i << " came late";
            EXPECT_EQ(edges[i].seqno, edges[i - 1].seqno + 1);
        }
    }
}

TEST_F(ButtonTrainTest, a_release_far_away_is_left_to_the_callers_timer) {
    static_cast<void>(button_.press("ideal", 30ms, ticking_));
    EXPECT_TRUE(play().empty());
    EXPECT_EQ(button_.wake_ns(), button_.due_ns()) << "nothing to wait for with the clock in hand";
}

TEST_F(ButtonTrainTest, a_step_close_by_asks_to_be_woken_before_it) {
    static_cast<void>(button_.press("glitch:900us", 30ms, ticking_));
    EXPECT_TRUE(play().empty()) << "0.9 ms is too long to spin";
    EXPECT_EQ(button_.wake_ns(), *button_.due_ns() - rig::Button::spin_max.count());
    sleep_until_woken();
    EXPECT_EQ(play().size(), 1U);
    EXPECT_FALSE(button_.is_pressing());
}

TEST_F(ButtonTrainTest, a_long_train_gives_the_loop_its_turn) {
    static_cast<void>(button_.press("worn:seed=3", 40ms, ticking_));
    for (int turn = 0; turn < 3; ++turn) {
        sleep_until_woken();
        const auto began_ns = ticking_.monotonic_ns();
        EXPECT_FALSE(play().empty());
        EXPECT_LE(ticking_.monotonic_ns() - began_ns, (rig::Button::turn_max + 100us).count());
        EXPECT_TRUE(button_.is_pressing());
    }
}

TEST_F(ButtonTest, a_step_that_comes_much_too_late_moves_those_behind_it) {
    const auto steps = rig::press_steps("worn:seed=3", 40ms);
    static_cast<void>(button_.press("worn:seed=3", 40ms, clock_));
    constexpr rig::TimestampNs stall_ns = 75'000'000;

    rig::TimestampNs due_ns = *button_.due_ns();
    EXPECT_EQ(button_.play(due_ns + stall_ns).size(), 1U) << "the rest was squeezed behind it";
    for (std::size_t i = 2; i < steps.size(); ++i) {
        EXPECT_EQ(button_.due_ns(), 1000 + stall_ns + steps[i].after_ns);
        due_ns = *button_.due_ns();
        EXPECT_EQ(button_.play(due_ns + 1000).size(), 1U) << "a little late moves nothing";
    }
    EXPECT_FALSE(button_.is_pressing());
}

TEST_F(ButtonTrainTest, edges_before_a_line_fails_are_kept) {
    static_cast<void>(button_.press("tactile:seed=7", 30ms, ticking_));
    std::vector<rig::Edge> edges;
    while (edges.empty()) {
        button_.play_train(ticking_, edges);
        sleep_until_woken();
    }
    const std::size_t edges_before = edges.size();
    const std::array<std::uint8_t, 24> nonsense{9, 0, 0, 1};
    ASSERT_EQ(::send(timed_board_.get(), nonsense.data(), nonsense.size(), 0), 24);
    std::vector<rig::Edge> of_board;
    static_cast<void>(timed_lines_.read_edges(of_board));
    const auto play_on = [&] {
        while (button_.is_pressing()) {
            sleep_until_woken();
            button_.play_train(ticking_, edges);
        }
    };
    EXPECT_THROW(play_on(), rig::RigError);
    EXPECT_EQ(edges.size(), edges_before);
}

}  // namespace
