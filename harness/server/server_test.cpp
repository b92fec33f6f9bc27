#include "harness/server/server.hpp"

#include <sys/resource.h>

#include "harness/server/server_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace harness;
using ::testing::HasSubstr;

TEST_F(ServerTest, a_write_is_stored_answered_and_the_connection_closed) {
    start();
    const Peer peer(endpoint_);
    peer.say("W0FAC0B1234");
    EXPECT_EQ(peer.hear_until_end(), "A0FAC0B1234");
    EXPECT_EQ(in_loop([this] { return registers_.read(0x0FAC, 0x0B); }), 0x1234);

    const Peer reader(endpoint_);
    reader.say("R0FAC0B");
    EXPECT_EQ(reader.hear_until_end(), "A0FAC0B1234");
}

TEST_F(ServerTest, every_step_of_a_connection_is_an_event_in_order) {
    start();
    Peer peer(endpoint_);
    peer.say("W0FAC0B1234");
    EXPECT_EQ(peer.hear_until_end(), "A0FAC0B1234");
    peer.close();
    const auto closed = wait_for<ConnectionClosed>();
    const auto opened = wait_for<ConnectionOpened>();
    const auto frame = wait_for<FrameReceived>();
    const auto reply = wait_for<ReplySent>();

    EXPECT_EQ(opened.local, endpoint_);
    EXPECT_FALSE(opened.secure);
    EXPECT_EQ(frame.connection_id, opened.id);
    EXPECT_EQ(frame.verdict, FrameVerdict::write);
    EXPECT_EQ(frame.device, 0x0FAC);
    EXPECT_EQ(frame.reg, 0x0B);
    EXPECT_EQ(frame.value, 0x1234);
    EXPECT_EQ(frame.raw, "W0FAC0B1234");
    EXPECT_EQ(reply.frame_id, frame.id);
    EXPECT_EQ(reply.reply, "A0FAC0B1234");
    EXPECT_EQ(closed.end_reason, "answered");
    EXPECT_EQ(closed.ignored_bytes, 0);
    EXPECT_LE(frame.received_ns, reply.replied_ns);
    EXPECT_LE(reply.replied_ns, closed.at_ns);
}

TEST_F(ServerTest, received_bytes_carry_the_kernels_time) {
    start();
    // The kernel begins to stamp some time after the first socket on a machine asks for it.
    const auto give_up = rig::Deadline::after(clock_, patience);
    FrameReceived frame;
    TimestampNs before_ns = 0;
    TimestampNs after_ns = 0;
    do {
        before_ns = clock_.monotonic_ns();
        const Peer peer(endpoint_);
        peer.say("R000000");
        EXPECT_EQ(peer.hear_until_end(), "X");
        after_ns = clock_.monotonic_ns();
        frame = all<FrameReceived>().back();
    } while (frame.stamp != StampSource::kernel && !give_up.has_passed(clock_));
    EXPECT_EQ(frame.stamp, StampSource::kernel);
    EXPECT_GE(frame.received_ns, before_ns - rig::ns_per_ms);
    EXPECT_LE(frame.received_ns, after_ns);
}

TEST_F(ServerTest, nothing_after_the_first_frame_is_answered_but_it_is_counted) {
    start();
    Peer peer(endpoint_);
    peer.say("R000000R000001");
    EXPECT_EQ(peer.hear_until_end(), "X");
    peer.close();
    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_EQ(closed.ignored_bytes, 7);
    EXPECT_EQ(all<FrameReceived>().size(), 1U);
}

TEST_F(ServerTest, keep_open_answers_frame_after_frame_in_order) {
    auto options = plain_options();
    options.limits.mode = ConversationMode::keep_open;
    options.limits.conversation.frame_timeout = 1h;
    start(std::move(options));
    const Peer peer(endpoint_);
    peer.say("W000100000AR0001");
    EXPECT_EQ(peer.hear(11), "A000100000A");
    peer.say("00R000101");
    EXPECT_EQ(peer.hear(12), "A000100000AX");
    EXPECT_TRUE(peer.hears_nothing(20ms));
    peer.half_close();
    EXPECT_EQ(peer.hear_until_end(), "");
}

