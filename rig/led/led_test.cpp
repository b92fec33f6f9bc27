#include "rig/led/led.hpp"

#include <gtest/gtest.h>

namespace {

using rig::Active;
using rig::Level;

TEST(Led, is_lit_at_its_active_level) {
    EXPECT_TRUE(rig::Led(Active::high, Level::high).is_on());
    EXPECT_FALSE(rig::Led(Active::high, Level::low).is_on());
    EXPECT_TRUE(rig::Led(Active::low, Level::low).is_on());
    EXPECT_FALSE(rig::Led(Active::low, Level::high).is_on());
}

TEST(Led, follows_its_edges) {
    rig::Led led(Active::high, Level::low);
    led.take({.at_ns = 5, .seqno = 1, .line = 0, .level = Level::high});
    EXPECT_TRUE(led.is_on());
    EXPECT_EQ(led.changed_ns(), 5);
    led.take({.at_ns = 9, .seqno = 2, .line = 0, .level = Level::low});
    EXPECT_FALSE(led.is_on());
    EXPECT_EQ(led.changes(), 2U);
}

TEST(Led, starts_over_dark_without_an_edge) {
    rig::Led led(Active::high, Level::high);
    led.set(Level::low);
    EXPECT_FALSE(led.is_on());
    EXPECT_EQ(led.changes(), 0U);
}

}  // namespace
