#include "harness/bench/loop_thread.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

namespace {

using namespace harness;

class LoopThreadTest : public ::testing::Test {
  protected:
    LoopThreadTest() {
        loop_thread_.start([this](const LoopEnded& failure) { failure_ = failure.what(); });
    }

    /// Without an error handler an exception of a callback ends the loop.
    void let_the_loop_fail() {
        loop_thread_.loop().post([] { throw std::runtime_error("epoll is tired"); });
    }
    [[nodiscard]] std::string refusal() {
        try {
            loop_thread_.call([] {});
        } catch (const LoopEnded& error) {
            return error.what();
        }
        return "";
    }

    rig::SystemClock clock_;
    std::string failure_;
    LoopThread loop_thread_{clock_};
};

TEST_F(LoopThreadTest, a_call_returns_or_throws_what_its_work_did_on_the_loops_thread) {
    EXPECT_NE(loop_thread_.call([] { return std::this_thread::get_id(); }),
              std::this_thread::get_id());
    EXPECT_THROW(loop_thread_.call([] { throw std::out_of_range("no such line"); }),
                 std::out_of_range);
    EXPECT_FALSE(loop_thread_.has_failed());
}

TEST_F(LoopThreadTest, calls_of_a_loop_that_failed_say_why_instead_of_waiting_for_ever) {
    let_the_loop_fail();
    EXPECT_EQ(refusal(), "the rig's loop ended: epoll is tired");
    EXPECT_EQ(refusal(), "the rig's loop ended: epoll is tired") << "and the next one";
    EXPECT_EQ(failure_, "the rig's loop ended: epoll is tired");
    EXPECT_TRUE(loop_thread_.has_failed());
}

TEST_F(LoopThreadTest, a_call_that_waits_while_the_loop_fails_says_why) {
    std::promise<void> go_on;
    loop_thread_.loop().post([gate = go_on.get_future().share()] {
        gate.wait();
        throw std::runtime_error("epoll is tired");
    });
    auto waiting = std::async(std::launch::async, [this] { return refusal(); });
    go_on.set_value();
    EXPECT_EQ(waiting.get(), "the rig's loop ended: epoll is tired");
}

TEST_F(LoopThreadTest, work_that_must_be_done_is_done_by_the_caller_once_the_loop_has_failed) {
    EXPECT_NE(loop_thread_.call_or_do([] { return std::this_thread::get_id(); }),
              std::this_thread::get_id());
    let_the_loop_fail();
    ASSERT_NE(refusal(), "");
    EXPECT_EQ(loop_thread_.call_or_do([] { return std::this_thread::get_id(); }),
              std::this_thread::get_id());
    loop_thread_.stop();
}

}  // namespace
