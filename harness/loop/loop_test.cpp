#include "harness/loop/loop.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

struct Pair {
    rig::UniqueFd here;
    rig::UniqueFd there;
};

Pair make_pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    return {rig::UniqueFd(fds[0]), rig::UniqueFd(fds[1])};
}

void say(const rig::UniqueFd& fd, const std::string& text) {
    ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string hear(const rig::UniqueFd& fd) {
    std::array<char, 64> buffer{};
    const auto got = ::read(fd.get(), buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
}

class LoopTest : public ::testing::Test {
  protected:
    rig::SystemClock clock_;
    harness::Loop loop_{clock_};
};

TEST_F(LoopTest, does_posted_work_in_order_before_it_stops) {
    std::string order;
    loop_.post([&] { order += 'a'; });
    loop_.post([&] { order += 'b'; });
    loop_.stop();
    loop_.run();
    EXPECT_EQ(order, "ab");
}

TEST_F(LoopTest, takes_work_from_another_thread) {
    std::thread::id ran_in;
    std::thread other([this, &ran_in] {
        loop_.post([&ran_in] { ran_in = std::this_thread::get_id(); });
        loop_.stop();
    });
    loop_.run();
    other.join();
    EXPECT_EQ(ran_in, std::this_thread::get_id());
}

TEST_F(LoopTest, calls_a_watcher_when_its_descriptor_becomes_readable) {
    auto pair = make_pair();
    std::string heard;
    const auto id = loop_.watch(pair.here.get(), {.readable = true}, [&](harness::Ready ready) {
        EXPECT_TRUE(ready.readable);
        heard = hear(pair.here);
        loop_.stop();
    });
    say(pair.there, "hello");
    loop_.run();
    EXPECT_EQ(heard, "hello");
    loop_.unwatch(id);
}

TEST_F(LoopTest, asks_for_nothing_it_was_not_told_to_ask_for) {
    auto pair = make_pair();
    int calls = 0;
    const auto id = loop_.watch(pair.here.get(), {}, [&](harness::Ready) { ++calls; });
    say(pair.there, "hello");
    [[maybe_unused]] auto soon =
        loop_.at(clock_.monotonic_ns() + 5 * rig::ns_per_ms, [&] { loop_.stop(); });
    loop_.run();
    EXPECT_EQ(calls, 0);

    loop_.change(id, {.readable = true});
    soon = loop_.at(clock_.monotonic_ns() + 5 * rig::ns_per_ms, [&] { loop_.stop(); });
    loop_.run();
    EXPECT_GT(calls, 0);
}

TEST_F(LoopTest, does_not_call_a_watcher_that_was_unwatched_in_the_same_round) {
    auto first = make_pair();
    auto second = make_pair();
    std::array<harness::Loop::WatchId, 2> ids{};
    int calls = 0;
    const auto forget_both = [&](harness::Ready) {
        ++calls;
        loop_.unwatch(ids[0]);
        loop_.unwatch(ids[1]);
        loop_.stop();
    };
    ids[0] = loop_.watch(first.here.get(), {.readable = true}, forget_both);
    ids[1] = loop_.watch(second.here.get(), {.readable = true}, forget_both);
    say(first.there, "a");
    say(second.there, "b");
    loop_.run();
    EXPECT_EQ(calls, 1);
}

TEST_F(LoopTest, keeps_a_watch_when_an_older_one_of_the_same_number_is_forgotten) {
    auto old_pair = make_pair();
    const int number = old_pair.here.get();
    const auto old_id = loop_.watch(number, {.readable = true}, [](harness::Ready) {});
    old_pair.here.reset();
    auto new_pair = make_pair();
    ASSERT_EQ(new_pair.here.get(), number) << "the kernel gives the lowest free number";
    bool called = false;
    const auto new_id = loop_.watch(number, {.readable = true}, [&](harness::Ready) {
        called = true;
        loop_.stop();
    });
    loop_.unwatch(old_id);
    say(new_pair.there, "hello");
    [[maybe_unused]] const auto guard =
        loop_.at(clock_.monotonic_ns() + rig::ns_per_s, [&] { loop_.stop(); });
    loop_.run();
    EXPECT_TRUE(called);
    loop_.unwatch(new_id);
}

TEST_F(LoopTest, reports_a_hang_up_to_who_only_wants_to_write) {
    auto pair = make_pair();
    harness::Ready seen;
    const auto id = loop_.watch(pair.here.get(), {}, [&](harness::Ready ready) {
        seen = ready;
        loop_.stop();
    });
    pair.there.reset();
    loop_.run();
    EXPECT_TRUE(seen.readable && seen.writable);
    loop_.unwatch(id);
}

TEST_F(LoopTest, fires_timers_in_the_order_of_their_times) {
    std::string order;
    const auto now_ns = clock_.monotonic_ns();
    [[maybe_unused]] auto timer = loop_.at(now_ns + 3 * rig::ns_per_ms, [&] {
        order += 'c';
        loop_.stop();
    });
    timer = loop_.at(now_ns + 1 * rig::ns_per_ms, [&] { order += 'a'; });
    timer = loop_.at(now_ns + 2 * rig::ns_per_ms, [&] { order += 'b'; });
    loop_.run();
    EXPECT_EQ(order, "abc");
    EXPECT_GE(clock_.monotonic_ns(), now_ns + 3 * rig::ns_per_ms);
}

TEST_F(LoopTest, does_not_fire_a_cancelled_timer) {
    int fired = 0;
    const auto now_ns = clock_.monotonic_ns();
    loop_.cancel(loop_.at(now_ns, [&] { ++fired; }));
    const auto timer = loop_.at(now_ns + rig::ns_per_ms, [&] { loop_.stop(); });
    loop_.run();
    loop_.cancel(timer);  // it has fired: ignored
    EXPECT_EQ(fired, 0);
}

TEST_F(LoopTest, a_timer_that_sets_itself_anew_at_once_leaves_others_their_turn) {
    int fired = 0;
    std::function<void()> again = [&] {
        if (++fired < 1'000'000) {
            static_cast<void>(loop_.at(1, again));
        }
    };
    static_cast<void>(loop_.at(1, again));
    Pair pair = make_pair();
    int fired_when_heard = 0;
    static_cast<void>(loop_.watch(pair.here.get(), {.readable = true}, [&](harness::Ready) {
        fired_when_heard = fired;
        loop_.stop();
    }));
    say(pair.there, "x");
    loop_.run();
    EXPECT_LT(fired_when_heard, 1'000);
}

TEST_F(LoopTest, a_due_timer_that_another_due_one_cancels_does_not_fire) {
    harness::Loop::TimerId second = 0;
    bool has_fired = false;
    static_cast<void>(loop_.at(1, [&] {
        loop_.cancel(second);
        loop_.stop();
    }));
    second = loop_.at(2, [&] { has_fired = true; });
    loop_.run();
    EXPECT_FALSE(has_fired);
}

TEST_F(LoopTest, lives_on_after_a_callback_threw) {
    std::string message;
    loop_.on_error([&](const std::exception& error) { message = error.what(); });
    loop_.post([] { throw std::runtime_error("connection 7 broke"); });
    bool done = false;
    loop_.post([&] { done = true; });
    loop_.stop();
    loop_.run();
    EXPECT_EQ(message, "connection 7 broke");
    EXPECT_TRUE(done);
}

TEST_F(LoopTest, can_run_again_after_it_stopped) {
    loop_.stop();
    loop_.run();
    bool done = false;
    loop_.post([&] { done = true; });
    loop_.stop();
    loop_.run();
    EXPECT_TRUE(done);
}

}  // namespace
