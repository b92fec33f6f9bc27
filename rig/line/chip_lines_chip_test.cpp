// ChipLines on a chip of the kernel's gpio-sim.
#include "rig/line/chip_lines.hpp"

#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <gpiod.hpp>
#include <thread>

#include "rig/line/chip_fixture.hpp"
#include "rig/line/tried_lines.hpp"

namespace {

using namespace std::chrono_literals;
using rig::ChipLines;
using rig::Level;
using rig::LineSpec;
using rig::NoBench;
using rig::RigError;
using rig::testing::button_on;
using rig::testing::ChipTest;
using rig::testing::GpioSim;
using rig::testing::led_on;
using rig::testing::quiet;
using rig::testing::thrown_by;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ChipLinesTest : public ChipTest {
  protected:
    [[nodiscard]] gpiod::line_info info(unsigned offset) const {
        return gpiod::chip(sim_->path()).get_line_info(offset);
    }
    /// Up, down, up...: edges that nobody reads meanwhile.
    void toggle(unsigned offset, std::size_t times) const {
        for (std::size_t i = 0; i < times; ++i) {
            sim_->pull(offset, i % 2 == 0 ? Level::high : Level::low);
            // Nothing but time tells that the simulator is done with an edge that nobody may read.
            std::this_thread::sleep_for(20ms);
        }
    }
    std::string trouble_opening(std::vector<LineSpec> specs) {
        return thrown_by<NoBench>([&] { open(std::move(specs)); });
    }
};

// Finding
// ------------------------------------------------------------------------------------------

TEST_F(ChipLinesTest, a_chip_is_found_by_path_label_and_name_and_a_line_by_number_and_name) {
    for (const std::string& chip : {sim_->path(), std::string("test-lines"), sim_->name()}) {
        for (const std::string line : {"3", "LED0"}) {
            open({led_on(chip, line)});
            ASSERT_TRUE(board_sets_led(opposite(lines_->level(0)))) << chip << " " << line;
            lines_.reset();
        }
    }
}

TEST_F(ChipLinesTest, a_chip_that_is_not_there_is_answered_with_those_that_are) {
    EXPECT_THAT(trouble_opening({led_on("no-such-chip", "3")}),
                AllOf(HasSubstr("line led0: no GPIO chip has the path, name or label "
                                "\"no-such-chip\""),
                      HasSubstr(sim_->path() + " \"test-lines\"")));
    EXPECT_THAT(trouble_opening({led_on("/dev/gpiochip99", "3")}),
                AllOf(HasSubstr("/dev/gpiochip99"), HasSubstr("No such file"),
                      HasSubstr(sim_->path() + " \"test-lines\"")));
}

TEST_F(ChipLinesTest, two_chips_with_one_label_are_to_be_told_apart_by_path) {
    const GpioSim other({.label = "test-lines"});
    EXPECT_THAT(trouble_opening({led_on("test-lines", "3")}),
                AllOf(HasSubstr("2 chips are called \"test-lines\""), HasSubstr(sim_->path()),
                      HasSubstr(other.path())));
}

TEST_F(ChipLinesTest, a_line_that_is_not_there_is_answered_with_those_that_are) {
    EXPECT_THAT(trouble_opening({led_on("test-lines", "8")}),
                AllOf(HasSubstr("line led0: "), HasSubstr("has lines 0 to 7, not 8")));
    EXPECT_THAT(trouble_opening({led_on("test-lines", "LED9")}),
                AllOf(HasSubstr("is called \"LED9\""), HasSubstr("BUTTON0, LED0, TWIN, TWIN")));
    EXPECT_THAT(trouble_opening({led_on("test-lines", "TWIN")}),
                AllOf(HasSubstr("lines 6, 7 of"),
                      HasSubstr("; say in the bench file which by its number")));
}

TEST_F(ChipLinesTest, two_entries_on_one_line_are_refused_however_they_are_spelt) {
    EXPECT_THAT(trouble_opening({button_on(sim_->path(), "3"), led_on("test-lines", "LED0")}),
                AllOf(HasSubstr("lines button0 and led0 are both on line 3 of " + sim_->name()),
                      HasSubstr("; give each a line of its own")));
}

TEST_F(ChipLinesTest, a_busy_line_names_who_holds_it) {
    ChipLines holder({led_on("test-lines", "3")}, clock_, {.consumer = "somebody else"});
    EXPECT_THAT(trouble_opening({led_on("test-lines", "0"), led_on("test-lines", "LED0")}),
                AllOf(HasSubstr("line led0 (line 3 of "),
                      HasSubstr("is held by \"somebody else\"; end that program")));
    EXPECT_THAT(trouble_opening({button_on("test-lines", "5")}),
                HasSubstr("is held by \"board-power\""));
}

// Inputs
// -------------------------------------------------------------------------------------------

TEST_F(ChipLinesTest, edges_both_ways_carry_the_kernels_time_and_numbers_from_one) {
    open();
    const auto before_ns = clock_.monotonic_ns();
    const auto rising = board_sets_led(Level::high);
    const auto between_ns = clock_.monotonic_ns();
    const auto falling = board_sets_led(Level::low);
    const auto after_ns = clock_.monotonic_ns();
    ASSERT_TRUE(rising && falling);
    EXPECT_EQ(rising->level, Level::high);
    EXPECT_EQ(rising->line, 1U);
    EXPECT_EQ(rising->seqno, 1U);
    EXPECT_EQ(rising->source, rig::EdgeSource::kernel);
    EXPECT_EQ(falling->level, Level::low);
    EXPECT_EQ(falling->seqno, 2U);
    EXPECT_LT(before_ns, rising->at_ns);
    EXPECT_LT(rising->at_ns, between_ns);
    EXPECT_LT(between_ns, falling->at_ns);
    EXPECT_LT(falling->at_ns, after_ns);
    EXPECT_EQ(lines_->level(1), Level::low);
    EXPECT_EQ(lines_->edges_lost(), 0U);
    EXPECT_TRUE(edges_within_quiet().empty());
}

TEST_F(ChipLinesTest, levels_are_electrical_whatever_is_active) {
    LineSpec spec = led_on("test-lines", "3");
    spec.active = rig::Active::low;
    sim_->pull(led, Level::high);
    open({spec});
    EXPECT_EQ(lines_->level(0), Level::high) << "read when it was requested";
    EXPECT_FALSE(info(led).active_low());
    EXPECT_EQ(board_sets_led(Level::low)->level, Level::low);
}

TEST_F(ChipLinesTest, a_bias_that_is_asked_for_is_set_and_none_is_left_alone) {
    sim_->pull(led, Level::high);
    open({led_on("test-lines", "3")});
    EXPECT_EQ(sim_->pulled(led), Level::high);
    lines_.reset();

    LineSpec spec = led_on("test-lines", "3");
    spec.bias = rig::Bias::pull_down;
    open({spec});
    EXPECT_EQ(sim_->pulled(led), Level::low);
    EXPECT_EQ(info(led).bias(), gpiod::line::bias::PULL_DOWN);
    lines_.reset();

    spec.bias = rig::Bias::pull_up;
    open({spec});
    EXPECT_EQ(sim_->pulled(led), Level::high);
    EXPECT_EQ(lines_->level(0), Level::high);
}

TEST_F(ChipLinesTest, a_debounced_line_shows_no_glitch_but_every_lasting_change) {
    LineSpec spec = led_on("test-lines", "3");
    spec.debounce_us = 20'000;
    open({spec});
    EXPECT_EQ(info(led).debounce_period(), 20ms);
    sim_->pull(led, Level::high);
    sim_->pull(led, Level::low);
    EXPECT_TRUE(edges_within_quiet().empty());
    ASSERT_TRUE(board_sets_led(Level::high));
    EXPECT_EQ(lines_->edges_lost(), 0U);
}

TEST_F(ChipLinesTest, edges_that_overrun_the_kernels_buffer_are_counted_as_lost) {
    constexpr std::size_t kept = 8;
    open({led_on("test-lines", "3")}, {.event_buffer_size = kept});
    toggle(led, 20);
    const auto edges = wait_for_edges(kept);
    ASSERT_EQ(edges.size(), kept);
    EXPECT_GT(edges.front().seqno, 1U) << "the oldest go";
    EXPECT_GE(lines_->edges_lost(), 1U);
    EXPECT_EQ(edges.back().seqno, kept + lines_->edges_lost());
    EXPECT_EQ(lines_->level(0), Level::low) << "the newest stay";
}

TEST_F(ChipLinesTest, edges_lost_by_a_line_that_then_is_silent_are_counted_and_counted_once) {
    constexpr std::size_t kept = 8;
    constexpr std::size_t lost = 4;
    constexpr unsigned other_led = 4;
    open({led_on("test-lines", "3"), led_on("test-lines", "4")}, {.event_buffer_size = kept});
    toggle(led, lost);
    toggle(other_led, kept);
    const auto edges = wait_for_edges(kept);
    ASSERT_EQ(edges.size(), kept);
    for (std::size_t i = 0; i < kept; ++i) {
        EXPECT_EQ(edges[i].line, 1U);
        EXPECT_EQ(edges[i].seqno, i + 1) << "this line missed nothing";
    }
    const auto deadline = rig::Deadline::after(clock_, rig::testing::patience);
    while (lines_->edges_lost() == 0 && !deadline.has_passed(clock_)) {
        static_cast<void>(rig::testing::wait_readable(lines_->descriptors(), 10ms));
    }
    EXPECT_EQ(lines_->edges_lost(), lost);
    const auto next = board_sets_led(Level::high);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->seqno, lost + 1) << "the line itself tells of the same loss";
    EXPECT_EQ(lines_->edges_lost(), lost);
    EXPECT_TRUE(wait_for_edges(1, rig::testing::quiet * 3).empty());
    EXPECT_EQ(lines_->edges_lost(), lost);
}

