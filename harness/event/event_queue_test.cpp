#include "harness/event/event_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using harness::ConsoleLine;
using harness::Event;
using harness::EventQueue;

Event numbered(std::size_t number) {
    return ConsoleLine{.at_ns = 1,
                       .text = "a line too long to lie in the event " + std::to_string(number)};
}

TEST(EventQueue, gives_events_in_order_through_many_blocks_while_old_ones_go) {
    EventQueue queue;
    constexpr std::size_t kept = 2 * EventQueue::events_per_block + 7;
    for (std::size_t number = 0; number < 6 * EventQueue::events_per_block; ++number) {
        queue.push_back(numbered(number));
        if (queue.size() > kept) {
            queue.pop_front();
        }
        const std::size_t oldest = number + 1 - queue.size();
        ASSERT_EQ(queue[0], numbered(oldest));
        ASSERT_EQ(queue[queue.size() / 2], numbered(oldest + queue.size() / 2));
        ASSERT_EQ(queue[queue.size() - 1], numbered(number));
    }
    EXPECT_EQ(queue.size(), kept);
}

TEST(EventQueue, is_empty_again_when_all_are_gone_and_goes_on) {
    EventQueue queue;
    EXPECT_TRUE(queue.empty());
    for (int round = 0; round < 3; ++round) {
        for (std::size_t number = 0; number < EventQueue::events_per_block; ++number) {
            queue.push_back(numbered(number));
        }
        while (!queue.empty()) {
            queue.pop_front();
        }
        EXPECT_EQ(queue.size(), 0U);
    }
    queue.push_back(numbered(1));
    EXPECT_EQ(queue[0], numbered(1));
}

}  // namespace
