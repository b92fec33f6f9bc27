#include "rig/base/remedy.hpp"

#include <gtest/gtest.h>

#include "rig/base/errors.hpp"

namespace {

TEST(Remedied, keeps_trouble_and_remedy_apart_and_says_both) {
    try {
        throw rig::Remedied<rig::NoBench>("line led0; of chip 7: is busy", "end gpioset; or wait");
    } catch (const rig::NoBench& error) {
        EXPECT_STREQ(error.what(), "line led0; of chip 7: is busy; end gpioset; or wait");
        const rig::ErrorParts parts = rig::parts_of(error);
        EXPECT_EQ(parts.trouble, "line led0; of chip 7: is busy");
        EXPECT_EQ(parts.remedy, "end gpioset; or wait");
    }
}

TEST(Remedied, any_other_error_is_trouble_alone) {
    const rig::RigError error("the loop has ended; nothing can be done");
    EXPECT_EQ(rig::parts_of(error).trouble, "the loop has ended; nothing can be done");
    EXPECT_EQ(rig::parts_of(error).remedy, "");
}

}  // namespace
