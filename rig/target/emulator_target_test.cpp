#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "rig/base/errors.hpp"
#include "rig/target/emulator_fixture.hpp"

namespace {

using rig::Edge;
using rig::Level;
using rig::testing::button0;
using rig::testing::button1;
using rig::testing::EmulatorTest;
using rig::testing::led0;
using rig::testing::led1;
using rig::testing::patience;
using rig::testing::system_clock;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(EmulatorTest, every_press_is_one_edge_stamped_between_the_press_and_the_look) {
    ASSERT_NO_FATAL_FAILURE(start());
    EXPECT_THAT(edges_, IsEmpty());  // the priming is no press
    for (std::size_t i = 0; i < 20; ++i) {
        const rig::TimestampNs before_ns = system_clock.monotonic_ns();
        press(i % 2 == 0 ? button0 : button1);
        ASSERT_TRUE(until([&] { return edges_.size() == i + 1; })) << said();
        const Edge& edge = edges_.back();
        EXPECT_EQ(edge.line, i % 2 == 0 ? led0 : led1);
        EXPECT_EQ(edge.level, i / 2 % 2 == 0 ? Level::high : Level::low);
        EXPECT_EQ(edge.seqno, i / 2 + 1);
        // QEMU's stamps are cut to the microsecond; a tenth of a millisecond is for the clocks.
        EXPECT_GE(edge.at_ns, before_ns - 100 * rig::ns_per_us);
        EXPECT_LE(edge.at_ns, system_clock.monotonic_ns());
    }
    EXPECT_TRUE(says("press 00000014"));
    EXPECT_EQ(lines_.edges_lost(), 0U);
}

TEST_F(EmulatorTest, a_reset_starts_anew_with_leds_off_and_the_first_press_counts) {
    ASSERT_NO_FATAL_FAILURE(start());
    press(button0);
    ASSERT_TRUE(until([&] { return edges_.size() == 1; }));
    ASSERT_TRUE(says("press 00000001"));
    target_->reset();
    ASSERT_TRUE(until([this] { return is_ready(2); })) << said();
    EXPECT_EQ(starts_, 2);
    EXPECT_EQ(said_before_start_, 2);  // "ready" and the press: what is said later is the new run's
    EXPECT_THAT(ends_, IsEmpty());
    EXPECT_EQ(lines_.level(led0), Level::low);
    press(button0);
    ASSERT_TRUE(until([&] { return edges_.size() == 2; }));
    EXPECT_EQ(edges_.back().level, Level::high);
    EXPECT_TRUE(until([this] {  // the firmware counts from one again
        return std::count(console_.begin(), console_.end(), "press 00000001") == 2;
    })) << said();
}

TEST_F(EmulatorTest, a_paused_board_does_nothing_and_goes_on_where_it_was) {
    ASSERT_NO_FATAL_FAILURE(start());
    target_->pause();
    EXPECT_THROW(static_cast<void>(lines_.drive(button0, Level::low)), rig::RigError);
    target_->type("after the pause");
    target_->go_on();
    ASSERT_TRUE(says("after the pause"));
    press(button0);
    EXPECT_TRUE(until([&] { return edges_.size() == 1; }));
    EXPECT_EQ(lines_.hellos(), 1U);
}

TEST_F(EmulatorTest, each_start_has_a_seed_of_its_own) {
    ASSERT_NO_FATAL_FAILURE(start());
    target_->type("seed");
    ASSERT_TRUE(until([this] { return console_.size() == 2; }));
    target_->stop_now();
    ASSERT_TRUE(ends());
    EXPECT_TRUE(ends_[0].was_asked);
    EXPECT_EQ(ends_[0].how, "killed by signal 9 (SIGKILL)");
    EXPECT_FALSE(lines_.is_connected());
    target_->start();
    ASSERT_TRUE(until([this] { return is_ready(2); })) << said();
    target_->type("seed");
    ASSERT_TRUE(until([this] { return console_.size() == 4; }));
    EXPECT_NE(console_[1], console_[3]);
    EXPECT_NE(console_[3], "0000000000000000");
    EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(EmulatorTest, what_the_firmware_prints_at_length_does_not_make_qemu_deaf) {
    ASSERT_NO_FATAL_FAILURE(start());
    target_->type("talk");
    for (int i = 0; i < 20; ++i) {
        press(button0);  // waits for QEMU's answer and reads no console meanwhile
    }
    ASSERT_TRUE(
        until([this] { return std::count(console_.begin(), console_.end(), "talking") == 1000; }));
    // Presses during the talk may merge: a busy machine lets the guest sleep from one to the next.
    const std::size_t edges_before = edges_.size();
    static_cast<void>(lines_.drive(button0, Level::low));
    EXPECT_TRUE(until([&] { return edges_.size() > edges_before; }));
}

TEST_F(EmulatorTest, a_stop_is_a_tidy_end) {
    ASSERT_NO_FATAL_FAILURE(start());
    target_->set_link(false);
    target_->set_link(true);
    target_->stop();
    ASSERT_TRUE(ends());
    EXPECT_TRUE(ends_[0].was_asked);
    EXPECT_THAT(failures_, IsEmpty());
    EXPECT_THROW(target_->pause(), rig::RigError);
    EXPECT_THROW(target_->type("x"), rig::RigError);
}

TEST_F(EmulatorTest, firmware_that_locks_the_processor_up_is_not_the_rigs_error) {
    ASSERT_NO_FATAL_FAILURE(start());
    target_->type("lock");
    ASSERT_TRUE(ends());
    EXPECT_FALSE(ends_[0].was_asked);
    EXPECT_THAT(ends_[0].how, HasSubstr("its processor locked up"));
    EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(EmulatorTest, qemus_own_end_is_the_rigs_error_with_its_words) {
    ASSERT_NO_FATAL_FAILURE(start());
    ASSERT_EQ(::kill(target_->pid(), SIGKILL), 0);
    ASSERT_TRUE(ends());
    ASSERT_THAT(failures_, SizeIs(1));
    EXPECT_THAT(failures_[0], HasSubstr("QEMU, which is the board, killed by signal 9"));

    auto wrong = spec();
    wrong.mac = "no address";
    ends_.clear();
    make(wrong).start();
    ASSERT_TRUE(ends());
    ASSERT_THAT(failures_, SizeIs(2));
    EXPECT_THAT(failures_[1], HasSubstr("invalid syntax for ethernet address"));
}

TEST_F(EmulatorTest, what_is_missing_is_named_with_the_remedy) {
    const auto refusal = [&](rig::EmulatorSpec wrong) -> std::string {
        try {
            make(std::move(wrong)).start();
        } catch (const rig::NoBench& error) {
            return error.what();
        }
        return "nothing";
    };
    auto wrong = spec();
    wrong.emulator = "/nowhere/qemu";
    EXPECT_THAT(refusal(wrong), HasSubstr("install Debian's qemu-system-arm"));
    wrong = spec();
    wrong.image = "/nowhere/image.elf";
    EXPECT_THAT(refusal(wrong), HasSubstr("/nowhere/image.elf; build it"));
}

TEST_F(EmulatorTest, at_an_mcus_speed_it_does_the_same) {
    auto slow = spec();
    slow.speed = rig::EmulatorSpeed::mcu;
    ASSERT_NO_FATAL_FAILURE(start(slow));
    press(button0);
    ASSERT_TRUE(until([&] { return edges_.size() == 1; }));
    EXPECT_EQ(edges_[0].line, led0);
}

/// How it ended; nothing: it lives on, and is killed now.
std::optional<int> end_of(pid_t process) {
    const auto give_up = rig::Deadline::after(system_clock, patience);
    int status = 0;
    while (::waitpid(process, &status, WNOHANG) != process) {
        if (give_up.has_passed(system_clock)) {
            ::kill(process, SIGKILL);
            ::waitpid(process, &status, 0);
            return std::nullopt;
        }
        static_cast<void>(::poll(nullptr, 0, 1));
    }
    return status;
}

TEST_F(EmulatorTest, it_dies_with_the_rig_however_soon_that_ends) {
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // what a killed child leaves is ours then
    for (int i = 0; i < 20; ++i) {
        int ends[2];
        ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        const rig::UniqueFd told(ends[0]);
        rig::UniqueFd tell(ends[1]);
        const pid_t child = ::fork();
        if (child == 0) {
            make(spec()).start();
            const int pid = target_->pid();
            static_cast<void>(::write(tell.get(), &pid, sizeof pid));
            ::pause();
        }
        tell.reset();
        int board = 0;
        ASSERT_EQ(::read(told.get(), &board, sizeof board), static_cast<ssize_t>(sizeof board));
        // It becomes QEMU meanwhile: the rig ends at one moment of that after another.
        static_cast<void>(::usleep(static_cast<useconds_t>(i * 100)));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        ASSERT_TRUE(end_of(child).has_value());
        const auto status = end_of(board);
        ASSERT_TRUE(status.has_value()) << "QEMU lives on, started " << i * 100 << " us before";
        EXPECT_TRUE(WIFSIGNALED(*status));
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace
