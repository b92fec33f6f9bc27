#include "rig/base/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace {

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

int open_descriptor() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST(UniqueFd, closes_its_descriptor_when_it_goes) {
    const int fd = open_descriptor();
    {
        const rig::UniqueFd owner(fd);
        ASSERT_TRUE(is_open(fd));
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, moves_ownership_and_leaves_nothing_behind) {
    const int fd = open_descriptor();
    rig::UniqueFd first(fd);
    const rig::UniqueFd second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): the moved-from state is the contract
    EXPECT_EQ(second.get(), fd);
    EXPECT_TRUE(is_open(fd));
}

TEST(UniqueFd, closes_the_old_descriptor_when_it_takes_a_new_one) {
    const int old_fd = open_descriptor();
    rig::UniqueFd owner(old_fd);
    const int new_fd = open_descriptor();
    owner.reset(new_fd);
    EXPECT_FALSE(is_open(old_fd));
    EXPECT_TRUE(is_open(new_fd));
}

TEST(UniqueFd, gives_its_descriptor_away_without_closing_it) {
    rig::UniqueFd owner(open_descriptor());
    const rig::UniqueFd heir(owner.release());
    EXPECT_FALSE(owner);
    EXPECT_TRUE(is_open(heir.get()));
}

}  // namespace
