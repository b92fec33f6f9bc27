#include <gtest/gtest.h>

#include "harness/bench/round_trip.hpp"

namespace {

using namespace harness;

class RoundTripLimitsTest : public ::testing::Test {
  protected:
    RoundTripLimitsTest() {
        tracker_.take(PressAsserted{
            .id = 1, .line = "button0", .before_ns = 1, .after_ns = 2, .profile = "ideal"});
    }
    void open(ConnectionId id) {
        tracker_.take(
            ConnectionOpened{.id = id, .at_ns = 3, .peer = "p", .local = "l", .secure = false});
    }

    RoundTripTracker tracker_{{{"button0", {.led = "", .secure = false}}}};
};

TEST_F(RoundTripLimitsTest, a_press_keeps_its_first_connections_of_a_flood) {
    constexpr std::size_t most = RoundTripTracker::connections_per_trip_max;
    for (std::size_t id = 1; id <= most + 1; ++id) {
        open(static_cast<ConnectionId>(id));
    }
    ASSERT_EQ(tracker_.find(1)->connections.size(), most);
    EXPECT_EQ(tracker_.find(1)->connections.front().opened.id, 1);
}

TEST_F(RoundTripLimitsTest, a_connection_keeps_its_first_frames_and_replies_of_a_flood) {
    constexpr std::size_t most = RoundTripTracker::frames_per_connection_max;
    open(1);
    for (std::size_t id = 1; id <= most + 1; ++id) {
        FrameReceived frame;
        frame.id = static_cast<FrameId>(id);
        frame.connection_id = 1;
        tracker_.take(frame);
        tracker_.take(
            ReplySent{.frame_id = frame.id, .connection_id = 1, .replied_ns = 4, .reply = "X"});
    }
    const ConnectionTrace& kept = tracker_.find(1)->connections.front();
    ASSERT_EQ(kept.frames.size(), most);
    ASSERT_EQ(kept.replies.size(), most);
    EXPECT_EQ(kept.frames.front().id, 1);
}

}  // namespace
