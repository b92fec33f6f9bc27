#include "rig/line/lost_edges.hpp"

#include <gtest/gtest.h>

namespace {

using rig::LostEdges;

constexpr rig::TimestampNs soon_ns = LostEdges::overdue_ns - 1;
constexpr rig::TimestampNs later_ns = LostEdges::overdue_ns;

TEST(LostEdges, none_are_lost_while_every_number_comes) {
    LostEdges lost;
    for (std::uint64_t seqno = 1; seqno <= 20; ++seqno) {
        lost.take(seqno, 0);
    }
    lost.look(1);
    EXPECT_EQ(lost.count(1 + later_ns), 0U);
}

TEST(LostEdges, what_a_line_skips_is_lost_at_once) {
    LostEdges lost;
    lost.take(4, 3);
    lost.look(1);
    EXPECT_EQ(lost.count(1), 3U);
    EXPECT_EQ(lost.count(1 + later_ns), 3U) << "seen by both witnesses, lost once";
}

TEST(LostEdges, a_number_that_no_line_misses_is_lost_once_it_is_overdue) {
    LostEdges lost;
    lost.take(3, 0);
    lost.look(1);
    EXPECT_EQ(lost.count(1 + soon_ns), 0U);
    EXPECT_EQ(lost.count(1 + later_ns), 2U);
    lost.take(6, 2);  // now the line itself tells of those two
    lost.look(1 + later_ns);
    EXPECT_EQ(lost.count(1 + later_ns), 2U);
    EXPECT_EQ(lost.count(1 + 2 * later_ns), 4U) << "6 has come, 4 and 5 have not";
}

TEST(LostEdges, edges_of_two_lines_may_come_in_the_other_order) {
    LostEdges lost;
    lost.take(2, 0);
    lost.look(1);
    lost.take(1, 0);
    lost.look(2);
    EXPECT_EQ(lost.count(2 + later_ns), 0U);
    lost.take(5, 0);
    lost.look(3);
    lost.take(3, 0);
    lost.look(3 + later_ns);
    EXPECT_EQ(lost.count(3 + later_ns), 1U) << "4 never came";
}

TEST(LostEdges, a_rig_that_stood_still_reads_before_it_gives_a_number_up) {
    LostEdges lost;
    lost.take(2, 0);
    lost.look(1);
    lost.take(1, 0);
    lost.look(1 + later_ns);
    EXPECT_EQ(lost.count(1 + 2 * later_ns), 0U);
}

TEST(LostEdges, what_goes_missing_later_has_its_own_time) {
    LostEdges lost;
    lost.take(2, 0);
    lost.look(1);
    lost.take(4, 0);
    lost.look(soon_ns);
    EXPECT_EQ(lost.count(1 + later_ns), 1U);
    lost.look(1 + later_ns);
    EXPECT_EQ(lost.count(1 + 2 * later_ns), 2U);
}

TEST(LostEdges, what_goes_missing_while_another_is_waited_for_is_lost_though_nothing_comes_after) {
    LostEdges lost;
    lost.take(3, 0);
    lost.look(1);
    lost.take(6, 0);
    lost.look(50);
    EXPECT_EQ(lost.count(1 + later_ns), 2U) << "1 and 2; 4 and 5 may still come";
    EXPECT_EQ(lost.count(50 + later_ns), 4U);
}

TEST(LostEdges, an_edge_that_comes_late_makes_room_for_no_other) {
    LostEdges lost;
    lost.take(2, 0);
    lost.look(1);
    lost.take(1, 0);
    lost.take(4, 0);
    lost.look(50);
    EXPECT_EQ(lost.count(1 + later_ns), 0U) << "3 has been missing for less";
    lost.take(3, 0);
    lost.look(1 + later_ns);
    EXPECT_EQ(lost.count(50 + later_ns), 0U);
}

TEST(LostEdges, one_that_comes_from_among_many_that_are_missing_leaves_the_others) {
    LostEdges lost;
    lost.take(6, 0);
    lost.look(1);
    lost.take(3, 0);
    lost.take(1, 0);
    lost.take(5, 0);
    lost.look(2);
    EXPECT_EQ(lost.count(1 + later_ns), 2U) << "2 and 4";
    lost.take(4, 0);
    lost.take(2, 0);
    EXPECT_EQ(lost.count(1 + later_ns), 0U);
}

}  // namespace
