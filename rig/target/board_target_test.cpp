// The board is a pseudo-terminal: the test holds its far end and speaks as a board would.
#include "rig/target/board_target.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "rig/base/errors.hpp"

namespace {

using rig::BoardTarget;
using rig::ConsoleChanged;
using rig::ConsoleText;
using rig::SerialPort;
using rig::TargetEnded;
using rig::TargetEvent;
using rig::TargetStarted;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr rig::TimestampNs patience_ns = 20 * rig::ns_per_s;

class BoardTargetTest : public ::testing::Test {
  protected:
    BoardTargetTest() { plug_in(); }
    ~BoardTargetTest() override { std::filesystem::remove_all(folder_); }

    /// A new adapter under the old name, as udev's links give it.
    void plug_in() {
        int board = -1;
        int console = -1;
        char name[64] = {};
        ASSERT_EQ(::openpty(&board, &console, name, nullptr, nullptr), 0);
        board_ = rig::UniqueFd(board);
        ::close(console);
        std::filesystem::remove(path());
        std::filesystem::create_symlink(name, path());
    }
    void unplug() { board_.reset(); }
    [[nodiscard]] std::filesystem::path path() const { return folder_ / "console"; }

    void say(const std::string& text) {
        ASSERT_EQ(::write(board_.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    }

    /// Reads until an event of that kind has come; returns all that came, and keeps nothing.
    template <class Kind>
    std::vector<TargetEvent> read_until() {
        std::vector<TargetEvent> events;
        const rig::TimestampNs give_up_ns = clock_.monotonic_ns() + patience_ns;
        while (clock_.monotonic_ns() < give_up_ns) {
            const std::size_t known = events.size();
            static_cast<void>(target_.read(events));
            for (std::size_t i = known; i < events.size(); ++i) {
                if (std::holds_alternative<Kind>(events[i])) {
                    return events;
                }
            }
            wait();
        }
        ADD_FAILURE() << "no such event";
        return events;
    }

    /// Until a descriptor is readable or the deadline has come, as the loop does.
    void wait() {
        std::vector<pollfd> waited;
        for (const int fd : target_.descriptors()) {
            waited.push_back({.fd = fd, .events = POLLIN, .revents = 0});
        }
        ::poll(waited.data(), waited.size(), 10);
    }

    static std::vector<std::string> lines_of(const std::vector<TargetEvent>& events) {
        std::vector<std::string> lines;
        for (const TargetEvent& event : events) {
            if (const auto* const text = std::get_if<ConsoleText>(&event)) {
                lines.push_back(text->text);
            }
        }
        return lines;
    }

    std::string refused(const SerialPort& port) {
        try {
            static_cast<void>(rig::open_serial_port(port));
        } catch (const rig::NoBench& error) {
            return error.what();
        }
        return "(nothing)";
    }

    static std::string new_folder() {
        std::string folder = ::testing::TempDir() + "board_target_test.XXXXXX";
        return ::mkdtemp(folder.data());
    }

    rig::SystemClock clock_;
    std::filesystem::path folder_ = new_folder();
    rig::UniqueFd board_;
    BoardTarget target_{clock_, SerialPort{.path = path(), .baud = 115200}};
};

TEST_F(BoardTargetTest, what_the_board_says_after_it_began_is_its_console) {
    target_.start();
    EXPECT_TRUE(target_.is_running());
    say("hello\r\nI am up\r\n");
    const auto events = read_until<ConsoleText>();
    ASSERT_FALSE(events.empty());
    EXPECT_TRUE(std::holds_alternative<TargetStarted>(events.front()));
    auto lines = lines_of(events);
    while (lines.size() < 2) {
        const auto more = lines_of(read_until<ConsoleText>());
        lines.insert(lines.end(), more.begin(), more.end());
    }
    EXPECT_THAT(lines, ElementsAre("hello", "I am up"));
}

TEST_F(BoardTargetTest, the_port_is_raw_so_that_nothing_is_echoed_or_translated) {
    target_.start();
    termios settings{};
    ASSERT_EQ(::tcgetattr(target_.descriptors().at(0), &settings), 0);
    EXPECT_EQ(settings.c_lflag & (ECHO | ICANON | ISIG), 0U);
    EXPECT_EQ(settings.c_oflag & OPOST, 0U);
    EXPECT_EQ(::cfgetispeed(&settings), static_cast<speed_t>(B115200));
    say("a line\n");
    pollfd echoed{.fd = board_.get(), .events = POLLIN, .revents = 0};
    static_cast<void>(read_until<ConsoleText>());
    EXPECT_EQ(::poll(&echoed, 1, 0), 0);
}

TEST_F(BoardTargetTest, a_reset_ends_the_old_runs_last_line_and_begins_anew) {
    target_.start();
    static_cast<void>(read_until<TargetStarted>());
    say("half a li");
    wait();
    target_.reset();
    std::vector<TargetEvent> events;
    static_cast<void>(target_.read(events));
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(std::get<ConsoleText>(events[0]).text, "half a li");
    EXPECT_TRUE(std::holds_alternative<TargetStarted>(events[1]));
}

TEST_F(BoardTargetTest, a_console_that_is_unplugged_is_trouble_once_and_comes_back) {
    target_.start();
    static_cast<void>(read_until<TargetStarted>());
    unplug();
    const auto lost = read_until<ConsoleChanged>();
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_TRUE(std::get<ConsoleChanged>(lost[0]).is_trouble);
    EXPECT_THAT(std::get<ConsoleChanged>(lost[0]).what,
                HasSubstr("console " + path().string() + " has gone"));
    EXPECT_THAT(target_.descriptors(), IsEmpty()) << "nothing may wake the loop for ever";
    EXPECT_GT(target_.next_deadline_ns(), 0);

    plug_in();
    const auto back = read_until<ConsoleChanged>();
    ASSERT_EQ(back.size(), 1U) << "that it is still away need not be said";
    EXPECT_FALSE(std::get<ConsoleChanged>(back[0]).is_trouble);
    say("here again\n");
    EXPECT_THAT(lines_of(read_until<ConsoleText>()), ElementsAre("here again"));
}

TEST_F(BoardTargetTest, a_console_that_goes_with_the_boards_power_is_no_trouble) {
    target_.start();
    static_cast<void>(read_until<TargetStarted>());
    target_.stop();
    unplug();
    const auto events = read_until<ConsoleChanged>();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_TRUE(std::get<TargetEnded>(events[0]).was_asked);
    EXPECT_FALSE(std::get<ConsoleChanged>(events[1]).is_trouble);
    EXPECT_FALSE(target_.is_running());
    target_.start();  // The console is still away, and is looked for.
    static_cast<void>(read_until<TargetStarted>());
    plug_in();
    EXPECT_FALSE(std::get<ConsoleChanged>(read_until<ConsoleChanged>().back()).is_trouble);
}

TEST_F(BoardTargetTest, a_babbling_board_is_read_a_bounded_amount_at_a_time) {
    target_.start();
    static_cast<void>(read_until<TargetStarted>());
    ASSERT_EQ(::fcntl(board_.get(), F_SETFL, O_NONBLOCK), 0);
    const std::string babble(4096, 'x');
    std::size_t said = 0;
    std::size_t heard = 0;
    for (int turn = 0; turn < 100; ++turn) {
        while (true) {
            const ssize_t length = ::write(board_.get(), babble.data(), babble.size());
            if (length <= 0) {
                break;
            }
            said += static_cast<std::size_t>(length);
        }
        std::vector<TargetEvent> events;
        static_cast<void>(target_.read(events));
        std::size_t bytes = 0;
        for (const std::string& line : lines_of(events)) {
            EXPECT_LE(line.size(), rig::ConsoleLines::line_bytes_max);
            bytes += line.size();
        }
        EXPECT_LE(bytes, BoardTarget::read_bytes_max + rig::ConsoleLines::line_bytes_max + 16384);
        heard += bytes;
    }
    EXPECT_GT(heard, 100'000U);
    EXPECT_LE(heard, said);
}

TEST_F(BoardTargetTest, a_board_without_a_console_starts_and_stops_all_the_same) {
    BoardTarget mute(clock_, std::nullopt);
    mute.start();
    mute.start();
    mute.stop();
    std::vector<TargetEvent> events;
    EXPECT_FALSE(mute.read(events));
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(rig::describe(events[0]), "started");
    EXPECT_EQ(rig::describe(events[1]), "switched off");
    EXPECT_EQ(mute.next_deadline_ns(), 0);
}

TEST_F(BoardTargetTest, a_port_that_cannot_be_a_console_is_refused_with_the_remedy) {
    EXPECT_THAT(refused({.path = folder_ / "ttyUSB7", .baud = 9600}),
                HasSubstr("ttyUSB7: there is no such port; plug the adapter in"));
    EXPECT_THAT(refused({.path = "/dev/null", .baud = 9600}), HasSubstr("it is no serial port"));
    EXPECT_THAT(refused({.path = path(), .baud = 12345}),
                HasSubstr("12345 baud is no rate that a serial port knows"));
    EXPECT_THROW(BoardTarget(clock_, SerialPort{.path = "/dev/null", .baud = 9600}).start(),
                 rig::NoBench);
}

}  // namespace
