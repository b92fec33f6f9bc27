#include "boot_counter.h"

#include <gtest/gtest.h>

namespace {

TEST(BootCounter, StartsAtOneInMemoryThatWasNeverWritten) {
    boot_counter_t zeroes{};
    boot_counter_t noise{0x12345678, 77, 78};

    EXPECT_EQ(boot_counter_next(&zeroes), 1u);
    EXPECT_EQ(boot_counter_next(&noise), 1u);
}

TEST(BootCounter, CountsEachBootAfterThat) {
    boot_counter_t counter{};

    EXPECT_EQ(boot_counter_next(&counter), 1u);
    EXPECT_EQ(boot_counter_next(&counter), 2u);
    EXPECT_EQ(boot_counter_next(&counter), 3u);
}

TEST(BootCounter, StartsAnewWhenABitOfItHasFlipped) {
    boot_counter_t counter{};
    (void)boot_counter_next(&counter);
    (void)boot_counter_next(&counter);

    counter.count ^= 0x40;

    EXPECT_EQ(boot_counter_next(&counter), 1u);
}

TEST(BootCounter, TheMagicAloneMakesNoCounter) {
    boot_counter_t counter{BOOT_COUNTER_MAGIC, 5, 5};

    EXPECT_EQ(boot_counter_next(&counter), 1u);
}

}  // namespace
