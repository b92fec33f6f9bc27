// The bench in trouble: more edges than a wire carries, a board that does not read, a recording
// that somebody else holds. Nothing hangs, nothing is lost without being counted, and the rig says
// what happened.
#include <fcntl.h>
#include <signal.h>

#include <cstdio>
#include <thread>

#include "harness/bench/bench_fixture.hpp"
#include "harness/recorder/recorder.hpp"
#include "harness/recorder/recording_on_disk.hpp"
#include "harness/server/server_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace harness;
using ::testing::Contains;
using ::testing::HasSubstr;

class BenchTroubleTest : public BenchTest {
  protected:
    /// Presses button 0 of edge_flood and waits until it has made its edges: how many it says.
    std::uint64_t flood() {
        const Cursor from = bench_->timeline().end();
        static_cast<void>(bench_->start_press("button0", 1ms, "ideal"));
        const auto line = wait_for<ConsoleLine>(
            [](const ConsoleLine& l) { return l.text.starts_with("flood: made "); }, from);
        return std::stoull(line.text.substr(std::string("flood: made ").size()));
    }

    /// Puts something that cannot be waited on in the place of the loop's epoll instance.
    static void break_the_loop() {
        const rig::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
        int broken = 0;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
            std::error_code gone;  // the directory's own descriptor, by now
            if (std::filesystem::read_symlink(entry, gone) == "anon_inode:[eventpoll]") {
                ASSERT_GE(::dup2(null.get(), std::stoi(entry.path().filename())), 0);
                ++broken;
            }
        }
        ASSERT_EQ(broken, 1);
    }

    /// The sum of the numbers that notes of the recording begin with.
    [[nodiscard]] std::uint64_t sum_of_notes(const std::string& pattern) const {
        std::uint64_t sum = 0;
        for (const std::string& what :
             // Of what the recorder says of itself the bench adds a note of its own.
             rows_of(recording(), "select what from notes where what like '" + pattern +
                                      "' and what not like 'recording %'")) {
            sum += std::stoull(what);
        }
        return sum;
    }
};

TEST_F(BenchTroubleTest, every_edge_of_a_flood_is_recorded_or_counted_as_lost) {
    open(options(WWEP_EDGE_FLOOD));
    const std::uint64_t boot_lines = all<ConsoleLine>().size();
    const std::uint64_t first_flood = flood();
    ASSERT_TRUE(bench_->flush_recording(soon()));
    const std::uint64_t second_flood = flood();
    ASSERT_TRUE(bench_->flush_recording(soon()));
    bench_->close();
    const std::uint64_t last_seqno = [this] {
        const auto edges = all<EdgeSeen>();
        const auto last = std::find_if(edges.rbegin(), edges.rend(),
                                       [](const EdgeSeen& seen) { return seen.line == "led0"; });
        return last->seqno;
    }();
    EXPECT_LE(last_seqno, first_flood + second_flood);
    // Edges lost at the end of a flood show when the next one comes.
    EXPECT_EQ(rows_of(recording(),
                      "select seqno from edges where line = 'led0' and at_ns > "
                      "(select before_ns from presses where id = 2) order by at_ns limit 1"),
              std::vector<std::string>{std::to_string(first_flood + 1)});

    const auto recorded = rows_of(recording(),
                                  "select (select count(*) from edges where line = 'led0'), "
                                  "(select count(*) from edges where line = 'button0'), "
                                  "(select count(*) from console)");
    std::uint64_t leds = 0;
    std::uint64_t buttons = 0;
    std::uint64_t lines = 0;
    ASSERT_EQ(std::sscanf(recorded.at(0).c_str(), "%lu|%lu|%lu", &leds, &buttons, &lines), 3);
    const std::uint64_t lost_on_the_wire =
        sum_of_notes("% edges were lost between the board and the rig");
    const std::uint64_t dropped = sum_of_notes("% edges or console lines were lost: %");
    constexpr std::uint64_t button_edges = 4;            // two presses
    const std::uint64_t console_lines = boot_lines + 2;  // one for each flood
    EXPECT_EQ(leds + buttons + lines + lost_on_the_wire + dropped,
              last_seqno + button_edges + console_lines);
    RecordProperty("edges_made", std::to_string(first_flood + second_flood));
    RecordProperty("edges_recorded", std::to_string(leds));
    RecordProperty("edges_lost_on_the_wire", std::to_string(lost_on_the_wire));
    RecordProperty("edges_dropped_by_the_recorder", std::to_string(dropped));
}

TEST_F(BenchTroubleTest, the_server_answers_during_a_flood) {
    open(options(WWEP_EDGE_FLOOD));
    const Cursor from = bench_->timeline().end();
    static_cast<void>(bench_->start_press("button0", 1ms, "ideal"));
    wait_for<EdgeSeen>([](const EdgeSeen& seen) { return seen.line == "led0"; }, from);
    rig::TimestampNs longest_ns = 0;
    int answered = 0;
    while (all_since<ConsoleLine>(from).empty()) {
        const auto asked_ns = clock_.monotonic_ns();
        ASSERT_EQ(ask("W000500AA01"), "A000500AA01");
        longest_ns = std::max(longest_ns, clock_.monotonic_ns() - asked_ns);
        ++answered;
    }
    EXPECT_GT(answered, 1);
    EXPECT_LT(longest_ns, 2 * rig::ns_per_s);
    RecordProperty("longest_answer_us", std::to_string(longest_ns / 1000));
}

