// What a client in the clear meets when the server misbehaves: exact bytes, closes and resets, on
// real sockets.
#include "harness/server/server_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace harness;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* request = "W0FAC0B1234";
constexpr const char* accepted = "A0FAC0B1234";

class FrameFaultsTest : public ServerTest {
  protected:
    static ServerOptions keep_open_options() {
        ServerOptions options = plain_options();
        options.limits.mode = ConversationMode::keep_open;
        return options;
    }
    Faults::Id arm(const FaultSpec& spec) {
        return in_loop([&] { return server_->add_fault(spec); });
    }
    std::int64_t disarm(Faults::Id id) {
        return in_loop([&] { return server_->remove_fault(id); });
    }
    /// All that a client hears that asks once; "(reset)" at the end of it if that came.
    [[nodiscard]] std::string heard(const std::string& ask = request) const {
        const Peer peer(endpoint_);
        peer.say(ask);
        return peer.hear_until_end();
    }
};

struct Spoilt {
    std::string_view fault;
    std::vector<std::pair<std::string, std::string>> words;
    std::string_view heard;
    std::string_view event;
};

void PrintTo(const Spoilt& spoilt, std::ostream* out) {
    *out << spoilt.event;
}

class SpoiltReplyTest : public FrameFaultsTest, public ::testing::WithParamInterface<Spoilt> {};

TEST_P(SpoiltReplyTest, is_heard_byte_for_byte_once_and_is_an_event_with_its_parameters) {
    start();
    FaultSpec second = make_fault(GetParam().fault, GetParam().words);
    second.nth = 2;
    const auto id = arm(second);
    EXPECT_EQ(heard(), accepted);
    EXPECT_EQ(heard(), GetParam().heard);
    EXPECT_EQ(heard(), accepted);
    EXPECT_EQ(disarm(id), 1);

    const auto fired = all<FaultFired>();
    ASSERT_EQ(fired.size(), 1U);
    EXPECT_EQ(fired[0].name, GetParam().event);
    EXPECT_EQ(fired[0].connection_id, 2);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SpoiltReplyTest,
    ::testing::Values(
        Spoilt{"answer_x", {}, "X", "answer_x"},
        Spoilt{"wrong_device", {}, "A0FAD0B1234", "wrong_device"},
        Spoilt{"wrong_register", {}, "A0FAC0C1234", "wrong_register"},
        Spoilt{"wrong_value", {}, "A0FAC0B1235", "wrong_value"},
        Spoilt{"lower_case", {}, "a0fac0b1234", "lower_case"},
        Spoilt{"two_replies", {}, "A0FAC0B1234A0FAC0B1234", "two_replies"},
        Spoilt{"text_after_x", {}, "X Not Found", "text_after_x text=\" Not Found\""},
        Spoilt{"long_reply", {{"bytes", "20"}}, "A0FAC0B1234012345678", "long_reply bytes=20"},
        Spoilt{"close_in_reply", {{"bytes", "0"}}, "", "close_in_reply bytes=0"},
        Spoilt{"close_in_reply", {}, "A0FAC", "close_in_reply bytes=5"},
        Spoilt{"close_in_reply", {{"bytes", "11"}}, accepted, "close_in_reply bytes=11"},
        Spoilt{"closed_at_accept", {}, "", "closed_at_accept"},
        Spoilt{"early_reply", {{"text", "A0"}}, "A0", "early_reply text=A0"},
        Spoilt{"reset", {{"bytes", "5"}}, "(reset)", "reset bytes=5 of=received"},
        Spoilt{"reset", {{"bytes", "4"}, {"of", "sent"}}, "A0FA(reset)", "reset bytes=4 of=sent"}));

TEST_F(FrameFaultsTest, a_write_is_stored_whatever_the_reply_says) {
    start();
    static_cast<void>(arm({.kind = FaultKind::answer_x, .nth = 1}));
    EXPECT_EQ(heard(), "X");
    EXPECT_EQ(heard("R0FAC0B"), accepted);
}

