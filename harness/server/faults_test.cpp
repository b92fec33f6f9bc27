#include "harness/server/faults.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using harness::FaultKind;
using harness::FaultPoint;
using harness::FaultPort;
using harness::Faults;

class FaultsTest : public ::testing::Test {
  protected:
    /// How many faults strike a frame; they are counted as fired.
    std::size_t frame(std::uint16_t device = 5, FaultPort port = FaultPort::clear) {
        const auto struck = faults_.strike(FaultPoint::frame, port, device);
        for (const auto& fault : struck) {
            faults_.count_fired(fault.id);
        }
        return struck.size();
    }
    Faults faults_;
};

TEST_F(FaultsTest, nothing_goes_wrong_unless_asked) {
    EXPECT_FALSE(faults_.are_armed());
    EXPECT_EQ(frame(), 0U);
    EXPECT_FALSE(faults_.is_gone(0));
}

TEST_F(FaultsTest, a_fault_fires_on_each_frame_until_it_is_removed) {
    const auto id = faults_.add({.kind = FaultKind::answer_x});
    EXPECT_TRUE(faults_.are_armed());
    EXPECT_EQ(frame(), 1U);
    EXPECT_EQ(frame(), 1U);
    EXPECT_EQ(faults_.remove(id), 2);
    EXPECT_EQ(frame(), 0U);
}

TEST_F(FaultsTest, the_nth_chance_is_the_only_one) {
    const auto id = faults_.add({.kind = FaultKind::late, .delay = 5ms, .nth = 2});
    EXPECT_EQ(frame(), 0U);
    EXPECT_EQ(frame(), 1U);
    EXPECT_EQ(frame(), 0U);
    EXPECT_EQ(faults_.remove(id), 1);
}

TEST_F(FaultsTest, another_devices_frame_is_no_chance) {
    const auto id = faults_.add({.kind = FaultKind::answer_x, .nth = 1, .device = 7});
    EXPECT_EQ(frame(5), 0U);
    EXPECT_EQ(frame(7), 1U);
    EXPECT_EQ(faults_.remove(id), 1);
}

TEST_F(FaultsTest, the_other_port_is_no_chance) {
    const auto id = faults_.add({.kind = FaultKind::answer_x, .nth = 1, .port = FaultPort::secure});
    EXPECT_EQ(frame(5, FaultPort::clear), 0U);
    EXPECT_EQ(frame(5, FaultPort::secure), 1U);
    EXPECT_EQ(faults_.remove(id), 1);
}

TEST_F(FaultsTest, a_fault_waits_for_its_own_point_only) {
    const auto id = faults_.add({.kind = FaultKind::closed_at_accept, .nth = 1});
    EXPECT_EQ(frame(), 0U);
    EXPECT_EQ(faults_.strike(FaultPoint::connection, FaultPort::clear).size(), 1U);
    EXPECT_EQ(faults_.remove(id), 0) << "struck, but nobody said that it came into effect";
}

TEST_F(FaultsTest, an_illegal_frame_has_no_device_and_escapes_a_devices_fault) {
    static_cast<void>(faults_.add({.kind = FaultKind::answer_x, .device = 7}));
    EXPECT_TRUE(faults_.strike(FaultPoint::frame, FaultPort::clear).empty());
}

TEST_F(FaultsTest, the_same_seed_throws_the_same_dice) {
    const auto sequence = [](std::uint64_t seed) {
        Faults faults;
        static_cast<void>(
            faults.add({.kind = FaultKind::answer_x, .probability = 0.5, .seed = seed}));
        std::vector<bool> result;
        for (int i = 0; i < 64; ++i) {
            result.push_back(!faults.strike(FaultPoint::frame, FaultPort::clear).empty());
        }
        return result;
    };
    EXPECT_EQ(sequence(1), sequence(1));
    EXPECT_NE(sequence(1), sequence(2));
}

TEST_F(FaultsTest, several_faults_strike_in_the_order_in_which_they_were_armed) {
    static_cast<void>(faults_.add({.kind = FaultKind::late, .delay = 5ms}));
    static_cast<void>(faults_.add({.kind = FaultKind::answer_x}));
    const auto struck = faults_.strike(FaultPoint::frame, FaultPort::clear);
    ASSERT_EQ(struck.size(), 2U);
    EXPECT_EQ(struck[0].spec.kind, FaultKind::late);
    EXPECT_EQ(struck[1].spec.kind, FaultKind::answer_x);
}

TEST_F(FaultsTest, gone_fires_once_when_the_listeners_go) {
    const auto id = faults_.add({.kind = FaultKind::gone});
    EXPECT_TRUE(faults_.is_gone(1));
    EXPECT_EQ(faults_.mark_gone(1).size(), 1U);
    EXPECT_EQ(faults_.mark_gone(2).size(), 0U);
    EXPECT_FALSE(faults_.gone_until_ns(2).has_value());
    EXPECT_EQ(faults_.remove(id), 1);
    EXPECT_FALSE(faults_.is_gone(3));
}

TEST_F(FaultsTest, gone_for_a_time_is_over_when_its_time_is) {
    static_cast<void>(faults_.add({.kind = FaultKind::gone, .delay = 10ns}));
    EXPECT_EQ(faults_.mark_gone(100).size(), 1U);
    EXPECT_EQ(faults_.gone_until_ns(101), 110);
    EXPECT_TRUE(faults_.is_gone(109));
    EXPECT_FALSE(faults_.is_gone(110));
    EXPECT_FALSE(faults_.gone_until_ns(110).has_value());
}

TEST_F(FaultsTest, values_out_of_range_are_refused) {
    EXPECT_THROW(static_cast<void>(faults_.add({.kind = FaultKind::late, .delay = -1ns})),
                 rig::NoBench);
    EXPECT_THROW(static_cast<void>(faults_.add({.kind = FaultKind::late})), rig::NoBench);
    EXPECT_THROW(static_cast<void>(faults_.add({.kind = FaultKind::answer_x, .probability = 1.5})),
                 rig::NoBench);
    EXPECT_THROW(static_cast<void>(faults_.add({.kind = FaultKind::answer_x, .nth = -1})),
                 rig::NoBench);
}

}  // namespace
