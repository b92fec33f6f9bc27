#include "harness/server/faults.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using harness::FaultKind;
using harness::Faults;

class FaultsTest : public ::testing::Test {
  protected:
    harness::FrameFault frame(std::uint16_t device = 5) {
        return faults_.frame(device, [this](FaultKind kind) { fired_.push_back(kind); });
    }
    Faults faults_;
    std::vector<FaultKind> fired_;
};

TEST_F(FaultsTest, nothing_goes_wrong_unless_asked) {
    EXPECT_FALSE(frame().answers_x);
    EXPECT_EQ(frame().delay, 0ns);
    EXPECT_TRUE(fired_.empty());
}

TEST_F(FaultsTest, a_fault_fires_on_each_frame_until_it_is_removed) {
    const auto id = faults_.add({.kind = FaultKind::answer_x});
    EXPECT_TRUE(frame().answers_x);
    EXPECT_TRUE(frame().answers_x);
    EXPECT_EQ(faults_.remove(id), 2);
    EXPECT_FALSE(frame().answers_x);
}

TEST_F(FaultsTest, the_nth_chance_is_the_only_one) {
    const auto id = faults_.add({.kind = FaultKind::late, .delay = 5ms, .nth = 2});
    EXPECT_EQ(frame().delay, 0ns);
    EXPECT_EQ(frame().delay, 5ms);
    EXPECT_EQ(frame().delay, 0ns);
    EXPECT_EQ(faults_.remove(id), 1);
}

TEST_F(FaultsTest, another_devices_frame_is_no_chance) {
    const auto id = faults_.add({.kind = FaultKind::answer_x, .nth = 1, .device = 7});
    EXPECT_FALSE(frame(5).answers_x);
    EXPECT_TRUE(frame(7).answers_x);
    EXPECT_EQ(faults_.remove(id), 1);
}

TEST_F(FaultsTest, an_illegal_frame_has_no_device_and_escapes_a_devices_fault) {
    static_cast<void>(faults_.add({.kind = FaultKind::answer_x, .device = 7}));
    EXPECT_FALSE(faults_.frame(std::nullopt, [](FaultKind) {}).answers_x);
}

TEST_F(FaultsTest, the_same_seed_throws_the_same_dice) {
    const auto sequence = [](std::uint64_t seed) {
        Faults faults;
        static_cast<void>(
            faults.add({.kind = FaultKind::answer_x, .probability = 0.5, .seed = seed}));
        std::vector<bool> result;
        for (int i = 0; i < 64; ++i) {
            result.push_back(faults.frame(1, [](FaultKind) {}).answers_x);
        }
        return result;
    };
    EXPECT_EQ(sequence(1), sequence(1));
    EXPECT_NE(sequence(1), sequence(2));
}

TEST_F(FaultsTest, faults_add_up) {
    static_cast<void>(faults_.add({.kind = FaultKind::late, .delay = 5ms}));
    static_cast<void>(faults_.add({.kind = FaultKind::late, .delay = 7ms}));
    static_cast<void>(faults_.add({.kind = FaultKind::answer_x}));
    const auto both = frame();
    EXPECT_EQ(both.delay, 12ms);
    EXPECT_TRUE(both.answers_x);
    EXPECT_EQ(fired_.size(), 3U);
}

TEST_F(FaultsTest, gone_fires_once_when_the_listeners_go) {
    const auto id = faults_.add({.kind = FaultKind::gone});
    EXPECT_TRUE(faults_.is_gone());
    const auto remember = [this](FaultKind kind) { fired_.push_back(kind); };
    faults_.mark_gone(remember);
    faults_.mark_gone(remember);
    EXPECT_EQ(fired_, std::vector<FaultKind>{FaultKind::gone});
    EXPECT_EQ(faults_.remove(id), 1);
    EXPECT_FALSE(faults_.is_gone());
}

TEST_F(FaultsTest, values_out_of_range_are_refused_by_name) {
    EXPECT_THROW(static_cast<void>(faults_.add({.kind = FaultKind::late, .delay = -1ns})),
                 rig::NoBench);
    EXPECT_THROW(static_cast<void>(faults_.add({.probability = 1.5})), rig::NoBench);
    EXPECT_THROW(static_cast<void>(faults_.add({.nth = -1})), rig::NoBench);
    EXPECT_THROW(static_cast<void>(harness::fault_kind("absent")), rig::NoBench);
    EXPECT_EQ(harness::fault_kind("answer_x"), FaultKind::answer_x);
}

}  // namespace