TEST_F(ServerTest, an_unfinished_frame_is_answered_with_x_within_half_a_second) {
    start();
    const auto before_ns = clock_.monotonic_ns();
    const Peer peer(endpoint_);
    peer.say("W01234");
    EXPECT_EQ(peer.hear_until_end(), "X");
    EXPECT_GE(clock_.monotonic_ns() - before_ns, 200 * rig::ns_per_ms);
    const auto frame = wait_for<FrameReceived>();
    EXPECT_EQ(frame.verdict, FrameVerdict::truncated);
    EXPECT_EQ(frame.raw, "W01234");
}

TEST_F(ServerTest, half_close_in_the_middle_of_a_frame_is_answered_at_once) {
    auto options = plain_options();
    options.limits.conversation.frame_timeout = 1h;
    start(std::move(options));
    const Peer peer(endpoint_);
    peer.say("W01234");
    peer.half_close();
    EXPECT_EQ(peer.hear_until_end(), "X");
}

TEST_F(ServerTest, an_illegal_byte_ends_the_connection_and_is_recorded_raw) {
    start();
    Peer peer(endpoint_);
    peer.say("Q");
    EXPECT_EQ(peer.hear_until_end(), "X");
    peer.close();
    const auto frame = wait_for<FrameReceived>();
    EXPECT_EQ(frame.verdict, FrameVerdict::illegal);
    EXPECT_EQ(frame.raw, "Q");
    EXPECT_THAT(wait_for<ConnectionClosed>().end_reason, HasSubstr("illegal byte 0x51"));
}

TEST_F(ServerTest, a_silent_connection_is_closed_after_the_idle_time_without_a_reply) {
    auto options = plain_options();
    options.limits.conversation.idle_timeout = 30ms;
    start(std::move(options));
    const Peer peer(endpoint_);
    EXPECT_EQ(peer.hear_until_end(), "");
    EXPECT_TRUE(all<FrameReceived>().empty());
}

TEST_F(ServerTest, a_client_that_goes_without_reading_its_reply_is_no_failure) {
    start();
    Peer peer(endpoint_);
    peer.say("W000500AA01");
    peer.close();
    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_FALSE(closed.end_reason.empty());
    EXPECT_EQ(wait_for<FrameReceived>().verdict, FrameVerdict::write);
}

TEST_F(ServerTest, a_reset_ends_one_connection_and_no_other) {
    start();
    const Peer good(endpoint_);
    Peer bad(endpoint_);
    bad.say("W0");
    wait_for<ConnectionOpened>([](const ConnectionOpened& opened) { return opened.id == 2; });
    bad.reset();
    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_EQ(closed.id, 2);
    EXPECT_THAT(closed.end_reason, HasSubstr("reset"));
    good.say("R000000");
    EXPECT_EQ(good.hear_until_end(), "X");
}

TEST_F(ServerTest, serves_ipv4_and_ipv6_at_once_with_one_register_file) {
    auto options = plain_options();
    options.addresses = {"127.0.0.1", "::1"};
    start(std::move(options));
    ASSERT_EQ(server_->plain_endpoints().size(), 2U);
    const Peer v4(server_->plain_endpoints()[0]);
    v4.say("W000500AA01");
    EXPECT_EQ(v4.hear_until_end(), "A000500AA01");
    const Peer v6(server_->plain_endpoints()[1]);
    v6.say("R000500");
    EXPECT_EQ(v6.hear_until_end(), "A000500AA01");
}

TEST_F(ServerTest, a_late_reply_comes_late_and_the_delay_is_an_event) {
    start();
    const auto id =
        in_loop([this] { return server_->add_fault({.kind = FaultKind::late, .delay = 80ms}); });
    const Peer peer(endpoint_);
    peer.say("R000000");
    EXPECT_EQ(peer.hear_until_end(), "X");
    const auto frame = wait_for<FrameReceived>();
    const auto reply = wait_for<ReplySent>();
    EXPECT_GE(reply.replied_ns - frame.received_ns, 80 * rig::ns_per_ms);
    EXPECT_EQ(wait_for<FaultFired>().name, "late by=80ms");
    EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 1);
}

TEST_F(ServerTest, answering_x_replaces_the_reply) {
    start();
    in_loop([this] { server_->add_fault({.kind = FaultKind::answer_x}); });
    const Peer peer(endpoint_);
    peer.say("W000500AA01");
    EXPECT_EQ(peer.hear_until_end(), "X");
}

