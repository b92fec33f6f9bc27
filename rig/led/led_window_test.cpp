#include "rig/led/led_window.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using rig::blinks;
using rig::LedAnswer;
using rig::LedEdge;
using rig::LedWindow;
using rig::stays;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr rig::TimestampNs begin_ns = 5 * rig::ns_per_s;

rig::TimestampNs at_ms(double milliseconds) {
    return begin_ns + static_cast<rig::TimestampNs>(milliseconds * 1e6);
}

/// A window of `length_ms` that begins off; the LED changes at each of `changes_ms`.
LedWindow window_of(double length_ms, const std::vector<double>& changes_ms) {
    std::vector<LedEdge> edges;
    for (const double change_ms : changes_ms) {
        edges.push_back({.at_ns = at_ms(change_ms), .is_on = edges.size() % 2 == 0});
    }
    return rig::led_window("led0", edges, false, begin_ns, at_ms(length_ms));
}

TEST(LedWindow, edges_of_an_active_low_led_are_on_when_the_line_is_low) {
    const std::vector<rig::Edge> edges{{.at_ns = 5, .seqno = 3, .level = rig::Level::low},
                                       {.at_ns = 6, .seqno = 4, .level = rig::Level::high},
                                       {.at_ns = 9, .seqno = 7, .level = rig::Level::low}};
    EXPECT_THAT(rig::led_edges(edges, rig::Active::low),
                ElementsAre(LedEdge{.at_ns = 5, .is_on = true}, LedEdge{.at_ns = 6, .is_on = false},
                            LedEdge{.at_ns = 9, .is_on = true, .lost_before = 2}));
    EXPECT_FALSE(rig::led_edges(edges, rig::Active::high).front().is_on);
}

TEST(LedWindow, holds_the_edges_from_its_first_moment_up_to_its_last_not_included) {
    const std::vector<LedEdge> edges{{.at_ns = 10, .is_on = true},
                                     {.at_ns = 20, .is_on = false},
                                     {.at_ns = 30, .is_on = true},
                                     {.at_ns = 40, .is_on = false}};
    const LedWindow window = rig::led_window("led0", edges, false, 20, 40);
    EXPECT_TRUE(window.was_on) << "the edge before the window tells";
    EXPECT_THAT(window.edges, ElementsAre(edges[1], edges[2]));
    EXPECT_TRUE(rig::led_window("led0", edges, false, 5, 10).edges.empty());
    EXPECT_TRUE(rig::led_window("led0", {}, true, 5, 5).was_on);
    EXPECT_THROW(static_cast<void>(rig::led_window("led0", edges, false, 40, 20)),
                 std::invalid_argument);
}

TEST(LedWindow, the_state_changes_at_the_edges_own_time) {
    const LedWindow window = window_of(100, {10, 30});
    EXPECT_FALSE(is_on_at(window, at_ms(10) - 1));
    EXPECT_TRUE(is_on_at(window, at_ms(10)));
    EXPECT_TRUE(is_on_at(window, at_ms(30) - 1));
    EXPECT_FALSE(is_on_at(window, at_ms(30)));
    EXPECT_FALSE(is_on_at(window, at_ms(1000)));
}

TEST(LedWindow, the_share_of_time_on_counts_both_ends) {
    EXPECT_DOUBLE_EQ(rig::on_share(window_of(100, {10, 30})), 0.2);
    EXPECT_DOUBLE_EQ(rig::on_share(window_of(100, {60})), 0.4);
    EXPECT_DOUBLE_EQ(rig::on_share(window_of(100, {})), 0.0);
    EXPECT_DOUBLE_EQ(rig::on_share(window_of(0, {})), 0.0);
}

