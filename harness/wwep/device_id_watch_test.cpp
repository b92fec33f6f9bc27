#include "harness/wwep/device_id_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using harness::DeviceIdCollision;
using harness::DeviceIdWatch;
using rig::ns_per_s;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(DeviceIdWatch, reports_two_addresses_with_one_device_id) {
    DeviceIdWatch watch;
    EXPECT_THAT(watch.frame_seen(0x0FAC, "10.0.0.2:5001", 0), IsEmpty());
    EXPECT_THAT(watch.frame_seen(0x0FAC, "10.0.0.3:5001", ns_per_s),
                ElementsAre(DeviceIdCollision{0x0FAC, "10.0.0.2", "10.0.0.3"}));
}

TEST(DeviceIdWatch, leaves_ports_out_of_account) {
    DeviceIdWatch watch;
    EXPECT_THAT(watch.frame_seen(0x0FAC, "10.0.0.2:5001", 0), IsEmpty());
    EXPECT_THAT(watch.frame_seen(0x0FAC, "10.0.0.2:5002", 1), IsEmpty());
    EXPECT_THAT(watch.frame_seen(0x0FAD, "[::1]:5001", 2), IsEmpty());
    EXPECT_THAT(watch.frame_seen(0x0FAD, "[::1]:5002", 3), IsEmpty());
    EXPECT_THAT(watch.frame_seen(0x0FAD, "[fe80::2]:5002", 4),
                ElementsAre(DeviceIdCollision{0x0FAD, "::1", "fe80::2"}));
}

TEST(DeviceIdWatch, says_nothing_of_different_device_ids) {
    DeviceIdWatch watch;
    EXPECT_THAT(watch.frame_seen(0x0FAC, "10.0.0.2:1", 0), IsEmpty());
    EXPECT_THAT(watch.frame_seen(0x0FAD, "10.0.0.3:1", 0), IsEmpty());
}

TEST(DeviceIdWatch, reports_a_pair_once_whichever_comes_first) {
    DeviceIdWatch watch;
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.2:1", 0), IsEmpty());
    EXPECT_EQ(watch.frame_seen(1, "10.0.0.3:1", 1).size(), 1U);
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.2:2", 2), IsEmpty());
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.3:2", 3), IsEmpty());
}

TEST(DeviceIdWatch, reports_each_pair_of_three_addresses) {
    DeviceIdWatch watch;
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.2:1", 0), IsEmpty());
    EXPECT_EQ(watch.frame_seen(1, "10.0.0.3:1", 1).size(), 1U);
    EXPECT_EQ(watch.frame_seen(1, "10.0.0.4:1", 2).size(), 2U);
}

TEST(DeviceIdWatch, forgets_a_use_after_sixty_seconds) {
    DeviceIdWatch watch;
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.2:1", 0), IsEmpty());
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.3:1", 60 * ns_per_s + 1), IsEmpty());
    EXPECT_EQ(watch.frame_seen(1, "10.0.0.2:1", 120 * ns_per_s + 1).size(), 1U);
}

TEST(DeviceIdWatch, takes_a_use_for_as_new_as_its_last_frame) {
    DeviceIdWatch watch;
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.2:1", 0), IsEmpty());
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.2:1", 50 * ns_per_s), IsEmpty());
    EXPECT_EQ(watch.frame_seen(1, "10.0.0.3:1", 70 * ns_per_s).size(), 1U);
}

TEST(DeviceIdWatch, remembers_no_more_than_its_limit) {
    DeviceIdWatch watch;
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.2:1", 0), IsEmpty());
    for (std::size_t device = 0; device < DeviceIdWatch::uses_max; ++device) {
        EXPECT_THAT(watch.frame_seen(static_cast<std::uint16_t>(2 + device), "10.0.0.2:1", 1),
                    IsEmpty());
    }
    EXPECT_THAT(watch.frame_seen(1, "10.0.0.3:1", 2), IsEmpty()) << "the oldest use is forgotten";
    EXPECT_EQ(watch.frame_seen(3, "10.0.0.3:1", 2).size(), 1U) << "newer ones are not";
}

TEST(DeviceIdWatch, describes_a_collision_for_people) {
    EXPECT_EQ(harness::describe(DeviceIdCollision{0x0FAC, "10.0.0.2", "10.0.0.3"}),
              "device ID 0FAC is used by 10.0.0.2 and 10.0.0.3 within 60 s: they share their "
              "registers");
}

}  // namespace