TEST_F(ServerTest, at_the_limit_new_connections_wait_for_a_place) {
    auto options = plain_options();
    options.connections_max = 1;
    start(std::move(options));
    std::unique_ptr<Peer> first;
    std::unique_ptr<Peer> second;
    in_loop([&] {  // so that both wait when it looks
        first = std::make_unique<Peer>(endpoint_);
        second = std::make_unique<Peer>(endpoint_);
    });
    wait_for<ConnectionOpened>();
    second->say("R000000");
    EXPECT_TRUE(second->hears_nothing(50ms));
    EXPECT_EQ(all<ConnectionOpened>().size(), 1U);
    first->close();
    EXPECT_EQ(second->hear_until_end(), "X");
}

TEST_F(ServerTest, shutting_down_answers_what_was_received_and_refuses_what_is_new) {
    auto options = plain_options();
    options.limits.conversation.frame_timeout = 1h;
    start(std::move(options));
    const Peer unfinished(endpoint_);
    unfinished.say("W01");
    wait_for<ConnectionOpened>();
    in_loop([this] { server_->shut_down(); });
    EXPECT_EQ(unfinished.hear_until_end(), "X");
    EXPECT_EQ(Peer(endpoint_).connect_error(), ECONNREFUSED);
}

TEST_F(ServerTest, a_peer_that_never_reads_is_not_read_from_and_then_closed) {
    auto options = plain_options();
    options.limits.mode = ConversationMode::keep_open;
    options.limits.conversation.idle_timeout = 1s;
    options.limits.conversation.frame_timeout = 1h;  // a frame is cut where reading stopped
    start(std::move(options));
    const Peer peer(endpoint_);
    std::string frames;
    for (int i = 0; i < 1000; ++i) {
        frames += "W000500AA01";
    }
    std::int64_t bytes_taken = 0;
    bool is_closed = false;
    while (!is_closed) {
        is_closed = peer.send_some(frames, bytes_taken) == Peer::Sent::closed;
    }
    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_EQ(closed.end_reason, "peer does not read its replies");
    // What was neither answered nor read stayed in the kernel's buffers, not in ours.
    const auto frames_taken = static_cast<std::int64_t>(all<FrameReceived>().size());
    EXPECT_LT(frames_taken * 11, bytes_taken);
}

TEST_F(ServerTest, serves_a_thousand_connections_at_once) {
    // Both ends are ours, and an ordinary user's soft limit is 1024 descriptors.
    rlimit descriptors{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &descriptors), 0);
    descriptors.rlim_cur =
        std::max(descriptors.rlim_cur, std::min<rlim_t>(descriptors.rlim_max, 4096));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &descriptors), 0);

    auto options = plain_options();
    options.limits.mode = ConversationMode::keep_open;
    start(std::move(options));
    std::vector<std::unique_ptr<Peer>> peers;
    for (int i = 0; i < 1000; ++i) {
        peers.push_back(std::make_unique<Peer>(endpoint_));
        ASSERT_EQ(peers.back()->connect_error(), 0);
    }
    for (const auto& peer : peers) {
        peer->say("R000000");
    }
    for (const auto& peer : peers) {
        ASSERT_EQ(peer->hear(1), "X");
    }
    EXPECT_EQ(in_loop([this] { return server_->connections_open(); }), 1000U);
}

TEST_F(ServerTest, two_boards_with_one_device_id_are_reported) {
    auto options = plain_options();
    options.addresses = {"127.0.0.1", "::1"};
    start(std::move(options));
    for (const auto& endpoint : server_->plain_endpoints()) {
        const Peer peer(endpoint);
        peer.say("R0FAC00");
        EXPECT_EQ(peer.hear_until_end(), "X");
    }
    const auto note = wait_for<RigNote>();
    EXPECT_FALSE(note.is_error);
    EXPECT_THAT(note.what, HasSubstr("0FAC"));
}

// Line ends --------------------------------------------------------------------------------------

class LineEndTest : public ServerTest {
  protected:
    static ServerOptions keep_open_options() {
        auto options = plain_options();
        options.limits.mode = ConversationMode::keep_open;
        return options;
    }
};

TEST_F(LineEndTest, one_is_swallowed_after_each_frame_however_the_reads_cut_it) {
    start(keep_open_options());
    Peer peer(endpoint_);
    peer.say("R000000\r");
    EXPECT_EQ(peer.hear(1), "X");
    peer.say("\n");
    EXPECT_TRUE(peer.hears_nothing(30ms));
    peer.say("R000000\n");
    EXPECT_EQ(peer.hear(1), "X");
    peer.say("R000000");
    EXPECT_EQ(peer.hear(1), "X");
    peer.say("\r\n");
    EXPECT_TRUE(peer.hears_nothing(30ms));
    peer.say("R000000");
    EXPECT_EQ(peer.hear(1), "X");
    peer.half_close();
    EXPECT_EQ(peer.hear_until_end(), "");
    EXPECT_EQ(wait_for<ConnectionClosed>().end_reason, "peer closed");
    EXPECT_EQ(all<FrameReceived>().size(), 4U);
}