TEST(LedHistory, cuts_windows_out_of_the_edges_it_was_given) {
    rig::LedHistory history(rig::Active::low, rig::Level::high);
    history.take({.at_ns = 10, .seqno = 1, .level = rig::Level::low});
    history.take({.at_ns = 20, .seqno = 4, .level = rig::Level::high});
    const LedWindow window = history.window("led0", 5, 30);
    EXPECT_FALSE(window.was_on);
    EXPECT_THAT(window.edges, ElementsAre(LedEdge{.at_ns = 10, .is_on = true},
                                          LedEdge{.at_ns = 20, .is_on = false, .lost_before = 2}));
    EXPECT_TRUE(history.window("led0", 15, 20).was_on);
}

TEST(LedHistory, a_restart_of_the_board_is_a_change_and_no_loss) {
    rig::LedHistory history(rig::Active::high, rig::Level::low);
    history.take({.at_ns = 10, .seqno = 1, .level = rig::Level::high});
    history.set(rig::Level::high, 15);
    history.set(rig::Level::low, 20);
    history.take({.at_ns = 30, .seqno = 2, .level = rig::Level::high});
    EXPECT_THAT(
        history.window("led0", 0, 40).edges,
        ElementsAre(LedEdge{.at_ns = 10, .is_on = true}, LedEdge{.at_ns = 20, .is_on = false},
                    LedEdge{.at_ns = 30, .is_on = true}));
}

TEST(LedHistory, what_was_forgotten_is_never_judged) {
    rig::LedHistory history(rig::Active::high, rig::Level::low);
    for (std::uint64_t i = 1; i <= rig::LedHistory::edges_kept_max + 1; ++i) {
        history.take({.at_ns = static_cast<rig::TimestampNs>(i * 10),
                      .seqno = i,
                      .level = i % 2 == 1 ? rig::Level::high : rig::Level::low});
    }
    EXPECT_THROW(static_cast<void>(history.window("led0", 9, 100)), rig::RigError);
    EXPECT_TRUE(history.window("led0", 10, 100).was_on);
}

TEST(LedStays, an_led_without_an_edge_stays_what_it_was) {
    EXPECT_EQ(stays(window_of(200, {}), false).answer, LedAnswer::yes);
    EXPECT_EQ(stays(window_of(200, {}), false).text, "");
    EXPECT_EQ(stays(window_of(200, {}), true).text,
              "led0: expected it to stay on for 200.000 ms; it was off at the beginning; "
              "seen: off");
}

TEST(LedStays, the_shortest_flicker_is_seen_and_shown) {
    const auto verdict = stays(window_of(200, {12.031, 12.032}), false);
    EXPECT_EQ(verdict.answer, LedAnswer::no);
    EXPECT_EQ(verdict.text,
              "led0: expected it to stay off for 200.000 ms; it went on after 12.031 ms; seen: "
              "off; on at 12.031 ms, off at 12.032 ms");
}

TEST(LedStays, lost_edges_are_no_verdict_unless_an_edge_that_was_seen_is_enough) {
    LedWindow window = window_of(200, {});
    window.edges = {{.at_ns = at_ms(50), .is_on = false, .lost_before = 1}};
    EXPECT_EQ(stays(window, false).answer, LedAnswer::cannot_tell);
    EXPECT_THAT(stays(window, false).text, AllOf(HasSubstr("the rig lost 1 edges"),
                                                 HasSubstr("off at 50.000 ms (after 1 lost)")));
    window.edges[0].is_on = true;
    EXPECT_EQ(stays(window, false).answer, LedAnswer::no);
}

TEST(LedStays, an_edge_lost_between_the_window_and_the_next_edge_may_have_been_within) {
    const std::vector<LedEdge> edges{{.at_ns = at_ms(300), .is_on = false, .lost_before = 1}};
    EXPECT_EQ(stays(rig::led_window("led0", edges, false, begin_ns, at_ms(200)), false).answer,
              LedAnswer::cannot_tell);
}

TEST(LedBlinks, a_regular_blink_is_one_wherever_the_window_cuts_it) {
    const rig::Blinking half{.period = 100ms};
    EXPECT_EQ(blinks(window_of(400, {50, 100, 150, 200, 250, 300, 350}), half).answer,
              LedAnswer::yes);
    EXPECT_EQ(blinks(window_of(400, {1, 51, 101, 151, 201, 251, 301, 351}), half).answer,
              LedAnswer::yes);
    EXPECT_EQ(blinks(window_of(200, {54, 108, 150}), half).answer, LedAnswer::yes)
        << "within the tolerance of a tenth";
}

