#include "rig/target/process_target.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using rig::ConsoleText;
using rig::ProcessTarget;
using rig::TargetEnded;
using rig::TargetEvent;
using rig::TargetStarted;
using rig::UniqueFd;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const rig::SystemClock system_clock;
constexpr auto patience = 20s;

rig::ProcessSpec firmware(std::vector<std::string> arguments) {
    rig::ProcessSpec spec;
    spec.program = FIRMWARE_DOUBLE;
    spec.arguments = std::move(arguments);
    return spec;
}

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

ProcessTarget::PlugWire plug(UniqueFd& board_end) {
    return [&board_end] { return std::move(board_end); };
}

bool wait_readable(const std::vector<int>& fds, const rig::Deadline& deadline) {
    std::vector<pollfd> watched;
    for (const int fd : fds) {
        watched.push_back({fd, POLLIN, 0});
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left(system_clock));
    return ::poll(watched.data(), watched.size(), static_cast<int>(left.count())) > 0;
}

/// What one read of a pipe gives within the patience: a byte, end of file (""), or nothing.
std::optional<std::string> next_byte(const UniqueFd& fd) {
    if (!wait_readable({fd.get()}, rig::Deadline::after(system_clock, patience))) {
        return std::nullopt;
    }
    std::array<char, 1> byte{};
    const ssize_t length = ::read(fd.get(), byte.data(), byte.size());
    return std::string(byte.data(), static_cast<std::size_t>(length));
}

/// What the owner of a loop does: waits for descriptors or the target's deadline, and reads.
/// Returns all events up to the first one that `is_last` is true of.
template <typename Predicate>
std::vector<TargetEvent> read_until(ProcessTarget& target, Predicate is_last) {
    const auto give_up = rig::Deadline::after(system_clock, patience);
    std::vector<TargetEvent> events;
    std::size_t seen = 0;
    for (;;) {
        const bool may_have_more = target.read(events);
        for (; seen < events.size(); ++seen) {
            if (is_last(events[seen])) {
                return events;
            }
        }
        if (give_up.has_passed(system_clock)) {
            ADD_FAILURE() << "what was waited for did not come";
            return events;
        }
        if (!may_have_more) {
            auto wait = give_up.left(system_clock);
            if (target.next_deadline_ns() != 0) {
                wait = std::min(wait, std::chrono::nanoseconds(target.next_deadline_ns() -
                                                               system_clock.monotonic_ns()));
            }
            (void)wait_readable(target.descriptors(), rig::Deadline::after(system_clock, wait));
        }
    }
}

bool is_end(const TargetEvent& event) {
    return std::holds_alternative<TargetEnded>(event);
}

std::vector<TargetEvent> read_until_end(ProcessTarget& target) {
    return read_until(target, is_end);
}

std::vector<TargetEvent> read_until_text(ProcessTarget& target, std::string_view text) {
    return read_until(target, [text](const TargetEvent& event) {
        const auto* console = std::get_if<ConsoleText>(&event);
        return console != nullptr && console->text == text;
    });
}

std::vector<std::string> console_of(const std::vector<TargetEvent>& events) {
    std::vector<std::string> texts;
    for (const TargetEvent& event : events) {
        if (const auto* console = std::get_if<ConsoleText>(&event)) {
            texts.push_back(console->text);
        }
    }
    return texts;
}

TargetEnded end_of(const std::vector<TargetEvent>& events) {
    for (const TargetEvent& event : events) {
        if (const auto* ended = std::get_if<TargetEnded>(&event)) {
            return *ended;
        }
    }
    ADD_FAILURE() << "it did not end";
    return {};
}

