#include "harness/event/timeline.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using harness::ConsoleLine;
using harness::Event;

Event line(const std::string& text) {
    return ConsoleLine{.at_ns = 1, .text = text};
}

bool says(const Event& event, const std::string& text) {
    return std::get<ConsoleLine>(event).text == text;
}

class Collector final : public harness::EventSink {
  public:
    void take(Event event) override { events.push_back(std::move(event)); }
    [[nodiscard]] bool has_room() const override { return room; }
    std::vector<Event> events;
    bool room = true;
};

class TimelineTest : public ::testing::Test {
  protected:
    rig::SystemClock clock_;
    harness::Timeline timeline_{clock_, nullptr, {.events_max = 3}};
};

TEST_F(TimelineTest, gives_back_what_it_took_in_order) {
    timeline_.take(line("a"));
    const auto cursor = timeline_.end();
    timeline_.take(line("b"));
    timeline_.take(line("c"));

    const auto slice = timeline_.since(cursor, 10);
    EXPECT_EQ(slice.events, (std::vector<Event>{line("b"), line("c")}));
    EXPECT_EQ(slice.next, timeline_.end());
    EXPECT_EQ(slice.dropped, 0U);
    EXPECT_TRUE(timeline_.since(slice.next, 10).events.empty());
}

TEST_F(TimelineTest, counts_what_a_slow_reader_missed) {
    for (const char* text : {"a", "b", "c", "d", "e"}) {
        timeline_.take(line(text));
    }
    const auto slice = timeline_.since(0, 10);
    EXPECT_EQ(slice.dropped, 2U);
    EXPECT_EQ(slice.events, (std::vector<Event>{line("c"), line("d"), line("e")}));
}

TEST(Timeline, keeps_fewer_events_where_they_are_long) {
    const rig::SystemClock clock;
    constexpr std::size_t bytes_max = 100'000;
    harness::Timeline timeline(clock, nullptr, {.events_max = 1'000, .bytes_max = bytes_max});
    const std::string text(30'000, 'x');
    for (const char* name : {"a", "b", "c", "d", "e"}) {
        timeline.take(line(name + text));
    }
    const auto long_ones = timeline.since(0, 10);
    EXPECT_EQ(long_ones.dropped, 2U);
    EXPECT_EQ(long_ones.events,
              (std::vector<Event>{line("c" + text), line("d" + text), line("e" + text)}));

    // What is dropped makes room for as many short ones.
    for (int i = 0; i < 300; ++i) {
        timeline.take(line("short"));
    }
    EXPECT_GT(timeline.since(0, 1'000).events.size(), 290U);
    const std::string longer_than_all(2 * bytes_max, 'y');
    timeline.take(line(longer_than_all));
    EXPECT_EQ(timeline.since(0, 1'000).events, std::vector<Event>{line(longer_than_all)});
}

TEST_F(TimelineTest, reads_in_portions) {
    timeline_.take(line("a"));
    timeline_.take(line("b"));
    const auto first = timeline_.since(0, 1);
    EXPECT_EQ(first.events, std::vector<Event>{line("a")});
    EXPECT_EQ(timeline_.since(first.next, 1).events, std::vector<Event>{line("b")});
}

TEST_F(TimelineTest, wait_ends_at_an_event_that_was_there_before) {
    timeline_.take(line("a"));
    EXPECT_TRUE(timeline_.wait(
        0, rig::Deadline::after(clock_, 0ms), [](const Event& e) { return says(e, "a"); },
        nullptr));
}

TEST_F(TimelineTest, wait_ends_at_an_event_that_another_thread_brings) {
    std::thread other([this] { timeline_.take(line("b")); });
    EXPECT_TRUE(timeline_.wait(
        0, rig::Deadline::after(clock_, 10s), [](const Event& e) { return says(e, "b"); },
        nullptr));
    other.join();
}

TEST_F(TimelineTest, wait_ignores_events_before_its_cursor) {
    timeline_.take(line("a"));
    EXPECT_FALSE(timeline_.wait(
        timeline_.end(), rig::Deadline::after(clock_, 5ms), [](const Event&) { return true; },
        nullptr));
}

TEST_F(TimelineTest, wait_can_be_interrupted) {
    EXPECT_FALSE(timeline_.wait(
        0, rig::Deadline::never(), [](const Event&) { return true; }, [] { return true; }));
}

TEST_F(TimelineTest, wait_can_be_interrupted_while_events_never_cease) {
    std::atomic<bool> is_over = false;
    std::thread other([this, &is_over] {
        while (!is_over) {
            timeline_.take(line("noise"));
            std::this_thread::sleep_for(100us);  // often enough that no wait times out
        }
    });
    const auto before_deadline = rig::Deadline::after(clock_, 30s);
    EXPECT_FALSE(timeline_.wait(
        0, rig::Deadline::after(clock_, 60s), [](const Event&) { return false; },
        [] { return true; }));
    EXPECT_FALSE(before_deadline.has_passed(clock_)) << "it was not asked";
    is_over = true;
    other.join();
}

TEST_F(TimelineTest, wait_survives_events_that_are_dropped_under_it) {
    std::atomic<int> seen = 0;
    std::thread other([this] {
        for (int i = 0; i < 1000; ++i) {
            timeline_.take(line("noise"));
        }
        timeline_.take(line("end"));
    });
    EXPECT_TRUE(timeline_.wait(
        0, rig::Deadline::after(clock_, 10s),
        [&seen](const Event& e) {
            ++seen;
            return says(e, "end");
        },
        nullptr));
    other.join();
    EXPECT_GE(seen, 1);
}

TEST(Timeline, passes_events_and_room_on_to_the_next_sink) {
    const rig::SystemClock clock;
    Collector collector;
    harness::Timeline timeline(clock, &collector);
    timeline.take(line("a"));
    EXPECT_EQ(collector.events, std::vector<Event>{line("a")});
    EXPECT_TRUE(timeline.has_room());
    collector.room = false;
    EXPECT_FALSE(timeline.has_room());
}

TEST(Event, describes_a_frame_with_bytes_that_do_not_print) {
    const harness::FrameReceived frame{.connection_id = 7,
                                       .verdict = harness::FrameVerdict::illegal,
                                       .device = {},
                                       .reg = {},
                                       .value = {},
                                       .raw = std::string("W\x01", 2),
                                       .reason = "byte 0x01 is no hex digit"};
    EXPECT_EQ(harness::describe(frame), "connection 7: illegal W\\x01: byte 0x01 is no hex digit");
}

TEST(Event, takes_memory_for_its_texts) {
    harness::HandshakeEnded handshake;
    const auto bare = harness::memory_size(handshake);
    handshake.offered = std::string(5'000, 'x');
    handshake.failure = std::string(300, 'y');
    EXPECT_EQ(harness::memory_size(handshake), bare + 5'300);
    EXPECT_GE(bare, sizeof(Event));
}

TEST(Event, knows_its_time_and_lane) {
    const Event press = harness::PressAsserted{
        .id = 1, .line = "button0", .before_ns = 5, .after_ns = 6, .profile = "ideal"};
    EXPECT_EQ(harness::at_ns(press), 5);
    EXPECT_EQ(harness::lane(press), "button");
    const Event edge = harness::EdgeSeen{.at_ns = 9,
                                         .line = "led0",
                                         .level = rig::Level::high,
                                         .source = rig::EdgeSource::board,
                                         .seqno = 1};
    EXPECT_EQ(harness::lane(edge), "led");
}

}  // namespace