TEST(LedBlinks, a_duty_other_than_half_is_judged_by_its_own_times) {
    const rig::Blinking flash{.period = 100ms, .duty = 0.1, .tolerance = 0.02};
    const std::vector<double> flashes{90, 100, 190, 200, 290, 300};
    EXPECT_EQ(blinks(window_of(380, flashes), flash).answer, LedAnswer::yes);
    EXPECT_EQ(blinks(window_of(380, flashes), {.period = 100ms}).answer, LedAnswer::no);
    EXPECT_THAT(blinks(window_of(380, {90, 100, 190, 215, 290, 300}), flash).text,
                HasSubstr("it was on for 25.000 ms, and 10.000 ms within 2.000 ms would be right"));
}

TEST(LedBlinks, an_led_that_stands_still_does_not_blink) {
    const rig::Blinking half{.period = 100ms};
    EXPECT_THAT(blinks(window_of(400, {}), half).text,
                AllOf(HasSubstr("expected it to blink every 100.000 ms, 50 % of that on, within "
                                "10 % for 400.000 ms"),
                      HasSubstr("it was off for 400.000 ms"), HasSubstr("seen: off")));
    EXPECT_EQ(blinks(window_of(400, {50, 100, 150, 200, 250, 300}), half).answer, LedAnswer::no)
        << "it stopped at the end";
    EXPECT_EQ(blinks(window_of(400, {61, 111, 161, 211, 261, 311, 361}), half).answer,
              LedAnswer::no)
        << "it began late";
}

TEST(LedBlinks, a_missing_or_an_additional_blink_is_seen) {
    const rig::Blinking half{.period = 100ms};
    EXPECT_EQ(blinks(window_of(400, {50, 100, 250, 300, 350}), half).answer, LedAnswer::no);
    EXPECT_EQ(blinks(window_of(400, {50, 100, 120, 121, 150, 200, 250, 300, 350}), half).answer,
              LedAnswer::no);
}

TEST(LedBlinks, a_period_that_is_wrong_as_a_whole_is_seen) {
    // Both stretches are within a tenth of the period each, but together they are not.
    EXPECT_THAT(blinks(window_of(300, {50, 108, 166, 220}), {.period = 100ms}).text,
                HasSubstr("one period took 116.000 ms"));
}

TEST(LedBlinks, a_short_window_or_a_lost_edge_is_no_verdict) {
    EXPECT_EQ(blinks(window_of(199, {50, 100, 150}), {.period = 100ms}).answer,
              LedAnswer::cannot_tell);
    LedWindow window = window_of(200, {50, 100, 150});
    window.edges[1].lost_before = 2;
    EXPECT_EQ(blinks(window, {.period = 100ms}).answer, LedAnswer::cannot_tell);
}

TEST(LedBlinks, an_impossible_expectation_is_refused) {
    const LedWindow window = window_of(400, {});
    for (const rig::Blinking& impossible :
         {rig::Blinking{.period = 0ms}, rig::Blinking{.period = -1ms},
          rig::Blinking{.period = 1ms, .duty = 0}, rig::Blinking{.period = 1ms, .duty = 1},
          rig::Blinking{.period = 1ms, .tolerance = -0.1},
          rig::Blinking{.period = 1ms, .tolerance = 0.6}}) {
        EXPECT_THROW(static_cast<void>(blinks(window, impossible)), std::invalid_argument);
    }
}

TEST(LedWindow, a_long_text_is_cut) {
    std::vector<double> changes_ms;
    for (int i = 1; i <= 23; ++i) {
        changes_ms.push_back(i);
    }
    EXPECT_THAT(
        describe(window_of(100, changes_ms)),
        AllOf(HasSubstr("off at 20.000 ms and 3 more"), ::testing::Not(HasSubstr("21.000"))));
}

}  // namespace
