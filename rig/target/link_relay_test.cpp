#include "rig/target/link_relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>

#include "rig/base/errors.hpp"

namespace {

using namespace std::string_literals;
using rig::LinkRelay;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t from_board = 0;
constexpr std::size_t to_board = 1;

/// Plays QEMU.
class LinkRelayTest : public ::testing::Test {
  protected:
    void give(std::size_t direction, const std::string& bytes) {
        ASSERT_EQ(::send(qemu_[direction].get(), bytes.data(), bytes.size(), 0),
                  static_cast<ssize_t>(bytes.size()));
    }
    std::string taken(std::size_t direction) {
        std::array<char, 65'536> buffer;
        const ssize_t got =
            ::recv(qemu_[direction].get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
    }
    void pass_on(rig::TimestampNs now_ns) {
        while (relay_.pass_on(now_ns)) {
        }
    }

    LinkRelay relay_;
    std::array<rig::UniqueFd, 2> qemu_ = relay_.plug_in();
};

TEST_F(LinkRelayTest, frames_go_on_unchanged_however_they_are_cut) {
    const std::string two = "\0\0\0\3abc\0\0\0\2de"s;
    give(from_board, two.substr(0, 2));
    pass_on(1);
    EXPECT_THAT(taken(from_board), IsEmpty());
    give(from_board, two.substr(2, 8));
    pass_on(1);
    EXPECT_EQ(taken(from_board), two.substr(0, 7));
    give(from_board, two.substr(10));
    give(to_board, two);
    pass_on(1);
    EXPECT_EQ(taken(from_board), two.substr(7));
    EXPECT_EQ(taken(to_board), two);
    EXPECT_EQ(relay_.counts().frames, 4);
    EXPECT_EQ(relay_.next_deadline_ns(), 0);
}

TEST_F(LinkRelayTest, what_is_under_way_goes_on_when_the_faults_end) {
    relay_.set_faults({.delay = std::chrono::nanoseconds(10)}, 1);
    give(from_board, "\0\0\0\1a"s);
    give(to_board, "\0\0\0\1b"s);
    pass_on(3);
    EXPECT_THAT(taken(from_board), IsEmpty());
    EXPECT_EQ(relay_.next_deadline_ns(), 13);
    relay_.set_faults({}, 4);
    EXPECT_EQ(taken(from_board), "\0\0\0\1a"s);
    EXPECT_EQ(taken(to_board), "\0\0\0\1b"s);
    EXPECT_EQ(relay_.counts().frames, 0);
    EXPECT_EQ(relay_.next_deadline_ns(), 0);
}

TEST_F(LinkRelayTest, both_directions_have_faults_and_counts_are_of_both) {
    relay_.set_faults({.loss = 1.0}, 1);
    give(from_board, "\0\0\0\1a"s);
    give(to_board, "\0\0\0\1b"s);
    pass_on(1);
    EXPECT_THAT(taken(from_board) + taken(to_board), IsEmpty());
    EXPECT_EQ(relay_.counts().lost, 2);
}

TEST_F(LinkRelayTest, what_qemu_does_not_take_at_once_is_kept_for_it) {
    const std::string frame = "\0\0\xFF\xFF"s + std::string(65'535, 'x');
    std::size_t total = 0;
    constexpr std::size_t frames = 20;
    for (std::size_t i = 0; i < frames; ++i) {
        give(to_board, frame);
        pass_on(1);
    }
    ASSERT_NE(relay_.next_deadline_ns(), 0);
    for (std::string bytes = taken(to_board); !bytes.empty(); bytes = taken(to_board)) {
        total += bytes.size();
        pass_on(2);
    }
    EXPECT_EQ(total, frames * frame.size());
    EXPECT_EQ(relay_.next_deadline_ns(), 0);
}

TEST_F(LinkRelayTest, qemu_that_has_gone_is_watched_no_more_until_it_is_plugged_in_again) {
    EXPECT_THAT(relay_.descriptors(), SizeIs(2));
    qemu_ = {};
    pass_on(1);
    EXPECT_THAT(relay_.descriptors(), IsEmpty());
    qemu_ = relay_.plug_in();
    give(to_board, "\0\0\0\1b"s);
    pass_on(2);
    EXPECT_EQ(taken(to_board), "\0\0\0\1b"s);
}

TEST_F(LinkRelayTest, what_is_no_frame_is_refused) {
    give(from_board, "\x7F\xFF\xFF\xFFHTTP"s);
    EXPECT_THROW(pass_on(1), rig::RigError);
}

}  // namespace