TEST_F(FrameFaultsTest, a_reset_at_accept_meets_a_client_that_has_said_nothing) {
    start();
    static_cast<void>(arm({.kind = FaultKind::reset}));
    const Peer peer(endpoint_);
    EXPECT_EQ(peer.hear_until_end(), "(reset)");
    EXPECT_THAT(wait_for<ConnectionClosed>().end_reason, HasSubstr("reset on purpose"));
    EXPECT_TRUE(all<FrameReceived>().empty());
}

TEST_F(FrameFaultsTest, a_reset_after_the_whole_request_leaves_the_frame_on_record) {
    auto options = plain_options();
    options.limits.conversation.frame_timeout = 1h;
    start(std::move(options));
    static_cast<void>(arm({.kind = FaultKind::reset, .number = 11}));
    const Peer peer(endpoint_);
    peer.say("W0FAC0B123");
    EXPECT_TRUE(peer.hears_nothing(50ms)) << "ten bytes are not eleven";
    peer.say("4");
    EXPECT_EQ(peer.hear_until_end(), "(reset)");
    EXPECT_EQ(wait_for<FrameReceived>().raw, request);
    wait_for<ConnectionClosed>();
    EXPECT_TRUE(all<ReplySent>().empty());
}

TEST_F(FrameFaultsTest, no_reply_leaves_the_client_waiting_until_it_goes) {
    start();
    const auto id = arm({.kind = FaultKind::no_reply, .nth = 1});
    {
        const Peer peer(endpoint_);
        peer.say(request);
        EXPECT_EQ(wait_for<FaultFired>().name, "no_reply for=30s");
        EXPECT_TRUE(peer.hears_nothing(300ms)) << "neither a byte nor the end";
    }
    EXPECT_EQ(wait_for<ConnectionClosed>().end_reason, "not answered, on purpose");
    EXPECT_TRUE(all<ReplySent>().empty());
    EXPECT_EQ(heard(), accepted);
    EXPECT_EQ(disarm(id), 1);
}

TEST_F(FrameFaultsTest, no_reply_for_a_time_is_closed_after_it) {
    start();
    static_cast<void>(arm({.kind = FaultKind::no_reply, .delay = 100ms}));
    EXPECT_EQ(heard(), "");
    const auto opened = wait_for<ConnectionOpened>();
    EXPECT_GE(wait_for<ConnectionClosed>().at_ns - opened.at_ns, 100 * rig::ns_per_ms);
}

TEST_F(FrameFaultsTest, no_reply_on_an_open_connection_leaves_out_one_reply) {
    start(keep_open_options());
    static_cast<void>(arm({.kind = FaultKind::no_reply, .nth = 2}));
    const Peer peer(endpoint_);
    peer.say("W0FAC0B0001W0FAC0B0002R0FAC0B");
    EXPECT_EQ(peer.hear(22), "A0FAC0B0001A0FAC0B0002");
    peer.say(request);
    EXPECT_EQ(peer.hear(11), accepted);
}

TEST_F(FrameFaultsTest, a_connection_opened_before_a_fault_was_armed_meets_its_frames_too) {
    start(keep_open_options());
    const Peer peer(endpoint_);
    peer.say(request);
    EXPECT_EQ(peer.hear(11), accepted);
    const auto id = arm({.kind = FaultKind::answer_x});
    peer.say(request);
    EXPECT_EQ(peer.hear(1), "X");
    EXPECT_EQ(disarm(id), 1);
    peer.say(request);
    EXPECT_EQ(peer.hear(11), accepted);
}

TEST_F(FrameFaultsTest, a_close_in_a_reply_ends_an_open_connection) {
    start(keep_open_options());
    static_cast<void>(arm({.kind = FaultKind::close_in_reply, .number = 11}));
    const Peer peer(endpoint_);
    peer.say("W0FAC0B1234R0FAC0B");
    EXPECT_EQ(peer.hear_until_end(), accepted) << "what follows is not answered";
}

