#include "harness/bench/round_trip.hpp"

#include <gtest/gtest.h>

namespace {

using namespace harness;

/// Events of a lab board, one call each; times rise by 100 ns.
class RoundTripTest : public ::testing::Test {
  protected:
    PressId press(const std::string& button) {
        const TimestampNs now_ns = tick();
        tracker_.take(PressAsserted{.id = ++last_press_,
                                    .line = button,
                                    .before_ns = now_ns,
                                    .after_ns = now_ns + 10,
                                    .profile = "ideal"});
        return last_press_;
    }
    void release(PressId id) {
        tracker_.take(PressReleased{.id = id, .line = "", .released_ns = tick()});
    }
    void led(const std::string& line, rig::Level level) {
        tracker_.take(EdgeSeen{.at_ns = tick(),
                               .line = line,
                               .level = level,
                               .source = rig::EdgeSource::board,
                               .seqno = 1});
    }
    ConnectionId open(bool secure) {
        tracker_.take(ConnectionOpened{.id = ++last_connection_,
                                       .at_ns = tick(),
                                       .peer = "p",
                                       .local = "l",
                                       .secure = secure});
        return last_connection_;
    }
    void frame(ConnectionId connection) {
        FrameReceived received;
        received.id = ++last_frame_;
        received.connection_id = connection;
        received.received_ns = tick();
        tracker_.take(received);
        tracker_.take(ReplySent{.frame_id = last_frame_,
                                .connection_id = connection,
                                .replied_ns = tick(),
                                .reply = "X"});
    }
    void close(ConnectionId connection) {
        tracker_.take(ConnectionClosed{
            .id = connection, .at_ns = tick(), .end_reason = "answered", .ignored_bytes = 0});
    }
    const RoundTrip& trip(PressId id) { return *tracker_.find(id); }
    bool reached(PressId id, Until until) { return has_reached(trip(id), until); }

    RoundTripTracker tracker_{{{"button0", {.led = "led0", .secure = false}},
                               {"button1", {.led = "led1", .secure = true}}}};