bool has_children() {
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

std::string text_of_failed_start(ProcessTarget& target) {
    try {
        target.start();
    } catch (const rig::NoBench& error) {
        return error.what();
    }
    return "it started";
}

TEST(ProcessTarget, tells_when_it_starts_what_it_prints_and_how_it_ends) {
    ProcessTarget target(system_clock, firmware({"exit", "3"}), {});
    EXPECT_FALSE(target.is_running());
    const auto before_ns = system_clock.monotonic_ns();
    target.start();
    const auto pid = target.pid();
    EXPECT_TRUE(target.is_running());

    const auto events = read_until_end(target);
    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(std::get<TargetStarted>(events[0]).pid, pid);
    EXPECT_THAT(console_of(events), ElementsAre("one", "two", "three"));
    EXPECT_EQ(end_of(events).how, "exited with status 3");
    EXPECT_FALSE(end_of(events).was_asked);
    EXPECT_FALSE(target.is_running());
    EXPECT_THAT(target.descriptors(), IsEmpty());

    rig::TimestampNs last_ns = before_ns;
    for (const TargetEvent& event : events) {
        const auto at_ns = std::visit([](const auto& any) { return any.at_ns; }, event);
        EXPECT_GE(at_ns, last_ns);
        last_ns = at_ns;
    }
}

TEST(ProcessTarget, leaves_no_zombie_when_it_ends_by_itself) {
    ProcessTarget target(system_clock, firmware({"exit", "0"}), {});
    target.start();
    ASSERT_TRUE(has_children());
    (void)read_until_end(target);
    EXPECT_FALSE(has_children());
}

TEST(ProcessTarget, names_the_signal_that_killed_it) {
    ProcessTarget target(system_clock, firmware({"crash"}), {});
    target.start();
    const auto events = read_until_end(target);
    EXPECT_THAT(console_of(events), ElementsAre("about to crash"));
    EXPECT_EQ(end_of(events).how, "killed by signal 11 (SIGSEGV)");
    EXPECT_FALSE(end_of(events).was_asked);
}

TEST(ProcessTarget, delivers_what_a_line_had_come_to_when_the_process_ended) {
    ProcessTarget target(system_clock, firmware({"cut-short"}), {});
    target.start();
    const auto events = read_until_end(target);
    ASSERT_THAT(console_of(events), ElementsAre("begun", "not fin"));
    EXPECT_TRUE(std::get<ConsoleText>(events[1]).ends_line);
    EXPECT_FALSE(std::get<ConsoleText>(events[2]).ends_line);
}

TEST(ProcessTarget, delivers_a_prompt_after_a_second_and_not_before) {
    rig::ManualClock clock;
    ProcessTarget target(clock, firmware({"prompt"}), {});
    target.start();
    std::vector<TargetEvent> events;
    const auto give_up = rig::Deadline::after(system_clock, patience);
    while (target.next_deadline_ns() == 0 && !give_up.has_passed(system_clock)) {
        (void)wait_readable(target.descriptors(), give_up);
        (void)target.read(events);
    }
    ASSERT_EQ(target.next_deadline_ns(), clock.monotonic_ns() + rig::ns_per_s);

    clock.advance_ns(rig::ns_per_s - 1);
    (void)target.read(events);
    EXPECT_THAT(console_of(events), IsEmpty());

    clock.advance_ns(1);
    (void)target.read(events);
    EXPECT_THAT(console_of(events), ElementsAre("WICED> "));
    EXPECT_EQ(target.next_deadline_ns(), 0);
}

TEST(ProcessTarget, runs_on_when_it_closes_its_output) {
    ProcessTarget target(system_clock, firmware({"close-output"}), {});
    target.start();
    (void)read_until_text(target, "last words");
    const auto give_up = rig::Deadline::after(system_clock, patience);
    std::vector<TargetEvent> events;
    while (target.descriptors().size() > 1 && !give_up.has_passed(system_clock)) {
        (void)wait_readable(target.descriptors(), give_up);
        (void)target.read(events);
    }
    EXPECT_EQ(target.descriptors().size(), 1U);
    EXPECT_TRUE(target.is_running());
    EXPECT_THAT(events, IsEmpty());
}

TEST(ProcessTarget, takes_a_bounded_amount_of_a_flood_per_call) {
    ProcessTarget target(system_clock, firmware({"flood"}), {});
    target.start();
    for (int call = 0; call < 20; ++call) {
        ASSERT_TRUE(
            wait_readable(target.descriptors(), rig::Deadline::after(system_clock, patience)));
        std::vector<TargetEvent> events;
        (void)target.read(events);
        EXPECT_LE(events.size(), 2 + ProcessTarget::read_bytes_max / 100);
    }
    target.stop_now();
    std::vector<TargetEvent> events;
    EXPECT_FALSE(target.read(events));
    EXPECT_EQ(end_of(events).how, "killed by signal 9 (SIGKILL)");
}

TEST(ProcessTarget, loses_nothing_that_was_printed_right_before_the_end) {
    constexpr std::size_t lines = 30'000;  // Several times what a pipe holds.
    ProcessTarget target(system_clock, firmware({"count", std::to_string(lines)}), {});
    target.start();
    const auto texts = console_of(read_until_end(target));
    ASSERT_EQ(texts.size(), lines);
    for (std::size_t i = 0; i < lines; ++i) {
        ASSERT_EQ(texts[i], "line " + std::to_string(i));
    }
}

TEST(ProcessTarget, ends_in_its_own_way_when_asked_to_stop) {
    ProcessTarget target(system_clock, firmware({"obey"}), {});
    target.start();
    (void)read_until_text(target, "ready");
    target.stop();
    EXPECT_TRUE(target.is_running());
    const auto ended = end_of(read_until_end(target));
    EXPECT_EQ(ended.how, "exited with status 0");
    EXPECT_TRUE(ended.was_asked);
    EXPECT_EQ(target.next_deadline_ns(), 0);
}

TEST(ProcessTarget, that_crashes_while_it_stops_was_not_asked_for_that) {
    ProcessTarget target(system_clock, firmware({"crash-on-term"}), {});
    target.start();
    (void)read_until_text(target, "ready");
    target.stop();
    const auto ended = end_of(read_until_end(target));
    EXPECT_EQ(ended.how, "killed by signal 11 (SIGSEGV)");
    EXPECT_FALSE(ended.was_asked);
}

TEST(ProcessTarget, is_killed_when_the_grace_period_is_over_and_not_before) {
    rig::ManualClock clock;
    auto spec = firmware({"ignore-term"});
    spec.grace = 300ms;
    ProcessTarget target(clock, spec, {});
    target.start();
    (void)read_until_text(target, "ready");
    target.stop();
    EXPECT_EQ(target.next_deadline_ns(), clock.monotonic_ns() + 300 * rig::ns_per_ms);

    std::vector<TargetEvent> events;
    clock.advance_ns(300 * rig::ns_per_ms - 1);
    target.stop();  // Asked again: the grace period stays what it was.
    (void)target.read(events);
    EXPECT_THAT(events, IsEmpty());
    EXPECT_FALSE(wait_readable(target.descriptors(), rig::Deadline::after(system_clock, 50ms)));

    clock.advance_ns(1);
    (void)target.read(events);
    const auto ended = end_of(read_until_end(target));
    EXPECT_EQ(ended.how, "killed by signal 9 (SIGKILL)");
    EXPECT_TRUE(ended.was_asked);
}

TEST(ProcessTarget, that_ended_by_itself_was_not_asked_to) {
    ProcessTarget target(system_clock, firmware({"exit", "4"}), {});
    target.start();
    const int process = target.descriptors().back();
    ASSERT_TRUE(wait_readable({process}, rig::Deadline::after(system_clock, patience)));
    target.stop();
    target.stop_now();
    std::vector<TargetEvent> events;
    (void)target.read(events);
    EXPECT_EQ(end_of(events).how, "exited with status 4");
    EXPECT_FALSE(end_of(events).was_asked);
    EXPECT_THAT(console_of(events), ElementsAre("one", "two", "three"));
}

TEST(ProcessTarget, takes_its_process_with_it_when_it_goes) {
    {
        ProcessTarget target(system_clock, firmware({"ignore-term"}), {});
        target.start();
        (void)read_until_text(target, "ready");
    }
    EXPECT_FALSE(has_children());
}

TEST(ProcessTarget, may_be_started_and_stopped_twice_over) {
    ProcessTarget target(system_clock, firmware({"hold"}), {});
    target.stop();
    target.stop_now();
    target.start();
    const int pid = target.pid();
    target.start();
    EXPECT_EQ(target.pid(), pid);
    target.stop_now();
    target.stop_now();
    target.start();
    EXPECT_NE(target.pid(), pid);
    (void)read_until_text(target, "ready");
}

TEST(ProcessTarget, is_reset_into_a_new_process_on_a_new_wire) {
    std::vector<UniqueFd> rig_ends;
    ProcessTarget target(system_clock, firmware({"tell-wire-and-hold"}), [&rig_ends] {
        Pipe wire = make_pipe();
        rig_ends.push_back(std::move(wire.read_end));
        return std::move(wire.write_end);
    });
    target.start();
    ASSERT_EQ(next_byte(rig_ends[0]), "r");
    const int first_pid = target.pid();
    const auto first_descriptors = target.descriptors();

    target.reset();
    EXPECT_NE(target.pid(), first_pid);
    EXPECT_EQ(next_byte(rig_ends[0]), "") << "the old wire is cut";
    ASSERT_EQ(rig_ends.size(), 2U);
    EXPECT_EQ(next_byte(rig_ends[1]), "r");

    std::vector<TargetEvent> events;
    (void)target.read(events);
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(std::get<TargetStarted>(events[0]).pid, first_pid);
    EXPECT_EQ(std::get<TargetEnded>(events[1]).how, "killed by signal 9 (SIGKILL)");
    EXPECT_TRUE(std::get<TargetEnded>(events[1]).was_asked);
    EXPECT_EQ(std::get<TargetStarted>(events[2]).pid, target.pid());

    for (const int fd : target.descriptors()) {
        EXPECT_THAT(first_descriptors, Not(Contains(fd)))
            << "a watch would be mistaken for another";
    }
}

TEST(ProcessTarget, keeps_a_descriptor_open_for_as_long_as_it_takes_to_unwatch_it) {
    ProcessTarget target(system_clock, firmware({"hold"}), {});
    target.start();
    const auto descriptors = target.descriptors();
    target.stop_now();
    for (const int fd : descriptors) {
        EXPECT_NE(::fcntl(fd, F_GETFD), -1);
    }
    std::vector<TargetEvent> events;
    (void)target.read(events);
    for (const int fd : descriptors) {
        EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
    }
}

TEST(ProcessTarget, takes_along_what_the_firmware_forked_when_the_firmware_ends) {
    Pipe wire = make_pipe();
    ProcessTarget target(system_clock, firmware({"leave-child"}), plug(wire.write_end));
    target.start();
    (void)read_until_end(target);
    auto byte = next_byte(wire.read_end);
    if (byte == "r") {
        byte = next_byte(wire.read_end);
    }
    EXPECT_EQ(byte, "") << "nobody holds the wire any more";
}

TEST(ProcessTarget, takes_along_what_the_firmware_forked_when_it_is_stopped) {
    Pipe wire = make_pipe();
    ProcessTarget target(system_clock, firmware({"hold-with-child"}), plug(wire.write_end));
    target.start();
    ASSERT_EQ(next_byte(wire.read_end), "r");
    target.stop_now();
    EXPECT_EQ(next_byte(wire.read_end), "");
}

TEST(ProcessTarget, gives_the_process_no_descriptor_but_the_console_and_the_wire) {
    const UniqueFd inheritable(::open("/dev/null", O_RDONLY));
    const UniqueFd high(::fcntl(inheritable.get(), F_DUPFD, 200));
    ASSERT_TRUE(high);
    Pipe wire = make_pipe();
    ProcessTarget with_wire(system_clock, firmware({"descriptors"}), plug(wire.write_end));
    with_wire.start();
    EXPECT_THAT(console_of(read_until_end(with_wire)),
                UnorderedElementsAre("fd 0", "fd 1", "fd 2", "fd 3"));

    ProcessTarget without_wire(system_clock, firmware({"descriptors"}), {});
    without_wire.start();
    EXPECT_THAT(console_of(read_until_end(without_wire)),
                UnorderedElementsAre("fd 0", "fd 1", "fd 2"));
}

TEST(ProcessTarget, gives_the_process_the_named_environment_and_nothing_else) {
    Pipe wire = make_pipe();
    auto spec = firmware({"environment"});
    spec.environment = {{"WWEP_SERVER", "127.0.0.2"}, {"EMPTY", ""}};
    ProcessTarget target(system_clock, spec, plug(wire.write_end));
    target.start();
    EXPECT_THAT(console_of(read_until_end(target)),
                ElementsAre("WWEP_WIRE_FD=3", "WWEP_SERVER=127.0.0.2", "EMPTY="));

    ProcessTarget bare(system_clock, firmware({"environment"}), {});
    bare.start();
    EXPECT_THAT(console_of(read_until_end(bare)), IsEmpty());
}

TEST(ProcessTarget, hands_arguments_over_as_they_are) {
    ProcessTarget target(system_clock, firmware({"arguments", "two words", "", "$HOME *"}), {});
    target.start();
    EXPECT_THAT(console_of(read_until_end(target)),
                ElementsAre("arguments", "two words", "", "$HOME *"));
}

TEST(ProcessTarget, runs_in_the_folder_that_was_named) {
    auto spec = firmware({"folder"});
    spec.folder = "/proc";
    ProcessTarget target(system_clock, spec, {});
    target.start();
    EXPECT_THAT(console_of(read_until_end(target)), ElementsAre("/proc"));
}

TEST(ProcessTarget, starts_with_every_signal_at_its_default) {
    ::signal(SIGPIPE, SIG_IGN);  // As Python does.
    sigset_t user_signal;
    ::sigemptyset(&user_signal);
    ::sigaddset(&user_signal, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &user_signal, nullptr);
    ProcessTarget target(system_clock, firmware({"signals"}), {});
    target.start();
    ::sigprocmask(SIG_UNBLOCK, &user_signal, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    EXPECT_THAT(console_of(read_until_end(target)),
                ElementsAre("SigIgn:\t0000000000000000", "SigBlk:\t0000000000000000"));
}

TEST(ProcessTarget, is_out_of_reach_of_the_terminal) {
    ProcessTarget target(system_clock, firmware({"hold"}), {});
    target.start();
    EXPECT_EQ(::getpgid(target.pid()), target.pid());
    EXPECT_EQ(::getsid(target.pid()), target.pid());
}

TEST(ProcessTarget, dies_with_the_rig) {
    Pipe wire = make_pipe();
    const pid_t rig_process = ::fork();
    if (rig_process == 0) {
        ProcessTarget target(system_clock, firmware({"tell-wire-and-hold"}), plug(wire.write_end));
        target.start();
        for (;;) {
            ::pause();
        }
    }
    wire.write_end.reset();
    ASSERT_EQ(next_byte(wire.read_end), "r");
    ASSERT_EQ(::kill(rig_process, SIGKILL), 0);
    EXPECT_EQ(next_byte(wire.read_end), "") << "the firmware outlived the rig";
    EXPECT_EQ(::waitpid(rig_process, nullptr, 0), rig_process);
}

TEST(ProcessTarget, says_what_is_missing_and_what_to_do_about_it) {
    auto spec = firmware({});
    spec.program = "/nowhere/dual_client";
    spec.remedy = "build it with ci/build";
    Pipe wire = make_pipe();
    ProcessTarget target(system_clock, spec, plug(wire.write_end));
    EXPECT_EQ(text_of_failed_start(target),
              "start firmware /nowhere/dual_client: No such file or directory; "
              "build it with ci/build");
    EXPECT_FALSE(target.is_running());
    EXPECT_FALSE(has_children());
    EXPECT_EQ(next_byte(wire.read_end), "") << "the wire of a board that did not start is cut";
    std::vector<TargetEvent> events;
    EXPECT_FALSE(target.read(events));
    EXPECT_THAT(events, IsEmpty());
}

TEST(ProcessTarget, says_when_the_program_cannot_be_executed) {
    const auto folder = std::filesystem::path(testing::TempDir()) /
                        ("process_target_" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    const std::string program = folder / "firmware";
    auto spec = firmware({});
    spec.program = program;

    std::ofstream(program) << "no program\n";
    ProcessTarget not_executable(system_clock, spec, {});
    EXPECT_EQ(text_of_failed_start(not_executable),
              "start firmware " + program + ": Permission denied");

    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    ProcessTarget no_program(system_clock, spec, {});
    EXPECT_EQ(text_of_failed_start(no_program),
              "start firmware " + program + ": Exec format error");

    std::ofstream(program) << "#!/nowhere/interpreter\n";
    ProcessTarget no_interpreter(system_clock, spec, {});
    EXPECT_EQ(text_of_failed_start(no_interpreter),
              "start firmware " + program + ": the interpreter or loader that it names is missing");
    std::filesystem::remove_all(folder);
}

TEST(ProcessTarget, says_when_its_folder_is_missing) {
    auto spec = firmware({"exit", "0"});
    spec.folder = "/nowhere";
    ProcessTarget target(system_clock, spec, {});
    EXPECT_EQ(text_of_failed_start(target), "enter folder /nowhere to start firmware " +
                                                spec.program + ": No such file or directory");
}

TEST(TargetEvent, is_described_in_a_line) {
    EXPECT_EQ(rig::describe(TargetStarted{1, 4711}), "started as process 4711");
    EXPECT_EQ(rig::describe(TargetStarted{1, 0}), "started");
    EXPECT_EQ(rig::describe(TargetEnded{1, "exited with status 3", false}), "exited with status 3");
    EXPECT_EQ(rig::describe(ConsoleText{1, "ready", true}), "ready");
}

}  // namespace