TEST_F(FrameFaultsTest, a_bytewise_reply_takes_its_gaps_and_is_one_reply_on_record) {
    start();
    static_cast<void>(arm({.kind = FaultKind::bytewise, .delay = 10ms}));
    const Peer peer(endpoint_);
    const auto began = clock_.monotonic_ns();
    peer.say(request);
    std::string all_heard;
    int reads = 0;
    while (all_heard.size() < 11) {
        const std::string some = peer.hear(1);
        ASSERT_EQ(some.size(), 1U);
        all_heard += some;
        ++reads;
    }
    EXPECT_EQ(all_heard, accepted);
    EXPECT_EQ(reads, 11);
    EXPECT_GE(clock_.monotonic_ns() - began, 10 * 10 * rig::ns_per_ms);
    EXPECT_EQ(wait_for<ReplySent>().reply, accepted);
    EXPECT_EQ(peer.hear_until_end(), "");
    EXPECT_EQ(all<ReplySent>().size(), 1U);
}

TEST_F(FrameFaultsTest, garbage_is_as_long_as_asked_and_no_answer) {
    start();
    static_cast<void>(arm({.kind = FaultKind::garbage, .number = 300, .seed = 1}));
    const std::string first = heard();
    const std::string second = heard();
    EXPECT_EQ(first.size(), 300U);
    EXPECT_EQ(second.size(), 300U);
    EXPECT_NE(first, second);
}

TEST_F(FrameFaultsTest, never_read_takes_no_byte_and_ends_with_its_time) {
    start();
    static_cast<void>(arm({.kind = FaultKind::never_read, .delay = 200ms}));
    const Peer peer(endpoint_);
    peer.say(request);
    EXPECT_TRUE(peer.hears_nothing(50ms));
    const std::string end = peer.hear_until_end();
    EXPECT_EQ(end, "(reset)") << "closing with unread bytes resets";
    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_EQ(closed.end_reason, "never read from, on purpose");
    EXPECT_EQ(closed.ignored_bytes, 0);
    EXPECT_TRUE(all<FrameReceived>().empty());
}

TEST_F(FrameFaultsTest, an_early_reply_comes_before_a_byte_was_sent_and_is_the_only_one) {
    start();
    static_cast<void>(arm({.kind = FaultKind::early_reply}));
    const Peer peer(endpoint_);
    EXPECT_EQ(peer.hear(1), "X");
    peer.say(request);
    EXPECT_EQ(peer.hear_until_end(), "");
    EXPECT_EQ(wait_for<FrameReceived>().raw, request);
}

TEST_F(FrameFaultsTest, a_server_gone_for_a_time_comes_back_by_itself) {
    start();
    const auto id = arm({.kind = FaultKind::gone, .delay = 1s});
    EXPECT_EQ(Peer(endpoint_).connect_error(), ECONNREFUSED);
    const auto deadline = rig::Deadline::after(clock_, patience);
    while (Peer(endpoint_).connect_error() != 0 && !deadline.has_passed(clock_)) {
        std::this_thread::sleep_for(5ms);  // nothing tells a client that a server is back
    }
    EXPECT_EQ(heard(), accepted);
    EXPECT_EQ(wait_for<FaultFired>().name, "gone for=1s");
    EXPECT_EQ(disarm(id), 1);
}

TEST_F(FrameFaultsTest, a_schedule_of_several_faults_befalls_each_its_own_connection) {
    start();
    static_cast<void>(arm({.kind = FaultKind::closed_at_accept, .nth = 1}));
    static_cast<void>(arm({.kind = FaultKind::answer_x, .nth = 1}));  // of the frames
    static_cast<void>(arm({.kind = FaultKind::lower_case, .nth = 2}));
    static_cast<void>(arm({.kind = FaultKind::reset, .number = 5, .nth = 4}));
    EXPECT_EQ(heard(), "");
    EXPECT_EQ(heard(), "X");
    EXPECT_EQ(heard(), "a0fac0b1234");
    EXPECT_THAT(heard(), HasSubstr("(reset)"));
    EXPECT_EQ(heard(), accepted);
    EXPECT_EQ(all<FaultFired>().size(), 4U);
}

TEST_F(FrameFaultsTest, a_server_shut_down_lets_go_of_connections_that_a_fault_holds) {
    start();
    static_cast<void>(arm({.kind = FaultKind::no_reply}));
    const Peer peer(endpoint_);
    peer.say(request);
    wait_for<FaultFired>();
    in_loop([this] { server_->shut_down(); });
    EXPECT_EQ(in_loop([this] { return server_->connections_open(); }), 0U);
}

}  // namespace
