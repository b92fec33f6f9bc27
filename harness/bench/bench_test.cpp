// The bench with the real firmware on simulated wires: presses, and the life of the target.
#include "harness/bench/bench.hpp"

#include <signal.h>

#include <future>
#include <thread>

#include "harness/bench/bench_fixture.hpp"
#include "harness/recorder/recording_on_disk.hpp"

namespace {

using namespace std::chrono_literals;
using namespace harness;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What a call throws of one kind; "(nothing)" if it does not throw.
template <class Error>
std::string thrown_by(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "(nothing)";
}

// Presses ----------------------------------------------------------------------------------------

TEST_F(BenchTest, a_press_in_the_clear_is_led_connection_frame_and_reply_in_order) {
    open();
    const RoundTrip trip = press("button0", 20ms);
    ASSERT_EQ(trip.led_edges.size(), 1U);
    EXPECT_EQ(trip.led_line, "led0");
    EXPECT_EQ(trip.led_edges[0].level, rig::Level::high);
    EXPECT_EQ(trip.led_edges[0].source, rig::EdgeSource::board);
    ASSERT_EQ(trip.connections.size(), 1U);
    const ConnectionTrace& connection = trip.connections[0];
    EXPECT_FALSE(connection.opened.secure);
    EXPECT_EQ(connection.opened.local, address_ + ":27708");
    EXPECT_FALSE(connection.handshake);
    ASSERT_EQ(connection.frames.size(), 1U);
    EXPECT_EQ(connection.frames[0].raw, "W0003050001");
    EXPECT_EQ(connection.frames[0].device, 3);
    EXPECT_EQ(connection.frames[0].reg, 5);
    EXPECT_EQ(connection.frames[0].value, 1);
    ASSERT_EQ(connection.replies.size(), 1U);
    EXPECT_EQ(connection.replies[0].reply, "A0003050001");

    EXPECT_LE(trip.press.before_ns, trip.press.after_ns);
    EXPECT_LE(trip.press.before_ns, trip.led_edges[0].at_ns);
    EXPECT_LE(trip.led_edges[0].at_ns, connection.opened.at_ns);
    EXPECT_LE(trip.led_edges[0].at_ns, connection.frames[0].received_ns);
    EXPECT_LE(connection.frames[0].received_ns, connection.replies[0].replied_ns);
    EXPECT_LE(connection.replies[0].replied_ns, connection.closed->at_ns);
    EXPECT_GE(trip.released_ns, trip.press.after_ns + 20 * rig::ns_per_ms);

    EXPECT_TRUE(bench_->led_is_on("led0"));
    EXPECT_FALSE(bench_->led_is_on("led1"));
    EXPECT_EQ(bench_->read_register(3, 5), 1);
    EXPECT_THAT(bench_->rig_errors(), IsEmpty());
}

TEST_F(BenchTest, a_press_over_tls_is_verified_by_the_board_and_answered) {
    open();
    const RoundTrip trip = press("button1");
    EXPECT_EQ(trip.led_line, "led1");
    ASSERT_EQ(trip.led_edges.size(), 1U);
    ASSERT_EQ(trip.connections.size(), 1U);
    EXPECT_TRUE(trip.connections[0].opened.secure);
    ASSERT_TRUE(trip.connections[0].handshake);
    EXPECT_EQ(trip.connections[0].handshake->failure, "");
    EXPECT_EQ(trip.connections[0].handshake->tls_version, "TLSv1.3");
    EXPECT_EQ(trip.connections[0].frames.at(0).raw, "W0003050001");
    EXPECT_EQ(trip.connections[0].replies.at(0).reply, "A0003050001");
    EXPECT_THAT(all<ConsoleLine>(),
                Contains(::testing::Field(&ConsoleLine::text, "button 1: reply A0003050001")));
}

TEST_F(BenchTest, both_buttons_at_once_are_kept_apart) {
    open();
    const PressId plain = bench_->start_press("button0", 5ms, "ideal");
    const PressId secure = bench_->start_press("button1", 5ms, "ideal");
    ASSERT_TRUE(bench_->wait_trip(plain, Until::settled, soon(), nullptr));
    ASSERT_TRUE(bench_->wait_trip(secure, Until::settled, soon(), nullptr));
    for (const PressId id : {plain, secure}) {
        const RoundTrip trip = bench_->round_trip(id);
        ASSERT_EQ(trip.connections.size(), 1U);
        EXPECT_EQ(trip.connections[0].opened.secure, id == secure);
        EXPECT_EQ(trip.led_edges.size(), 1U);
        EXPECT_EQ(trip.connections[0].frames.size(), 1U);
    }
    EXPECT_EQ(all<FrameReceived>().size(), 2U);
}

TEST_F(BenchTest, quick_presses_queue_and_alternate) {
    open();
    std::vector<PressId> presses;
    for (int i = 0; i < 6; ++i) {
        presses.push_back(press_again("button0", 1ms));
    }
    std::vector<int> values;
    for (const PressId id : presses) {
        ASSERT_TRUE(bench_->wait_trip(id, Until::settled, soon(), nullptr));
        const RoundTrip trip = bench_->round_trip(id);
        ASSERT_EQ(trip.connections.size(), 1U);
        values.push_back(trip.connections[0].frames.at(0).value.value_or(9));
    }
    EXPECT_THAT(values, ElementsAre(1, 0, 1, 0, 1, 0));
    EXPECT_EQ(all<FrameReceived>().size(), 6U);
    EXPECT_FALSE(bench_->led_is_on("led0"));
}

TEST_F(BenchTest, everything_that_a_press_caused_is_in_the_recording) {
    open();
    press("button0");
    press("button1");
    bench_->close();
    EXPECT_THAT(rows_of(recording(),
                        "select verdict, device, register, value, raw, reply, secure from frames "
                        "join connections on connections.id = connection_id order by received_ns"),
                ElementsAre("write|3|5|1|W0003050001|A0003050001|0",
                            "write|3|5|1|W0003050001|A0003050001|1"));
    EXPECT_THAT(
        rows_of(recording(), "select line, level, source, seqno from edges order by at_ns, line"),
        ::testing::UnorderedElementsAre("button0|0|rig|1", "led0|1|board|1", "button0|1|rig|2",
                                        "button1|0|rig|1", "led1|1|board|1", "button1|1|rig|2"));
    EXPECT_THAT(rows_of(recording(), "select line, profile, released_ns > after_ns from presses"),
                ElementsAre("button0|ideal|1", "button1|ideal|1"));
    EXPECT_THAT(rows_of(recording(), "select count(*) from notes where is_error"),
                ElementsAre("0"));
}

TEST_F(BenchTest, a_button_line_or_led_that_is_not_there_is_refused_by_name) {
    open();
    EXPECT_EQ(thrown_by<rig::NoBench>([&] { press("button7"); }),
              "this bench has no button \"button7\"");
    EXPECT_EQ(thrown_by<rig::NoBench>([&] { static_cast<void>(bench_->led_is_on("led7")); }),
              "this bench has no LED \"led7\"");
    EXPECT_EQ(bench_->buttons(), (std::vector<std::string>{"button0", "button1"}));
    EXPECT_EQ(bench_->leds(), (std::vector<std::string>{"led0", "led1"}));
}

// Waiting ----------------------------------------------------------------------------------------

TEST_F(BenchTest, waiting_ends_when_it_is_interrupted) {
    open();
    static_cast<void>(bench_->add_fault({.kind = FaultKind::gone}));
    const PressId id = bench_->start_press("button0", 1ms, "ideal");
    int asked = 0;
    EXPECT_FALSE(bench_->wait_trip(id, Until::reply, soon(), [&] { return ++asked == 3; }));
    EXPECT_EQ(asked, 3);
}

/// An event every 100 us, so that no wait is ever without one for long.
class Noise {
  public:
    explicit Noise(Bench& bench)
        : thread_([this, &bench] {
              while (!is_over_) {
                  bench.note("noise");
                  std::this_thread::sleep_for(100us);
              }
          }) {}
    ~Noise() {
        is_over_ = true;
        thread_.join();
    }
    Noise(const Noise&) = delete;
    Noise& operator=(const Noise&) = delete;

