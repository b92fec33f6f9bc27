// The bench on a chip of the kernel's gpio-sim. The test plays the board on the chip's other side;
// the target is a program that only says that it is ready.
#include "harness/bench/bench.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "harness/bench/bench_lines.hpp"
#include "harness/tls/tls_library.hpp"
#include "rig/line/chip_fixture.hpp"
#include "rig/line/lost_edges.hpp"

namespace {

using namespace std::chrono_literals;
using harness::Bench;
using rig::Level;
using rig::testing::patience;
using rig::testing::thrown_by;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BenchChipTest : public rig::testing::ChipTest {
  protected:
    [[nodiscard]] static rig::BenchFile bench_file(rig::BenchKind kind) {
        rig::BenchFile result;
        result.name = "bench-1";
        result.kind = kind;
        result.lines = {rig::testing::button_on("test-lines", "BUTTON0"),
                        rig::testing::led_on("test-lines", "LED0")};
        result.target.contract.buttons["button0"] = {.led = "led0"};
        return result;
    }
    static void add_leds(rig::BenchFile& bench_file) {
        for (const auto& [name, offset] : {std::pair("led1", led1), std::pair("led2", led2)}) {
            bench_file.lines.push_back(rig::testing::led_on("test-lines", std::to_string(offset)));
            bench_file.lines.back().name = name;
        }
    }
    /// More edges than the kernel keeps: the oldest, which are led0's, are lost, and led0 is silent
    /// from then on, so that only the numbers of all lines together tell. The last is led2's.
    void lose_edges() const {
        constexpr int kept_by_the_kernel = 1024;
        for (int i = 0; i < edges_lost + kept_by_the_kernel - 1; ++i) {
            sim_->pull(i < edges_lost ? led : led1, i % 2 == 0 ? Level::high : Level::low);
        }
        sim_->pull(led2, Level::high);
    }
    Bench& open_bench(rig::BenchKind kind,
                      const std::function<void(rig::BenchFile&)>& change = nullptr) {
        harness::BenchOptions options;
        options.bench_file = bench_file(kind);
        if (kind == rig::BenchKind::kernel) {
            options.target = harness::TargetProcess{
                .program = "/bin/sh",
                .arguments = {"-c", "echo \"up on $BOARD_CHIP\"; exec sleep 600"},
                .environment = {{"BOARD_CHIP", "board-lines"}},
                .ready_text = "up on board-lines"};
        }
        if (change) {
            change(*options.bench_file);
        }
        return bench_.emplace(options, clock_, library_);
    }
    [[nodiscard]] rig::Deadline soon() const { return rig::Deadline::after(clock_, patience); }

    /// Waits for an event of one kind; fails the test if it does not come.
    template <class Wanted>
    [[nodiscard]] std::optional<Wanted> wait_for(const std::function<bool(const Wanted&)>& fits,
                                                 std::chrono::nanoseconds limit = patience) {
        std::optional<Wanted> found;
        static_cast<void>(bench_->timeline().wait(
            0, rig::Deadline::after(clock_, limit),
            [&](const harness::Event& event) {
                const auto* const wanted = std::get_if<Wanted>(&event);
                if (wanted != nullptr && fits(*wanted)) {
                    found = *wanted;
                }
                return found.has_value();
            },
            nullptr));
        EXPECT_TRUE(found);
        return found;
    }

    static constexpr unsigned led1 = 4;
    static constexpr unsigned led2 = 0;
    static constexpr int edges_lost = 80;
    const harness::TlsLibrary library_;
    std::optional<Bench> bench_;
};

TEST_F(BenchChipTest, a_press_is_felt_by_the_board_and_its_led_is_stamped_by_the_kernel) {
    Bench& bench = open_bench(rig::BenchKind::kernel);
    EXPECT_THAT(bench.buttons(), ElementsAre("button0"));
    EXPECT_THAT(bench.leds(), ElementsAre("led0"));
    bench.start_target(soon(), nullptr);
    EXPECT_TRUE(bench.target_is_running());

    const auto id = bench.start_press("button0", 500ms, "ideal");
    EXPECT_EQ(board_reads_button(), Level::low);
    sim_->pull(led, Level::high);
    const auto edge = wait_for<harness::EdgeSeen>(
        [](const harness::EdgeSeen& seen) { return seen.line == "led0"; });
    ASSERT_TRUE(edge);
    EXPECT_EQ(edge->source, rig::EdgeSource::kernel);
    EXPECT_EQ(edge->level, Level::high);
    EXPECT_TRUE(bench.led_is_on("led0"));
    ASSERT_TRUE(wait_for<harness::PressReleased>(
        [id](const harness::PressReleased& released) { return released.id == id; }));
    EXPECT_EQ(board_reads_button(), Level::high);

    const auto trip = bench.round_trip(id);
    ASSERT_EQ(trip.led_edges.size(), 1U);
    EXPECT_LT(trip.press.before_ns, trip.led_edges[0].at_ns);
    EXPECT_TRUE(bench.rig_errors().empty());
}

TEST_F(BenchChipTest, an_led_is_waited_for_and_looked_back_at) {
    Bench& bench = open_bench(rig::BenchKind::board);
    const auto from_ns = clock_.monotonic_ns();
    EXPECT_TRUE(bench.wait_led("led0", false, soon(), nullptr)) << "it is off already";
    EXPECT_FALSE(
        bench.wait_led("led0", true, rig::Deadline::after(clock_, rig::testing::quiet), nullptr));
    sim_->pull(led, Level::high);
    ASSERT_TRUE(bench.wait_led("led0", true, soon(), nullptr));
    const auto until_ns = clock_.monotonic_ns();
    const auto window = bench.led_window("led0", from_ns, until_ns);
    ASSERT_EQ(window.edges.size(), 1U);
    EXPECT_TRUE(window.edges[0].is_on);
    EXPECT_EQ(rig::stays(window, false).answer, rig::LedAnswer::no);
    EXPECT_EQ(rig::stays(bench.led_window("led0", until_ns, until_ns + 1), true).answer,
              rig::LedAnswer::yes);
    EXPECT_THROW(static_cast<void>(bench.led_window("led9", from_ns, until_ns)), rig::NoBench);
}

TEST_F(BenchChipTest, a_bench_that_is_closed_gives_its_lines_back_though_a_press_goes_on) {
    Bench& bench = open_bench(rig::BenchKind::kernel);
    EXPECT_THAT(thrown_by<rig::NoBench>([this] { open(); }),
                HasSubstr("is held by \"wwep-rig bench-1\""));
    static_cast<void>(bench.start_press("button0", 1min, "ideal"));
    EXPECT_EQ(board_reads_button(), Level::low);
    bench.close();
    EXPECT_EQ(board_reads_button(), Level::high);
    EXPECT_EQ(thrown_by<rig::NoBench>([this] { open(); }), "(nothing)") << "anybody may have them";
    EXPECT_THAT(bench.buttons(), ElementsAre("button0")) << "what it is called can still be asked";
}

TEST_F(BenchChipTest, a_chip_that_is_unplugged_is_one_rig_error_and_no_busy_loop) {
    Bench& bench = open_bench(rig::BenchKind::kernel);
    bench.start_target(soon(), nullptr);
    sim_->unplug();
    ASSERT_TRUE(wait_for<harness::RigNote>([](const harness::RigNote& note) {
        return note.is_error && note.what.find("was unplugged") != std::string::npos;
    }));
    EXPECT_EQ(bench.rig_errors().size(), 1U);
    EXPECT_THAT(thrown_by<rig::RigError>(
                    [&] { static_cast<void>(bench.start_press("button0", 10ms, "ideal")); }),
                HasSubstr("line button0"));
    EXPECT_THAT(bench.rig_errors().front(), HasSubstr("; plug it in again"));
    bench.stop_target(nullptr);
    EXPECT_EQ(bench.rig_errors().size(), 1U);
}

TEST_F(BenchChipTest, a_rig_that_stands_still_while_edges_come_reports_how_many_it_lost) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t rig_process = ::fork();
    if (rig_process == 0) {
        Bench& bench = open_bench(rig::BenchKind::kernel, add_leds);
        bench.start_target(soon(), nullptr);
        static_cast<void>(!::write(ends[1], "r", 1));
        const auto note = wait_for<harness::RigNote>(
            [](const harness::RigNote& seen) { return seen.is_error; }, 1min);
        const std::string text = note ? note->what : "no error";
        static_cast<void>(!::write(ends[1], text.data(), text.size()));
        bench.close();
        ::_exit(0);
    }
    ::close(ends[1]);
    char ready = 0;
    ASSERT_EQ(::read(ends[0], &ready, 1), 1);
    ASSERT_EQ(::kill(rig_process, SIGSTOP), 0);
    ASSERT_EQ(::waitpid(rig_process, nullptr, WUNTRACED), rig_process);
    lose_edges();
    ASSERT_EQ(::kill(rig_process, SIGCONT), 0);
    std::array<char, 256> buffer{};
    const ssize_t got = ::read(ends[0], buffer.data(), buffer.size());
    ::close(ends[0]);
    ::waitpid(rig_process, nullptr, 0);
    const std::string text(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    // The simulator itself runs some edges together where it has several processors.
    EXPECT_THAT(text, HasSubstr(" edges were lost between the board and the rig"));
    EXPECT_GE(std::atoi(text.c_str()), edges_lost);
}

TEST_F(BenchChipTest, edges_lost_late_in_a_burst_are_reported_in_the_silence_after_it) {
    const rig::TimestampNs overdue_ns = rig::LostEdges::overdue_ns;
    rig::BenchFile file = bench_file(rig::BenchKind::kernel);
    add_leds(file);
    rig::ManualClock clock;
    harness::Loop loop(clock);
    harness::BenchEvents events(clock, {}, {});
    harness::BenchLines lines(file, clock, loop, events);
    const auto read_until = [&](const char* name, bool is_on) {
        const auto deadline = soon();
        while (lines.led_is_on(name) != is_on && !deadline.has_passed(clock_)) {
            lines.look_at_rest();
        }
        return lines.led_is_on(name) == is_on;
    };
    const auto do_what_is_due_after_ns = [&](rig::TimestampNs by_ns) {
        clock.advance_ns(by_ns);
        loop.stop();
        loop.run();
    };
    sim_->pull(led1, Level::high);
    ASSERT_TRUE(read_until("led1", true));
    sim_->pull(led1, Level::low);
    ASSERT_TRUE(read_until("led1", false));
    do_what_is_due_after_ns(overdue_ns - 1);
    lose_edges();
    ASSERT_TRUE(read_until("led2", true));
    do_what_is_due_after_ns(1);
    do_what_is_due_after_ns(overdue_ns);
    int lost = 0;
    for (const std::string& error : events.rig_errors()) {
        EXPECT_THAT(error, HasSubstr(" edges were lost between the board and the rig"));
        lost += std::atoi(error.c_str());
    }
    EXPECT_GE(lost, edges_lost);
    lines.close();
}

TEST_F(BenchChipTest, a_board_is_pressed_and_watched) {
    Bench& bench = open_bench(rig::BenchKind::board);
    EXPECT_FALSE(bench.target_is_running());
    bench.board_begins();
    EXPECT_TRUE(bench.target_is_running());
    bench.wait_target_ready(soon(), nullptr);
    EXPECT_THAT(thrown_by<rig::NoBench>([&] { bench.set_line("button0", true); }),
                HasSubstr("no line \"button0\" for reset or power"));
    sim_->pull(led, Level::high);
    EXPECT_TRUE(wait_for<harness::EdgeSeen>(
        [](const harness::EdgeSeen& seen) { return seen.level == Level::high; }));
    static_cast<void>(bench.start_press("button0", 1min, "ideal"));
    EXPECT_EQ(board_reads_button(), Level::low);
    bench.release_buttons();
    EXPECT_EQ(board_reads_button(), Level::high);
}

TEST_F(BenchChipTest, a_boards_reset_line_is_no_button_and_is_held_until_it_is_let_go) {
    Bench& bench = open_bench(rig::BenchKind::board, [](rig::BenchFile& bench_file) {
        bench_file.target.reset = rig::ResetSpec{};
        bench_file.target.reset->line = "button0";
    });
    EXPECT_TRUE(bench.buttons().empty());
    EXPECT_EQ(board_reads_button(), Level::high) << "opening a bench drives nothing";
    bench.set_line("button0", true);
    EXPECT_EQ(board_reads_button(), Level::low);
    bench.release_buttons();
    EXPECT_EQ(board_reads_button(), Level::low) << "only buttons are released";
    bench.set_line("button0", false);
    EXPECT_EQ(board_reads_button(), Level::high);
    bench.set_line("button0", true);
    bench.close();
    EXPECT_EQ(board_reads_button(), Level::high);
}

}  // namespace
