#include "rig/target/faulty_link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rig::FaultyLink;
using rig::LinkFaults;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int many = 10'000;

/// What arrives of frames that are called 0, 1, 2, ..., one at each nanosecond.
std::vector<std::string> arrivals(FaultyLink& link, int frames) {
    std::vector<std::string> all;
    for (int i = 0; i < frames; ++i) {
        link.put(std::to_string(i), i + 1);
        for (auto& frame : link.take(i + 1)) {
            all.push_back(std::move(frame));
        }
    }
    for (auto& frame : link.take_all()) {
        all.push_back(std::move(frame));
    }
    return all;
}

std::vector<std::string> arrivals(const LinkFaults& faults, int frames,
                                  std::uint64_t direction = 0) {
    FaultyLink link(faults, direction);
    return arrivals(link, frames);
}

TEST(FaultyLinkTest, without_faults_everything_arrives_at_once_and_in_order) {
    FaultyLink link({}, 0);
    EXPECT_EQ(link.next_ns(), 0);
    link.put("a", 5);
    EXPECT_EQ(link.next_ns(), 5);
    link.put("b", 5);
    EXPECT_THAT(link.take(5), ElementsAre("a", "b"));
    EXPECT_THAT(link.take(5), IsEmpty());
    EXPECT_EQ(link.next_ns(), 0);
}

TEST(FaultyLinkTest, the_seed_says_which_frames_it_hits_in_each_direction) {
    const LinkFaults faults{.loss = 0.1, .duplicate = 0.2, .reorder = 0.3, .seed = 1};
    const auto first = arrivals(faults, 100);
    EXPECT_EQ(arrivals(faults, 100), first);
    EXPECT_NE(arrivals(faults, 100, 1), first);
    LinkFaults other = faults;
    other.seed = 2;
    EXPECT_NE(arrivals(other, 100), first);
    other.seed = faults.seed + (std::uint64_t{1} << 32);
    EXPECT_NE(arrivals(other, 100), first);
}

TEST(FaultyLinkTest, a_share_of_the_frames_is_lost_and_the_others_keep_their_order) {
    FaultyLink link({.loss = 0.2, .seed = 3}, 0);
    const auto arrived = arrivals(link, many);
    EXPECT_EQ(link.counts().frames, many);
    EXPECT_NEAR(static_cast<double>(link.counts().lost), 0.2 * many, 0.02 * many);
    EXPECT_THAT(arrived, SizeIs(static_cast<std::size_t>(many - link.counts().lost)));
    EXPECT_TRUE(std::is_sorted(
        arrived.begin(), arrived.end(),
        [](const std::string& a, const std::string& b) { return std::stoi(a) < std::stoi(b); }));
    EXPECT_EQ(link.counts().duplicated + link.counts().reordered + link.counts().delayed, 0);
    EXPECT_THAT(arrivals({.loss = 1.0}, 100), IsEmpty());
}

TEST(FaultyLinkTest, a_doubled_frame_comes_twice_in_a_row) {
    FaultyLink link({.duplicate = 1.0}, 0);
    EXPECT_THAT(arrivals(link, 2), ElementsAre("0", "0", "1", "1"));
    EXPECT_EQ(link.counts().duplicated, 2);
}

TEST(FaultyLinkTest, a_frame_changes_places_with_the_next_and_is_no_longer_late_than_that) {
    FaultyLink link({.reorder = 1.0}, 0);
    EXPECT_THAT(arrivals(link, 5), ElementsAre("1", "0", "3", "2", "4"));
    EXPECT_EQ(link.counts().reordered, 2);  // nothing has overtaken the last one

    link.put("alone", 1'000);
    EXPECT_THAT(link.take(1'000), IsEmpty());
    const rig::TimestampNs at_ns = 1'000 + std::chrono::nanoseconds(50ms).count();
    EXPECT_EQ(link.next_ns(), at_ns);
    EXPECT_THAT(link.take(at_ns), ElementsAre("alone"));
    EXPECT_EQ(link.counts().reordered, 2);
}

TEST(FaultyLinkTest, every_frame_is_late_by_the_delay) {
    FaultyLink link({.reorder = 0.0, .delay = 10ns}, 0);
    link.put("a", 1);
    link.put("b", 3);
    EXPECT_EQ(link.next_ns(), 11);
    EXPECT_THAT(link.take(10), IsEmpty());
    EXPECT_THAT(link.take(12), ElementsAre("a"));
    EXPECT_THAT(link.take_all(), ElementsAre("b"));
    EXPECT_EQ(link.counts().delayed, 2);

    FaultyLink both({.reorder = 1.0, .delay = 10ns}, 0);
    both.put("a", 1);
    both.put("b", 3);
    EXPECT_EQ(both.next_ns(), 13);
    EXPECT_THAT(both.take(13), ElementsAre("b", "a"));
}

TEST(FaultyLinkTest, one_probability_does_not_change_what_another_hits) {
    FaultyLink alone({.loss = 0.3, .seed = 4}, 0);
    FaultyLink with_others({.loss = 0.3, .duplicate = 1.0, .seed = 4}, 0);
    const auto once = arrivals(alone, 100);
    std::vector<std::string> twice;
    for (const auto& frame : once) {
        twice.insert(twice.end(), 2, frame);
    }
    EXPECT_EQ(arrivals(with_others, 100), twice);
}

TEST(FaultyLinkTest, what_exceeds_the_room_is_lost) {
    FaultyLink link({.delay = 1s}, 0);
    for (std::size_t i = 0; i < FaultyLink::frames_max + 2; ++i) {
        link.put("a", 1);
    }
    EXPECT_EQ(link.counts().lost, 2);
    EXPECT_THAT(link.take_all(), SizeIs(FaultyLink::frames_max));
}

}  // namespace
