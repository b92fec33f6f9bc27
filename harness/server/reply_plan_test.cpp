#include "harness/server/reply_plan.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using namespace harness;

/// The plan for a reply that one fault has spoilt.
ReplyPlan spoilt(FaultSpec fault, std::string reply = "A0FAC0B1234") {
    ReplyPlan plan{.bytes = std::move(reply)};
    EXPECT_TRUE(spoil(plan, completed(std::move(fault)), 1)) << "it made no difference";
    return plan;
}

TEST(ReplyPlanTest, content_is_changed_where_the_fault_says) {
    EXPECT_EQ(spoilt({.kind = FaultKind::answer_x}).bytes, "X");
    EXPECT_EQ(spoilt({.kind = FaultKind::wrong_device}).bytes, "A0FAD0B1234");
    EXPECT_EQ(spoilt({.kind = FaultKind::wrong_register}).bytes, "A0FAC0C1234");
    EXPECT_EQ(spoilt({.kind = FaultKind::wrong_value}).bytes, "A0FAC0B1235");
    EXPECT_EQ(spoilt({.kind = FaultKind::lower_case}).bytes, "a0fac0b1234");
    EXPECT_EQ(spoilt({.kind = FaultKind::two_replies}).bytes, "A0FAC0B1234A0FAC0B1234");
    EXPECT_EQ(spoilt({.kind = FaultKind::text_after_x}).bytes, "X Not Found");
    EXPECT_EQ(spoilt({.kind = FaultKind::text_after_x, .text = "!"}).bytes, "X!");
}

TEST(ReplyPlanTest, wrong_digits_carry_and_wrap) {
    EXPECT_EQ(spoilt({.kind = FaultKind::wrong_value}, "A0FAC0B00ff").bytes, "A0FAC0B0100");
    EXPECT_EQ(spoilt({.kind = FaultKind::wrong_device}, "AFFFF0B1234").bytes, "A00000B1234");
    EXPECT_EQ(spoilt({.kind = FaultKind::wrong_register}, "A0FACFF1234").bytes, "A0FAC001234");
}

TEST(ReplyPlanTest, an_x_has_nothing_that_could_be_wrong_in_it) {
    for (const FaultKind kind :
         {FaultKind::wrong_device, FaultKind::wrong_register, FaultKind::wrong_value}) {
        ReplyPlan plan{.bytes = "X"};
        EXPECT_FALSE(spoil(plan, completed({.kind = kind}), 1));
        EXPECT_EQ(plan.bytes, "X");
    }
}

TEST(ReplyPlanTest, a_long_reply_has_the_length_asked_for_and_begins_well) {
    const auto plan = spoilt({.kind = FaultKind::long_reply, .number = 40});
    EXPECT_EQ(plan.bytes.size(), 40U);
    EXPECT_TRUE(plan.bytes.starts_with("A0FAC0B1234"));
}

TEST(ReplyPlanTest, garbage_goes_by_seed_and_chance_and_is_no_answer) {
    const auto garbage = [](std::uint64_t seed, std::int64_t salt) {
        ReplyPlan plan{.bytes = "A0FAC0B1234"};
        const auto fault = completed({.kind = FaultKind::garbage, .number = 20, .seed = seed});
        EXPECT_TRUE(spoil(plan, fault, salt));
        return plan.bytes;
    };
    EXPECT_EQ(garbage(1, 1).size(), 20U);
    EXPECT_EQ(garbage(1, 1), garbage(1, 1));
    EXPECT_NE(garbage(1, 1), garbage(1, 2));
    EXPECT_NE(garbage(1, 1), garbage(9, 1));
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        const std::string bytes = garbage(seed, 1);
        ASSERT_TRUE(bytes[0] != 'A' && bytes[0] != 'X') << seed;
    }
}

TEST(ReplyPlanTest, timing_pieces_and_ends_are_planned) {
    EXPECT_EQ(spoilt({.kind = FaultKind::late, .delay = 5ms}).delay, 5ms);
    const auto bytewise = spoilt({.kind = FaultKind::bytewise, .delay = 3ms});
    EXPECT_TRUE(bytewise.is_bytewise);
    EXPECT_EQ(bytewise.gap, 3ms);
    const auto cut = spoilt({.kind = FaultKind::close_in_reply, .number = 4});
    EXPECT_EQ(cut.bytes, "A0FA");
    EXPECT_EQ(cut.end, ReplyPlan::End::close);
    EXPECT_EQ(spoilt({.kind = FaultKind::close_in_reply, .number = 99}).bytes, "A0FAC0B1234");
    const auto silent = spoilt({.kind = FaultKind::no_reply, .delay = 7s});
    EXPECT_EQ(silent.bytes, "");
    EXPECT_EQ(silent.end, ReplyPlan::End::silent);
    EXPECT_EQ(silent.silence, 7s);
}

TEST(ReplyPlanTest, faults_add_up) {
    ReplyPlan plan{.bytes = "A0FAC0B1234"};
    EXPECT_TRUE(spoil(plan, completed({.kind = FaultKind::late, .delay = 5ms}), 1));
    EXPECT_TRUE(spoil(plan, completed({.kind = FaultKind::late, .delay = 7ms}), 1));
    EXPECT_TRUE(spoil(plan, completed({.kind = FaultKind::wrong_value}), 1));
    EXPECT_TRUE(spoil(plan, completed({.kind = FaultKind::lower_case}), 1));
    EXPECT_EQ(plan.delay, 12ms);
    EXPECT_EQ(plan.bytes, "a0fac0b1235");
}

TEST(ReplyPlanTest, faults_of_connections_are_none_of_a_reply) {
    for (const FaultInfo& info : fault_table()) {
        if (info.point == FaultPoint::frame) {
            continue;
        }
        ReplyPlan plan{.bytes = "A0FAC0B1234"};
        EXPECT_FALSE(spoil(plan, {.kind = info.kind}, 1)) << info.name;
        EXPECT_EQ(plan.bytes, "A0FAC0B1234");
    }
}

}  // namespace
