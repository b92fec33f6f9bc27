#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "wiced.h"
#include "wiced_resource.h"

namespace {

constexpr resource_hnd_t kText{RESOURCE_IN_MEMORY, 5, {.mem = {"hello"}}};

TEST(Resource, IsGivenFromAnOffsetAndCutAtTheMaximum) {
    std::uint32_t size = 0;
    const void* data = nullptr;
    EXPECT_EQ(resource_get_size(&kText), 5u);
    ASSERT_EQ(resource_get_readonly_buffer(&kText, 1, 3, &size, &data), WICED_SUCCESS);
    EXPECT_EQ(std::string(static_cast<const char*>(data), size), "ell");
    ASSERT_EQ(resource_get_readonly_buffer(&kText, 0, 2048, &size, &data), WICED_SUCCESS);
    EXPECT_EQ(size, 5u);
    EXPECT_EQ(static_cast<const char*>(data)[5], '\0');
    EXPECT_EQ(resource_free_readonly_buffer(&kText, data), WICED_SUCCESS);
}

TEST(Resource, IsReadIntoTheCallersMemory) {
    std::array<char, 8> memory{};
    std::uint32_t size = 0;
    ASSERT_EQ(resource_read(&kText, 2, memory.size(), &size, memory.data()), WICED_SUCCESS);
    EXPECT_EQ(size, 3u);
    EXPECT_STREQ(memory.data(), "llo");
}

TEST(Resource, AnOffsetPastItsEndGives4001AndAnotherStorage7) {
    std::uint32_t size = 0;
    const void* data = nullptr;
    EXPECT_EQ(resource_get_readonly_buffer(&kText, 6, 1, &size, &data), 4001);
    constexpr resource_hnd_t elsewhere{RESOURCE_IN_FILESYSTEM, 5, {.mem = {nullptr}}};
    EXPECT_EQ(resource_get_readonly_buffer(&elsewhere, 0, 1, &size, &data), 7);
}

}  // namespace