TEST_F(BenchTroubleTest, a_board_that_does_not_read_its_wire_is_a_rig_error_and_let_go_of) {
    open();
    const int pid = bench_->target_pid();
    freeze(pid);
    std::string refused;
    for (int i = 0; i < 100'000 && refused.empty(); ++i) {
        try {
            press_again("button0", 1us);
        } catch (const rig::RigError& error) {
            refused = error.what();
        }
    }
    EXPECT_EQ(refused, "line button0: the board does not read its wire");
    EXPECT_THAT(bench_->rig_errors(), Contains(HasSubstr("the board does not read its wire")));

    ASSERT_EQ(::kill(pid, SIGCONT), 0);
    EXPECT_THAT(wait_for_end_of_target().what, HasSubstr("exited with status 0"));
    ASSERT_GE(board_saw().size(), 2U);
    EXPECT_EQ(board_saw().back(), "wire cut");
    EXPECT_EQ(board_saw().at(board_saw().size() - 2), "pin 0 high") << "nothing stays pressed";
    bench_->start_target(soon(), nullptr);
    press("button1");
}

TEST_F(BenchTroubleTest, a_loop_that_fails_lets_go_of_the_button_and_every_call_says_so) {
    open();
    static_cast<void>(bench_->start_press("button0", 1min, "ideal"));
    break_the_loop();
    std::string refused;
    for (int i = 0; i < 2 && refused.empty(); ++i) {  // the first may still get through
        try {
            static_cast<void>(bench_->connections_open());
        } catch (const rig::RigError& error) {
            refused = error.what();
        }
    }
    EXPECT_THAT(refused, HasSubstr("the rig's loop ended: "));
    EXPECT_THAT(bench_->rig_errors(), Contains(refused));
    EXPECT_EQ(all<PressReleased>().size(), 1U);
    // With the thread that started it the board's power goes, as when the rig is killed.
    const auto deadline = soon();
    while (board_saw() != std::vector<std::string>{"pin 0 low", "pin 0 high", "wire cut"}) {
        ASSERT_FALSE(deadline.has_passed(clock_)) << ::testing::PrintToString(board_saw());
        std::this_thread::yield();
    }
    bench_->close();
    EXPECT_EQ(rows_of(recording(), "select count(*) from presses where released_ns is not null"),
              std::vector<std::string>{"1"});
}

TEST_F(BenchTroubleTest, while_another_process_holds_the_recording_peers_wait_and_nothing_is_lost) {
    // More frames than the events that the recorder keeps for a while.
    constexpr int frames = 40'000;
    // That many it keeps for certain, at two events a frame: silence before is a machine's pause.
    constexpr std::size_t frames_kept_min =
        RecorderOptions().connection_events_queued_max / 2 - 1'000;
    auto keep_open = options();
    keep_open.server.limits.mode = ConversationMode::keep_open;
    keep_open.server.limits.conversation.frame_timeout = 1h;  // a slow machine cuts no frame short
    open(keep_open);
    const Peer peer(address_ + ":" + std::to_string(plain_port));
    std::string answers;
    {
        Database other(recording(), Database::Access::read_write);
        other.execute("begin immediate");
        std::thread sender([&] {
            for (int i = 0; i < frames; ++i) {
                peer.say("W000500AA01");
            }
        });
        const auto patience_end = in(60s);
        while (!patience_end.has_passed(clock_) &&
               (!peer.hears_nothing(1s) || answers.size() < frames_kept_min * 11U)) {
            answers += peer.hear_some();
        }
        EXPECT_LT(answers.size(), frames * 11U) << "nobody was held back";
        EXPECT_FALSE(bench_->led_is_on("led0")) << "the loop still works";
        EXPECT_FALSE(bench_->flush_recording(in(10ms)));
        other.execute("rollback");
        answers += peer.hear(frames * 11U - answers.size());
        sender.join();
    }
    EXPECT_EQ(answers.size(), frames * 11U);
    EXPECT_EQ(answers.find("(timeout)"), std::string::npos);
    const auto note = wait_for<RigNote>(
        [](const RigNote& n) { return n.what.starts_with("connections waited"); });
    EXPECT_TRUE(note.is_error) << note.what;
    EXPECT_THAT(bench_->rig_errors(), Contains(HasSubstr("connections waited")));
    peer.half_close();
    wait_for<ConnectionClosed>();
    ASSERT_TRUE(bench_->flush_recording(soon()));
    EXPECT_EQ(rows_of(recording(), "select count(*) from frames where reply is not null"),
              std::vector<std::string>{std::to_string(frames)});
}

TEST_F(BenchTroubleTest, a_wait_that_errors_of_the_rig_end_names_one_of_its_own_time) {
    open(options(WWEP_EDGE_FLOOD));
    for (int i = 0; bench_->rig_errors().size() < BenchEvents::rig_errors_kept_max; ++i) {
        static_cast<void>(flood());  // makes errors by the dozen
        ASSERT_LT(i, 20);
    }
    const PressId id = bench_->start_press("button0", 1ms, "ideal");
    std::string trouble;
    try {
        EXPECT_FALSE(bench_->wait_trip(id, Until::reply, soon(), nullptr));
    } catch (const rig::RigError& error) {
        trouble = error.what();
    }
    ASSERT_NE(trouble, "");
    bench_->close();
    EXPECT_NE(rows_of(recording(), "select count(*) from notes, presses where presses.id = " +
                                       std::to_string(id) + " and at_ns >= before_ns and what = '" +
                                       trouble + "'"),
              std::vector<std::string>{"0"});
}

}  // namespace