TEST_F(ChipLinesTest, edges_of_two_chips_come_oldest_first) {
    const GpioSim other({.label = "other"});
    open({led_on("test-lines", "3"), led_on("other", "1")});
    const int test_lines_inputs = lines_->descriptors().at(1);
    const int other_inputs = lines_->descriptors().at(3);
    other.pull(1, Level::high);
    ASSERT_TRUE(rig::testing::wait_readable({&other_inputs, 1}, rig::testing::patience));
    sim_->pull(led, Level::high);
    ASSERT_TRUE(rig::testing::wait_readable({&test_lines_inputs, 1}, rig::testing::patience));
    std::vector<rig::Edge> edges;
    static_cast<void>(lines_->read_edges(edges));
    ASSERT_EQ(edges.size(), 2U);
    EXPECT_EQ(edges[0].line, 1U);
    EXPECT_EQ(edges[1].line, 0U);
    lines_.reset();
}

// Outputs
// ------------------------------------------------------------------------------------------

TEST_F(ChipLinesTest, an_open_drain_button_pulls_low_and_lets_go) {
    open({button_on("test-lines", "2")}, {.consumer = "wwep-rig bench-1"});
    EXPECT_EQ(info(button).drive(), gpiod::line::drive::OPEN_DRAIN);
    EXPECT_EQ(info(button).consumer(), "wwep-rig bench-1");
    EXPECT_EQ(board_reads_button(), Level::high) << "opening a bench presses nothing";

    const auto before_ns = clock_.monotonic_ns();
    const rig::Edge pressed = lines_->drive(0, Level::low);
    const auto after_ns = clock_.monotonic_ns();
    EXPECT_EQ(board_reads_button(), Level::low) << "the board's pull must not win";
    EXPECT_EQ(pressed.level, Level::low);
    EXPECT_EQ(pressed.seqno, 1U);
    EXPECT_EQ(pressed.source, rig::EdgeSource::rig);
    EXPECT_LE(before_ns, pressed.at_ns);
    EXPECT_LE(pressed.at_ns, after_ns);

    EXPECT_EQ(lines_->drive(0, Level::low).seqno, 0U) << "it had that level";
    EXPECT_EQ(lines_->drive(0, Level::high).seqno, 2U);
    EXPECT_EQ(board_reads_button(), Level::high);
    sim_->pull(button, Level::low);
    EXPECT_EQ(sim_->value(button), Level::low) << "an open drain never drives high";
}

