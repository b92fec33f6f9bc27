// The real QEMU with a tiny image of the tests' own (emulated_double.c), and the lines on it. Where
// QEMU or the compiler of the image is missing these tests skip, which ci/test does not allow in
// CI.
#include "rig/target/emulator_target.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "rig/base/errors.hpp"
#include "rig/target/enclosure.hpp"

namespace {

using namespace std::chrono_literals;
using rig::Direction;
using rig::Edge;
using rig::EmulatorTarget;
using rig::Level;
using rig::TargetEnded;
using rig::TargetEvent;
using rig::TargetStarted;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const rig::SystemClock system_clock;
constexpr auto patience = 60s;
constexpr const char* qemu = "/usr/bin/qemu-system-arm";
constexpr std::uint32_t button0 = 0;
constexpr std::uint32_t button1 = 1;
constexpr std::uint32_t led0 = 2;
constexpr std::uint32_t led1 = 3;

rig::LineSpec line_of(std::string name, std::string pin, Direction direction) {
    return {.name = std::move(name),
            .chip = {},
            .line = std::move(pin),
            .direction = direction,
            .active = direction == Direction::output ? rig::Active::low : rig::Active::high};
}

class EmulatorTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (std::string(WWEP_EMULATED_DOUBLE).empty() || ::access(qemu, X_OK) != 0) {
            GTEST_SKIP() << "NOT TESTED: the emulated board needs Debian's qemu-system-arm and "
                            "gcc-arm-none-eabi; install them and configure anew";
        }
        std::string name = ::testing::TempDir() + "emulator-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        enclosure_.emplace(WWEP_ENCLOSURE, "198.51.100.3", std::vector<rig::EnclosedPlace>{},
                           system_clock);
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    rig::EmulatorSpec spec() {
        return {.helper = WWEP_ENCLOSURE,
                .emulator = qemu,
                .folder = folder_,
                .image = WWEP_EMULATED_DOUBLE,
                .mac = "02:00:00:00:00:01",
                .user_namespace = enclosure_->user_namespace(),
                .network_namespace = enclosure_->network_namespace()};
    }
    EmulatorTarget& make(rig::EmulatorSpec spec) {
        return target_.emplace(system_clock, std::move(spec), [this] { return lines_.plug(); });
    }
    void start() { start(spec()); }
    void start(rig::EmulatorSpec spec) {
        make(std::move(spec)).start();
        ASSERT_TRUE(until([this] { return is_ready(1); })) << said();
    }
    bool is_ready(std::uint64_t starts) {
        return lines_.hellos() == starts &&
               static_cast<std::uint64_t>(std::count(console_.begin(), console_.end(), "ready")) ==
                   starts;
    }

    /// Plays the loop until `is_done`, or the patience ends.
    template <typename Predicate>
    bool until(Predicate is_done) {
        const auto give_up = rig::Deadline::after(system_clock, patience);
        while (!is_done()) {
            if (give_up.has_passed(system_clock)) {
                return false;
            }
            look();
            if (is_done()) {
                return true;
            }
            std::vector<pollfd> waited;
            for (const auto& descriptors : {target_->descriptors(), lines_.descriptors()}) {
                for (const int fd : descriptors) {
                    waited.push_back({.fd = fd, .events = POLLIN, .revents = 0});
                }
            }
            static_cast<void>(::poll(waited.data(), waited.size(), 50));
        }
        return true;
    }
    void look() {
        std::vector<TargetEvent> events;
        while (target_->read(events)) {
        }
        while (lines_.read_edges(edges_)) {
        }
        for (const TargetEvent& event : events) {
            if (const auto* const text = std::get_if<rig::ConsoleText>(&event)) {
                console_.push_back(text->text);
            } else if (const auto* const ended = std::get_if<TargetEnded>(&event)) {
                ends_.push_back(*ended);
            } else if (const auto* const failed = std::get_if<rig::CarrierFailed>(&event)) {
                failures_.push_back(failed->what);
            } else if (std::holds_alternative<TargetStarted>(event)) {
                ++starts_;
                said_before_start_ = static_cast<int>(console_.size());
            }
        }
    }
    bool says(const std::string& text) {
        return until(
            [&] { return std::find(console_.begin(), console_.end(), text) != console_.end(); });
    }
    std::string said() const {
        std::string text;
        for (const auto& line : console_) {
            text += line + "\n";
        }
        return text;
    }
    void press(std::uint32_t button) {
        static_cast<void>(lines_.drive(button, Level::low));
        lines_.release(button);
    }
    bool ends() {
        return until([this] { return !ends_.empty(); });
    }

    rig::QemuLines lines_{
        {line_of("button0", "PF1", Direction::output), line_of("button1", "PE0", Direction::output),
         line_of("led0", "PF0", Direction::input), line_of("led1", "PF2", Direction::input)},
        system_clock};
    std::string folder_;
    std::optional<rig::Enclosure> enclosure_;
    std::optional<EmulatorTarget> target_;
    std::vector<Edge> edges_;
    std::vector<std::string> console_;
    std::vector<std::string> failures_;
    std::vector<TargetEnded> ends_;
    int starts_ = 0;
    int said_before_start_ = 0;  // lines of the console
};

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

TEST_F(EmulatorTest, without_an_enclosure_the_board_reaches_nobody_but_is_reached) {
    auto alone = spec();
    alone.user_namespace = alone.network_namespace = -1;
    alone.forwarded = {{.address = "127.0.0.1", .port = 0, .board_port = 27708}};
    ASSERT_NO_FATAL_FAILURE(start(alone));
    press(button1);
    EXPECT_TRUE(until([&] { return edges_.size() == 1; }));
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
