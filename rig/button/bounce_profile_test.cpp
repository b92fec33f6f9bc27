#include "rig/button/bounce_profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using rig::press_steps;
using rig::PressStep;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string trouble_with(std::string_view profile, std::chrono::nanoseconds hold = 50ms) {
    try {
        static_cast<void>(press_steps(profile, hold));
    } catch (const rig::NoBench& error) {
        return error.what();
    }
    return "(nothing)";
}

/// Edges before the contact begins to open, the first one included.
std::size_t edges_of_closing(const std::vector<PressStep>& steps, std::chrono::nanoseconds hold) {
    std::size_t edges = 0;
    while (edges < steps.size() && steps[edges].after_ns < hold.count()) {
        ++edges;
    }
    return edges;
}

TEST(BounceProfile, ideal_is_two_edges) {
    EXPECT_EQ(press_steps("ideal", 30ms),
              (std::vector<PressStep>{{.after_ns = 0, .closed = true},
                                      {.after_ns = 30'000'000, .closed = false}}));
}

TEST(BounceProfile, a_text_always_means_the_same_train) {
    // Recordings name a profile in order to play it again: these numbers must never change.
    const auto steps = press_steps("tactile:seed=7", 30ms);
    std::vector<std::int64_t> times_ns;
    for (const PressStep& step : steps) {
        times_ns.push_back(step.after_ns);
    }
    EXPECT_THAT(times_ns, ::testing::ElementsAre(0, 119649, 217595, 323006, 507525, 690340, 792300,
                                                 955156, 1152473, 30000000, 30114771, 30170764,
                                                 30281494, 30385216, 30502785, 30609402));
}

TEST(BounceProfile, another_seed_is_another_train) {
    EXPECT_NE(press_steps("tactile:seed=7", 30ms), press_steps("tactile:seed=8", 30ms));
    EXPECT_EQ(press_steps("worn", 30ms), press_steps("worn:seed=1", 30ms)) << "no seed is seed 1";
    EXPECT_NE(press_steps("worn:seed=0", 30ms),
              press_steps("worn:seed=18446744073709551615", 30ms));
}

TEST(BounceProfile, every_train_begins_closed_ends_open_alternates_and_never_goes_back) {
    for (const std::string name : {"tactile", "worn"}) {
        for (int seed = 0; seed < 200; ++seed) {
            const auto steps = press_steps(name + ":seed=" + std::to_string(seed), 25ms);
            ASSERT_TRUE(steps.front().closed);
            ASSERT_EQ(steps.front().after_ns, 0);
            ASSERT_FALSE(steps.back().closed);
            for (std::size_t i = 1; i < steps.size(); ++i) {
                ASSERT_NE(steps[i].closed, steps[i - 1].closed) << name << " seed " << seed;
                ASSERT_GE(steps[i].after_ns - steps[i - 1].after_ns, 20'000);
            }
        }
    }
}

TEST(BounceProfile, a_contact_bounces_as_long_and_as_often_as_its_name_says) {
    for (int seed = 0; seed < 200; ++seed) {
        const std::string suffix = ":seed=" + std::to_string(seed);
        const auto tactile = press_steps("tactile" + suffix, 25ms);
        const std::size_t tactile_closing = edges_of_closing(tactile, 25ms);
        ASSERT_THAT(tactile_closing, AllOf(::testing::Ge(3U), ::testing::Le(9U)));
        ASSERT_LE(tactile[tactile_closing - 1].after_ns, 1'600'000);
        ASSERT_EQ(tactile[tactile_closing].after_ns, 25'000'000) << "it begins to open at `hold`";
        ASSERT_LE(tactile.back().after_ns, 25'000'000 + 900'000);

        const auto worn = press_steps("worn" + suffix, 25ms);
        const std::size_t worn_closing = edges_of_closing(worn, 25ms);
        ASSERT_THAT(worn_closing, AllOf(::testing::Ge(17U), ::testing::Le(41U)));
        ASSERT_LE(worn[worn_closing - 1].after_ns, 20'000'000);
        ASSERT_LE(worn.back().after_ns, 25'000'000 + 14'000'000);
    }
}

TEST(BounceProfile, a_glitch_is_as_long_as_it_says_and_not_as_the_hold) {
    EXPECT_EQ(press_steps("glitch:200us", 30ms).back().after_ns, 200'000);
    EXPECT_EQ(press_steps("glitch:1us", 30ms).back().after_ns, 1'000);
    EXPECT_EQ(press_steps("glitch:100ms", 30ms).back().after_ns, 100'000'000);
    EXPECT_EQ(press_steps("glitch", 30ms).back().after_ns, 500'000);
    EXPECT_EQ(press_steps("glitch", 30ms).size(), 2U);
}

TEST(BounceProfile, a_hold_that_ends_within_the_bounces_is_refused_whatever_the_seed) {
    EXPECT_EQ(trouble_with("worn", 20ms),
              "a worn contact bounces for up to 20000 us as it closes: hold it for longer than "
              "that, not for 20000 us");
    EXPECT_EQ(trouble_with("worn", 20ms + 1us), "(nothing)");
    EXPECT_THAT(trouble_with("tactile:seed=3", 1ms), HasSubstr("up to 1600 us"));
}

TEST(BounceProfile, what_is_no_profile_is_refused_with_what_there_is) {
    EXPECT_EQ(trouble_with("crisp"),
              "no bounce profile is called \"crisp\"; there are: ideal, tactile, worn, glitch");
    EXPECT_THAT(trouble_with(""), HasSubstr("called \"\""));
    EXPECT_THAT(trouble_with("ideal:seed=1"), HasSubstr("takes nothing after its name"));
    for (const std::string argument : {"", "7", "sed=7", "seed=", "seed=-1", "seed=7 ", "seed=1e3",
                                       "seed=18446744073709551616"}) {
        EXPECT_EQ(trouble_with("worn:" + argument),
                  "bounce profile worn: \"" + argument +
                      "\" is no seed; expected a whole number, as in worn:seed=7");
    }
    for (const std::string argument : {"", "200", "us", "0us", "-5us", "1.5ms", "101ms", "100001us",
                                       "3s", "9223372036854775807ms"}) {
        EXPECT_EQ(trouble_with("glitch:" + argument),
                  "bounce profile glitch: \"" + argument +
                      "\" is no length of a glitch; expected 1us to 100ms, as in glitch:200us");
    }
}

}  // namespace