TEST_F(ChipLinesTest, an_open_source_button_pulls_high_and_lets_go) {
    LineSpec spec = button_on("test-lines", "2");
    spec.active = rig::Active::high;
    spec.drive = rig::Drive::open_source;
    sim_->pull(button, Level::low);
    open({spec});
    EXPECT_EQ(info(button).drive(), gpiod::line::drive::OPEN_SOURCE);
    EXPECT_EQ(lines_->level(0), Level::low);
    EXPECT_EQ(lines_->drive(0, Level::high).seqno, 1U);
    sim_->pull(button, Level::low);
    EXPECT_EQ(sim_->value(button), Level::high);
    EXPECT_EQ(lines_->drive(0, Level::low).seqno, 2U);
    sim_->pull(button, Level::high);
    EXPECT_EQ(sim_->value(button), Level::high) << "an open source never drives low";
}

TEST_F(ChipLinesTest, a_push_pull_line_is_an_input_until_it_is_driven) {
    LineSpec spec = button_on("test-lines", "2");
    spec.drive = rig::Drive::push_pull;
    open({spec});
    EXPECT_EQ(info(button).direction(), gpiod::line::direction::INPUT);
    EXPECT_EQ(lines_->drive(0, Level::high).seqno, 0U) << "no edge: it was at rest there";
    EXPECT_EQ(info(button).direction(), gpiod::line::direction::OUTPUT);
    sim_->pull(button, Level::low);
    EXPECT_EQ(sim_->value(button), Level::high) << "it drives both ways";
    EXPECT_EQ(lines_->drive(0, Level::low).seqno, 1U);
    EXPECT_EQ(board_reads_button(), Level::low);
}