  private:
    std::atomic<bool> is_over_ = false;
    std::thread thread_;
};

TEST_F(BenchTest, waiting_can_be_interrupted_while_events_never_cease) {
    auto unrecorded = options();
    unrecorded.recording_path.clear();
    open(unrecorded);
    static_cast<void>(bench_->add_fault({.kind = FaultKind::gone}));
    const PressId id = bench_->start_press("button0", 1ms, "ideal");
    const Noise noise(*bench_);
    const auto before_deadline = in(30s);
    EXPECT_FALSE(bench_->wait_trip(id, Until::reply, in(60s), [] { return true; }));
    EXPECT_FALSE(before_deadline.has_passed(clock_)) << "it was not asked";
}

// The target's life ------------------------------------------------------------------------------

TEST_F(BenchTest, a_target_that_dies_in_the_middle_of_a_trip_is_a_failure_of_the_target) {
    open();
    const auto fault = bench_->add_fault({.kind = FaultKind::late, .delay = 10min});
    const PressId id = bench_->start_press("button0", 1ms, "ideal");
    ASSERT_TRUE(bench_->wait_trip(id, Until::frame, soon(), nullptr));
    ASSERT_EQ(::kill(bench_->target_pid(), SIGSEGV), 0);
    EXPECT_THAT(wait_for_end_of_target().what, HasSubstr("killed by signal 11 (SIGSEGV)"));
    EXPECT_FALSE(bench_->wait_trip(id, Until::reply, in(50ms), nullptr));
    EXPECT_FALSE(bench_->target_is_running());
    EXPECT_EQ(bench_->target_pid(), 0);
    EXPECT_THAT(bench_->rig_errors(), IsEmpty());

    bench_->remove_fault(fault);
    bench_->start_target(soon(), nullptr);
    const RoundTrip trip = press("button0");
    EXPECT_EQ(trip.connections.at(0).frames.at(0).value, 1) << "a new board starts anew";
    EXPECT_THAT(bench_->rig_errors(), IsEmpty());
}

TEST_F(BenchTest, a_target_that_dies_while_its_button_is_held_is_no_error_of_the_rig) {
    open();
    static_cast<void>(bench_->add_fault({.kind = FaultKind::late, .delay = 10min}));
    const PressId id = bench_->start_press("button0", 200ms, "ideal");
    ASSERT_EQ(::kill(bench_->target_pid(), SIGKILL), 0);
    EXPECT_THAT(wait_for_end_of_target().what, HasSubstr("killed by signal 9 (SIGKILL)"));
    wait_for<PressReleased>([id](const PressReleased& released) { return released.id == id; });
    EXPECT_FALSE(bench_->wait_trip(id, Until::settled, in(10ms), nullptr));
    EXPECT_THAT(bench_->rig_errors(), IsEmpty());
}

TEST_F(BenchTest, a_reset_starts_the_board_anew_and_lets_go_of_its_buttons) {
    open();
    EXPECT_EQ(press("button0").connections.at(0).frames.at(0).value, 1);
    const int pid = bench_->target_pid();
    const PressId held = bench_->start_press("button1", 10min, "ideal");
    ASSERT_TRUE(bench_->wait_trip(held, Until::reply, soon(), nullptr));
    bench_->reset_target(soon(), nullptr);
    wait_for<PressReleased>([held](const PressReleased& released) { return released.id == held; });
    EXPECT_NE(bench_->target_pid(), pid);
    EXPECT_FALSE(bench_->led_is_on("led0"));
    EXPECT_EQ(press("button0").connections.at(0).frames.at(0).value, 1);
    EXPECT_EQ(press("button1").connections.at(0).frames.at(0).value, 1);
}

TEST_F(BenchTest, a_target_can_be_stopped_and_started) {
    open();
    bench_->stop_target(nullptr);
    EXPECT_FALSE(bench_->target_is_running());
    bench_->stop_target(nullptr);
    bench_->start_target(soon(), nullptr);
    bench_->start_target(soon(), nullptr);
    press("button0");
}

TEST_F(BenchTest, a_program_that_is_not_there_is_named_with_the_remedy) {
    bench_ = make(options("/nowhere/firmware"));
    EXPECT_THAT(thrown_by<rig::NoBench>([&] { bench_->start_target(soon(), nullptr); }),
                AllOf(HasSubstr("/nowhere/firmware"), HasSubstr("build the firmware")));
    EXPECT_FALSE(bench_->target_is_running());
}

TEST_F(BenchTest, a_bench_without_a_target_has_nothing_to_start) {
    auto without = options();
    without.target.reset();
    bench_ = make(without);
    EXPECT_THAT(thrown_by<rig::NoBench>([&] { bench_->start_target(soon(), nullptr); }),
                HasSubstr("no target"));
    EXPECT_EQ(bench_->target_pid(), 0);
    EXPECT_EQ(ask("W000500AA01"), "A000500AA01");
}

TEST_F(BenchTest, firmware_that_is_not_ready_in_time_shows_its_console) {
    auto impatient = options();
    impatient.target->ready_text = "never said";
    bench_ = make(impatient);
    const auto text =
        thrown_by<rig::TargetFailure>([&] { bench_->start_target(in(700ms), nullptr); });
    EXPECT_THAT(text, AllOf(HasSubstr("was not ready in time"), HasSubstr("device 0003")));
}

TEST_F(BenchTest, firmware_that_ends_before_it_is_ready_says_how_and_why) {
    auto broken = options();
    broken.target->environment[0] = {"WWEP_MAC", "no address"};
    bench_ = make(broken);
    const auto text = thrown_by<rig::TargetFailure>([&] { bench_->start_target(soon(), nullptr); });
    EXPECT_THAT(text, AllOf(HasSubstr("ended before it was ready"),
                            HasSubstr("exited with status 2"), HasSubstr("WWEP_MAC")));
}

TEST_F(BenchTest, without_a_ready_text_hello_on_the_wire_is_enough) {
    auto silent = options();
    silent.target->ready_text.clear();
    open(silent);
    EXPECT_TRUE(bench_->target_is_running());
}

// The end ----------------------------------------------------------------------------------------

TEST_F(BenchTest, closing_lets_go_of_a_button_that_is_held_and_the_board_sees_it) {
    open();
    const PressId id = bench_->start_press("button0", 10min, "ideal");
    ASSERT_TRUE(bench_->wait_trip(id, Until::reply, soon(), nullptr));
    EXPECT_THAT(board_saw(), ElementsAre("pin 0 low"));
    bench_->close();
    EXPECT_THAT(board_saw(), ElementsAre("pin 0 low", "pin 0 high", "wire cut"));
    EXPECT_NE(bench_->round_trip(id).released_ns, 0);
    EXPECT_THAT(rows_of(recording(), "select count(*) from presses where released_ns is null"),
                ElementsAre("0"));
}

TEST_F(BenchTest, a_board_that_does_not_take_notice_of_its_wire_is_ended_all_the_same) {
    open();
    const int pid = bench_->target_pid();
    freeze(pid);
    bench_->close();
    EXPECT_EQ(::kill(pid, 0), -1) << "it lives on";
    EXPECT_THAT(wait_for_end_of_target().what, HasSubstr("SIGKILL"));
}

TEST_F(BenchTest, closing_twice_is_fine_and_what_comes_later_is_refused) {
    open();
    press("button0");
    bench_->close();
    bench_->close();
    EXPECT_EQ(thrown_by<rig::RigError>([&] { press("button0"); }), "the bench is closed");
    EXPECT_EQ(all<FrameReceived>().size(), 1U) << "the timeline can still be read";
}

TEST_F(BenchTest, closing_while_other_threads_use_the_bench_hurts_nobody) {
    open();
    std::vector<std::future<std::string>> users;
    for (int i = 0; i < 4; ++i) {
        users.push_back(std::async(std::launch::async, [this] {
            return thrown_by<rig::RigError>([this] {
                while (true) {
                    static_cast<void>(bench_->led_is_on("led0"));
                }
            });
        }));
    }
    auto closes_too = std::async(std::launch::async, [this] { bench_->close(); });
    bench_->close();
    closes_too.get();
    for (auto& user : users) {
        ASSERT_EQ(user.wait_for(patience_max), std::future_status::ready) << "it waits for ever";
        EXPECT_EQ(user.get(), "the bench is closed");
    }
}

TEST_F(BenchTest, a_server_steps_aside_and_back_and_is_named_where_it_usually_is) {
    open();
    const auto endpoints = bench_->plain_endpoints();
    const auto lent = bench_->step_aside(FaultPort::clear);
    ASSERT_EQ(lent.size(), 1U);
    EXPECT_NE(lent[0].server, endpoints.at(0));
    EXPECT_EQ(bench_->plain_endpoints(), endpoints);
    {
        const Listener other(address_, plain_port);
        EXPECT_THROW(bench_->step_back(FaultPort::clear), rig::NoBench);
    }
    bench_->step_back(FaultPort::clear);
    EXPECT_EQ(ask("W000500AA01"), "A000500AA01");
}

TEST_F(BenchTest, two_benches_run_side_by_side) {
    open();
    const std::string first_address = address_;
    auto second = options();
    second.recording_path = folder_ / "other.sqlite";
    other_ = make(std::move(second));
    EXPECT_NE(address_, first_address);
    other_->start_target(soon(), nullptr);

    const PressId here = bench_->start_press("button0", 5ms, "ideal");
    const PressId there = other_->start_press("button0", 5ms, "ideal");
    ASSERT_TRUE(bench_->wait_trip(here, Until::settled, soon(), nullptr));
    ASSERT_TRUE(other_->wait_trip(there, Until::settled, soon(), nullptr));
    EXPECT_EQ(bench_->round_trip(here).connections.at(0).opened.local, first_address + ":27708");
    EXPECT_EQ(other_->round_trip(there).connections.at(0).opened.local, address_ + ":27708");
    EXPECT_EQ(all<FrameReceived>().size(), 1U);
}

}  // namespace