  private:
    TimestampNs tick() { return now_ns_ += 100; }
    TimestampNs now_ns_ = 0;
    PressId last_press_ = 0;
    ConnectionId last_connection_ = 0;
    FrameId last_frame_ = 0;
};

TEST_F(RoundTripTest, a_press_collects_what_it_causes_and_settles) {
    const auto id = press("button0");
    EXPECT_FALSE(reached(id, Until::led));
    led("led0", rig::Level::high);
    EXPECT_TRUE(reached(id, Until::led));
    const auto connection = open(false);
    EXPECT_FALSE(reached(id, Until::frame));
    frame(connection);
    EXPECT_TRUE(reached(id, Until::reply));
    EXPECT_FALSE(reached(id, Until::settled));
    close(connection);
    EXPECT_TRUE(reached(id, Until::closed));
    EXPECT_FALSE(reached(id, Until::settled)) << "the button is still held";
    release(id);
    EXPECT_TRUE(reached(id, Until::settled));
    EXPECT_EQ(trip(id).led_edges.size(), 1U);
    EXPECT_EQ(trip(id).connections.size(), 1U);
}

TEST_F(RoundTripTest, two_buttons_at_once_keep_their_own) {
    const auto clear = press("button0");
    const auto secure = press("button1");
    led("led1", rig::Level::high);
    led("led0", rig::Level::high);
    frame(open(true));
    frame(open(false));
    EXPECT_EQ(trip(clear).led_edges.at(0).line, "led0");
    EXPECT_EQ(trip(secure).led_edges.at(0).line, "led1");
    EXPECT_FALSE(trip(clear).connections.at(0).opened.secure);
    EXPECT_TRUE(trip(secure).connections.at(0).opened.secure);
}

TEST_F(RoundTripTest, quick_presses_get_their_connections_in_order) {
    const auto first = press("button0");
    const auto second = press("button0");
    led("led0", rig::Level::high);
    led("led0", rig::Level::low);
    const auto a = open(false);
    const auto b = open(false);
    EXPECT_EQ(trip(first).connections.at(0).opened.id, a);
    EXPECT_EQ(trip(second).connections.at(0).opened.id, b);
    EXPECT_EQ(trip(first).led_edges.at(0).level, rig::Level::high);
    EXPECT_EQ(trip(second).led_edges.at(0).level, rig::Level::low);
}

TEST_F(RoundTripTest, a_second_connection_is_shown_with_the_press_that_caused_it) {
    const auto id = press("button0");
    close(open(false));
    const auto retry = open(false);
    ASSERT_EQ(trip(id).connections.size(), 2U);
    EXPECT_EQ(trip(id).connections.at(1).opened.id, retry);
}

TEST_F(RoundTripTest, a_press_that_was_given_up_does_not_take_the_next_ones_connection) {
    const auto lost = press("button0");
    tracker_.was_waited_for(lost);
    const auto next = press("button0");
    led("led0", rig::Level::high);
    static_cast<void>(open(false));
    EXPECT_TRUE(trip(lost).led_edges.empty());
    EXPECT_TRUE(trip(lost).connections.empty());
    EXPECT_EQ(trip(next).led_edges.size(), 1U);
    EXPECT_EQ(trip(next).connections.size(), 1U);
}

TEST_F(RoundTripTest, a_press_that_nobody_gave_up_keeps_its_claim) {
    const auto first = press("button0");
    const auto second = press("button0");
    static_cast<void>(open(false));
    EXPECT_EQ(trip(first).connections.size(), 1U);
    EXPECT_TRUE(trip(second).connections.empty());
}

TEST_F(RoundTripTest, a_target_that_starts_anew_owes_nothing) {
    const auto lost = press("button0");
    tracker_.take(TargetChanged{.at_ns = 1, .what = "started", .is_running = true});
    const auto next = press("button0");
    led("led0", rig::Level::high);
    static_cast<void>(open(false));
    EXPECT_TRUE(trip(lost).led_edges.empty());
    EXPECT_TRUE(trip(lost).connections.empty());
    EXPECT_EQ(trip(next).led_edges.size(), 1U);
    EXPECT_EQ(trip(next).connections.size(), 1U);
}

TEST_F(RoundTripTest, what_came_before_the_press_is_not_its_own) {
    led("led0", rig::Level::high);
    const auto connection = open(false);
    const auto id = press("button0");
    frame(connection);
    EXPECT_TRUE(trip(id).led_edges.empty());
    EXPECT_TRUE(trip(id).connections.empty());
}

TEST_F(RoundTripTest, closed_means_the_last_connection_whatever_happened_on_it) {
    const auto id = press("button1");
    EXPECT_FALSE(reached(id, Until::closed));
    close(open(true));
    EXPECT_TRUE(reached(id, Until::closed));
    EXPECT_FALSE(reached(id, Until::frame));
}

TEST_F(RoundTripTest, old_presses_are_forgotten_one_by_one) {
    for (std::size_t i = 0; i < RoundTripTracker::trips_kept_max + 1; ++i) {
        press("button0");
    }
    EXPECT_EQ(tracker_.find(1), nullptr);
    EXPECT_NE(tracker_.find(2), nullptr);
    EXPECT_EQ(tracker_.find(RoundTripTracker::trips_kept_max + 2), nullptr);
}

TEST_F(RoundTripTest, console_lines_go_to_the_newest_press_and_to_those_under_way) {
    const auto first = press("button0");
    const auto second = press("button1");
    tracker_.take(ConsoleLine{.at_ns = 1, .text = "both"});
    tracker_.was_waited_for(first);
    tracker_.take(ConsoleLine{.at_ns = 2, .text = "second"});
    EXPECT_EQ(trip(first).console.size(), 1U);
    EXPECT_EQ(trip(second).console.size(), 2U);
}

}  // namespace