TEST_F(ChipLinesTest, a_released_button_is_an_input_with_the_boards_pull_and_can_be_pressed_again) {
    open({button_on("test-lines", "2")});
    static_cast<void>(lines_->drive(0, Level::low));
    lines_->release(0);
    EXPECT_EQ(info(button).direction(), gpiod::line::direction::INPUT);
    EXPECT_TRUE(info(button).used()) << "it stays the rig's";
    EXPECT_EQ(sim_->pulled(button), Level::high);
    EXPECT_EQ(board_reads_button(), Level::high);
    EXPECT_EQ(lines_->drive(0, Level::high).seqno, 0U);

    EXPECT_EQ(lines_->drive(0, Level::low).seqno, 2U);
    EXPECT_EQ(info(button).drive(), gpiod::line::drive::OPEN_DRAIN);
    EXPECT_EQ(board_reads_button(), Level::low);
}

TEST_F(ChipLinesTest, an_input_refuses_to_be_driven) {
    open();
    EXPECT_EQ(thrown_by<RigError>([this] { static_cast<void>(lines_->drive(1, Level::high)); }),
              "line led0 is an input: the rig does not drive it; drive another line, or set "
              "lines.led0.direction = \"output\" in the bench file");
}

// Safe state
// ---------------------------------------------------------------------------------------

TEST_F(ChipLinesTest, going_away_frees_every_line_and_lets_go_of_buttons) {
    open();
    static_cast<void>(lines_->drive(0, Level::low));
    lines_.reset();
    EXPECT_FALSE(info(button).used());
    EXPECT_FALSE(info(led).used());
    EXPECT_EQ(info(button).direction(), gpiod::line::direction::INPUT);
    EXPECT_EQ(board_reads_button(), Level::high);
}

TEST_F(ChipLinesTest, an_exception_lets_go_of_buttons) {
    EXPECT_THROW(
        {
            ChipLines lines({button_on("test-lines", "2")}, clock_);
            static_cast<void>(lines.drive(0, Level::low));
            throw std::runtime_error("a scenario failed");
        },
        std::runtime_error);
    EXPECT_FALSE(info(button).used());
    EXPECT_EQ(board_reads_button(), Level::high);
}

TEST_F(ChipLinesTest, a_rig_that_is_killed_while_it_presses_leaves_the_button_open) {
    for (const int signal_number : {SIGKILL, SIGTERM}) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe(ends.data()), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            open({button_on("test-lines", "2")});
            static_cast<void>(lines_->drive(0, Level::low));
            static_cast<void>(!::write(ends[1], "p", 1));
            for (;;) {
                ::pause();
            }
        }
        char byte = 0;
        ASSERT_EQ(::read(ends[0], &byte, 1), 1);
        EXPECT_EQ(board_reads_button(), Level::low);
        ::kill(child, signal_number);
        ::waitpid(child, nullptr, 0);
        ::close(ends[0]);
        ::close(ends[1]);
        EXPECT_FALSE(info(button).used());
        EXPECT_EQ(board_reads_button(), Level::high) << "signal " << signal_number;
    }
}

