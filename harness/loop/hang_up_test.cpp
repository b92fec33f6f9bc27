#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "harness/loop/loop.hpp"

namespace {

TEST(HangUpTest, of_a_watch_that_asks_for_nothing_is_told_once_and_again_when_it_asks) {
    const rig::SystemClock clock;
    harness::Loop loop(clock);
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    const rig::UniqueFd here(ends[0]);
    rig::UniqueFd there(ends[1]);

    int told = 0;
    int told_while_it_asked_for_nothing = 0;
    const auto watch = loop.watch(here.get(), {}, [&](harness::Ready) { ++told; });
    there.reset();
    static_cast<void>(loop.at(clock.monotonic_ns() + 20 * rig::ns_per_ms, [&] {
        told_while_it_asked_for_nothing = told;
        loop.change(watch, {.readable = true});
    }));
    static_cast<void>(
        loop.at(clock.monotonic_ns() + 40 * rig::ns_per_ms, [&loop] { loop.stop(); }));
    loop.run();

    EXPECT_EQ(told_while_it_asked_for_nothing, 1);
    EXPECT_GT(told, 1);
}

}  // namespace