TEST_F(LineEndTest, a_second_one_is_illegal) {
    start(keep_open_options());
    const Peer peer(endpoint_);
    peer.say("R000000\n");
    EXPECT_EQ(peer.hear(1), "X");
    peer.say("\n");
    EXPECT_EQ(peer.hear_until_end(), "X");
    const auto illegal = wait_for<FrameReceived>(
        [](const FrameReceived& frame) { return frame.verdict == FrameVerdict::illegal; });
    EXPECT_EQ(illegal.raw, "\n");
    EXPECT_THAT(illegal.reason, HasSubstr("0x0a"));
}

TEST_F(LineEndTest, one_before_the_first_frame_is_illegal) {
    start();
    const Peer peer(endpoint_);
    peer.say("\nR000000");
    EXPECT_EQ(peer.hear_until_end(), "X");
    EXPECT_EQ(wait_for<FrameReceived>().verdict, FrameVerdict::illegal);
    EXPECT_EQ(all<FrameReceived>().size(), 1U);
}

TEST_F(LineEndTest, starts_no_frame_timeout) {
    auto options = keep_open_options();
    options.limits.conversation.frame_timeout = 20ms;
    start(std::move(options));
    const Peer peer(endpoint_);
    peer.say("R000000\r");
    EXPECT_EQ(peer.hear(1), "X");
    EXPECT_TRUE(peer.hears_nothing(80ms));
    peer.say("\nR000000");
    EXPECT_EQ(peer.hear(1), "X");
    EXPECT_EQ(all<FrameReceived>().size(), 2U);
}

// Ends -------------------------------------------------------------------------------------------

TEST_F(ServerTest, the_reply_is_not_lost_to_a_reset_when_the_client_sends_more_than_is_read) {
    start();
    const Peer peer(endpoint_);
    const std::string more(1'000, 'z');
    peer.say("W000500AA01");
    for (int i = 0; i < 1'000; ++i) {
        peer.say(more);  // most of it while the server drains
    }
    peer.half_close();
    EXPECT_EQ(peer.hear_until_end(), "A000500AA01");
    EXPECT_EQ(wait_for<ConnectionClosed>().ignored_bytes, 1'000'000);
    EXPECT_EQ(wait_for<ConnectionClosed>().end_reason, "answered");
    EXPECT_EQ(all<FrameReceived>().size(), 1U);
}

TEST_F(ServerTest, a_peer_that_never_ends_its_side_is_drained_for_a_bounded_time) {
    auto options = plain_options();
    options.limits.drain_timeout = 100ms;
    start(std::move(options));
    const Peer peer(endpoint_);
    peer.say("R000000");
    EXPECT_EQ(peer.hear_until_end(), "X");
    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_EQ(closed.end_reason, "answered");
    EXPECT_GE(closed.at_ns - wait_for<ReplySent>().replied_ns, 99 * rig::ns_per_ms);
}

TEST_F(ServerTest, keep_open_closes_a_connection_that_idles_between_frames) {
    auto options = plain_options();
    options.limits.mode = ConversationMode::keep_open;
    options.limits.conversation.idle_timeout = 500ms;
    start(std::move(options));
    const Peer peer(endpoint_);
    peer.say("R000000");
    EXPECT_EQ(peer.hear_until_end(), "X");
    EXPECT_EQ(wait_for<ConnectionClosed>().end_reason, "idle for 500 ms");
    EXPECT_EQ(all<FrameReceived>().size(), 1U);
}

TEST_F(ServerTest, a_reset_while_a_late_reply_waits_ends_the_connection_without_it) {
    start();
    in_loop([this] { server_->add_fault({.kind = FaultKind::late, .delay = 10min}); });
    Peer peer(endpoint_);
    peer.say("R000000");
    wait_for<FrameReceived>();
    peer.reset();
    EXPECT_EQ(wait_for<ConnectionClosed>().end_reason, "peer reset the connection after its frame");
    EXPECT_TRUE(all<ReplySent>().empty());
    EXPECT_EQ(in_loop([this] { return server_->connections_open(); }), 0U);
}

}  // namespace