TEST_F(ChipLinesTest, probing_drives_nothing_and_says_who_holds_a_line) {
    const std::vector<rig::LineSpec> specs{button_on(sim_->path(), "2"), led_on(sim_->path(), "5")};
    const auto probed = rig::probe_lines(specs, clock_);
    ASSERT_EQ(probed.size(), 2U);
    EXPECT_EQ(probed[0].trouble, "");
    EXPECT_EQ(board_reads_button(), Level::high);
    EXPECT_THAT(probed[1].trouble, HasSubstr("is held by \"board-power\""));
    EXPECT_EQ(rig::probe_lines(specs, clock_)[0].trouble, "") << "it was given back";
}

TEST_F(ChipLinesTest, release_lines_takes_what_nobody_holds_and_says_who_holds_the_rest) {
    const std::array<LineSpec, 3> specs{button_on("test-lines", "2"), led_on("test-lines", "3"),
                                        button_on("test-lines", "4")};
    {
        // What a chip that keeps its outputs looks like after a SIGKILL.
        auto request =
            gpiod::chip(sim_->path())
                .prepare_request()
                .add_line_settings(
                    button, gpiod::line_settings().set_direction(gpiod::line::direction::OUTPUT))
                .do_request();
    }
    ChipLines holder({button_on("test-lines", "4")}, clock_, {.consumer = "gpioset"});
    const auto released = rig::release_lines(specs);
    ASSERT_EQ(released.size(), 2U);
    EXPECT_EQ(released[0].trouble, "");
    EXPECT_THAT(released[1].trouble, HasSubstr("is held by \"gpioset\""));
    EXPECT_EQ(info(button).direction(), gpiod::line::direction::INPUT);
    EXPECT_FALSE(info(button).used());
    EXPECT_EQ(board_reads_button(), Level::high);
}

// Unplugged
// ----------------------------------------------------------------------------------------

TEST_F(ChipLinesTest, a_chip_that_is_unplugged_is_a_rig_error_once_and_no_descriptor_any_more) {
    open();
    ASSERT_TRUE(board_sets_led(Level::high));
    EXPECT_TRUE(lines_->is_connected());
    const auto descriptors = lines_->descriptors();
    EXPECT_EQ(descriptors.size(), 2U);
    sim_->unplug();
    ASSERT_TRUE(rig::testing::wait_readable(descriptors, rig::testing::patience));
    const std::string expected =
        sim_->name() +
        " \"test-lines\" was unplugged while the rig used it; plug it in again and open the bench "
        "anew";
    EXPECT_EQ(thrown_by<RigError>([this] { static_cast<void>(wait_for_edges(1, quiet)); }),
              expected);
    EXPECT_FALSE(lines_->is_connected());
    EXPECT_TRUE(lines_->descriptors().empty());
    std::vector<rig::Edge> edges;
    EXPECT_FALSE(lines_->read_edges(edges));
    EXPECT_THAT(thrown_by<RigError>([this] { static_cast<void>(lines_->drive(0, Level::low)); }),
                AllOf(HasSubstr("line button0 (line 2 of "), HasSubstr("; plug it in again")));
    lines_->release(0);
}

TEST_F(ChipLinesTest, a_chip_with_buttons_only_is_seen_to_go_as_well) {
    open({button_on("test-lines", "2")});
    sim_->unplug();
    ASSERT_TRUE(rig::testing::wait_readable(lines_->descriptors(), rig::testing::patience));
    EXPECT_THAT(thrown_by<RigError>([this] { static_cast<void>(wait_for_edges(1, quiet)); }),
                HasSubstr("was unplugged"));
}

TEST_F(ChipLinesTest, a_press_on_a_chip_that_went_unseen_is_a_rig_error) {
    open({button_on("test-lines", "2")});
    sim_->unplug();
    EXPECT_THAT(thrown_by<RigError>([this] { static_cast<void>(lines_->drive(0, Level::low)); }),
                HasSubstr("was unplugged while the rig used it"));
    EXPECT_FALSE(lines_->is_connected());
}

TEST_F(ChipLinesTest, a_chip_that_is_unplugged_takes_no_other_with_it) {
    const GpioSim other({.label = "other"});
    open({led_on("other", "1"), led_on("test-lines", "3")});
    sim_->unplug();
    EXPECT_THAT(thrown_by<RigError>([this] { static_cast<void>(wait_for_edges(1, quiet)); }),
                HasSubstr("was unplugged"));
    other.pull(1, Level::high);
    ASSERT_EQ(wait_for_edges(1).size(), 1U);
    EXPECT_EQ(lines_->level(0), Level::high);
    lines_.reset();
}

}  // namespace
