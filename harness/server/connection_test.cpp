// One connection without a server's loop: the test says when it is its turn, and what time it is.
#include "harness/server/connection.hpp"

#include "harness/client/client.hpp"
#include "harness/server/server_fixture.hpp"

namespace {

using namespace harness;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

const TlsServerConfig& server_config() {
    static const TlsServerConfig config{.certificate_file = WWEP_TEST_CERTS "/server-ecdsa.pem",
                                        .key_file = WWEP_TEST_CERTS "/server-ecdsa.key",
                                        .client_ca_file = {},
                                        .ciphers = {}};
    return config;
}

/// The clock stands still where the wall clock was when the connection was opened, until the test
/// moves it: how long ago something came, by the kernel's stamps, is no matter of the machine's
/// pace.
class ConnectionTest : public ::testing::Test {
  protected:
    static constexpr auto age = 30s;
    static constexpr std::string_view frame = "W000500AA01";
    static constexpr std::size_t replies_owed = Connection::received_per_call_max / 7;
    static constexpr auto piece_size = 2 * Connection::received_per_call_max;

    void open(const TlsContext* tls, Peer::Window window = Peer::Window::usual) {
        Listener listener("127.0.0.1", 0);
        peer_ = std::make_unique<Peer>(listener.endpoint(), window);
        ASSERT_EQ(peer_->connect_error(), 0);
        pollfd waiting{.fd = listener.fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&waiting, 1, patience_ms), 1);
        auto accepted = listener.accept();
        ASSERT_TRUE(accepted);
        context_.limits.mode = ConversationMode::keep_open;
        clock_.advance_ns(system_.wall_ns() - clock_.wall_ns());
        connection_ = std::make_unique<Connection>(context_, 1, std::move(*accepted), tls);
    }

    void open_with_tls() {
        open(&serving_);
        while (client_.state() == TlsSession::State::handshaking) {
            say(sealed());
            connection_->on_readable();
            hear_sealed();
        }
        ASSERT_EQ(client_.state(), TlsSession::State::open);
        say(sealed());
        connection_->on_readable();
    }

    /// Bytes that all wait for the connection when this returns.
    void say(const std::string& bytes) {
        const int wanted = static_cast<int>(bytes.size());
        if (wanted == 0) {
            return;
        }
        peer_->say(bytes);
        ASSERT_EQ(::setsockopt(connection_->fd(), SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted),
                  0);
        pollfd waiting{.fd = connection_->fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&waiting, 1, patience_ms), 1);
    }

    static std::string more_than_is_taken() {
        std::string frames;
        while (frames.size() < piece_size) {
            frames += frame;
        }
        return frames;
    }

    /// To a peer that reads nothing: more replies than the kernels between keep.
    void owe_more_than_the_kernel_keeps(const std::string& last_said = "") {
        faults_.add({.kind = FaultKind::long_reply, .number = 20'000});
        open(nullptr, Peer::Window::small);
        say(reads(replies_owed) + last_said);
        connection_->on_readable();
        send_until_refused();
    }
    /// As a loop does, reply by reply, until so much is left over that the peer is not read from.
    void send_until_refused() {
        for (std::size_t turn = 0; turn < replies_owed && connection_->interest().readable;
             ++turn) {
            connection_->on_time();
        }
        ASSERT_FALSE(connection_->interest().readable);
        ASSERT_TRUE(connection_->interest().writable);
    }
    [[nodiscard]] TimestampNs idle_ns() const {
        return context_.limits.conversation.idle_timeout.count();
    }

    static std::string reads(std::size_t count) {
        std::string frames;
        for (std::size_t i = 0; i < count; ++i) {
            frames += "R000000";
        }
        return frames;
    }

    /// As a loop does whose timer is due: what waits is read before anything is judged.
    void read_all() {
        for (std::size_t turn = 0; turn <= piece_size / Connection::received_per_call_max; ++turn) {
            connection_->on_time();
        }
    }

    /// What the client's TLS makes of `plaintext`, and has to send besides.
    std::string sealed(const std::string& plaintext = "") {
        if (!plaintext.empty()) {
            client_.write(
                {reinterpret_cast<const std::uint8_t*>(plaintext.data()), plaintext.size()});
        }
        std::string bytes(client_.to_send().begin(), client_.to_send().end());
        client_.sent(bytes.size());
        return bytes;
    }

    /// More than is taken at once of one long record: none of it can be read before its end is
    /// there.
    std::string part_of_a_record() {
        return sealed(std::string(16'000, '0')).substr(0, piece_size);
    }

    /// What the client reads of what has come; waits until something has.
    std::string hear_sealed() {
        EXPECT_FALSE(peer_->hears_nothing(patience));
        const std::string heard = peer_->hear_some();
        std::span<const std::uint8_t> left(reinterpret_cast<const std::uint8_t*>(heard.data()),
                                           heard.size());
        std::string replies;
        while (!left.empty()) {
            left = left.subspan(client_.receive(left));
            std::array<std::uint8_t, 4096> plaintext;
            while (const std::size_t size = client_.read(plaintext)) {
                replies.append(plaintext.begin(), plaintext.begin() + size);
            }
        }
        return replies;
    }

    /// Frames that are answered, until the kernel says when one came: it begins to some time after
    /// it was asked to. From here on all that comes has been there for `age`.
    void begin_to_lag() {
        clock_.advance_ns(std::chrono::nanoseconds(age).count());
        const auto give_up = rig::Deadline::after(system_, patience);
        do {
            say(client_.state() == TlsSession::State::open ? sealed("R000000") : "R000000");
            connection_->on_readable();
        } while (frames().back().stamp != StampSource::kernel && !give_up.has_passed(system_));
    }

    std::vector<FrameReceived> frames() const {
        std::vector<FrameReceived> result;
        for (const Event& event : timeline_.since(0, 100'000).events) {
            if (const auto* const received = std::get_if<FrameReceived>(&event)) {
                result.push_back(*received);
            }
        }
        return result;
    }

    static constexpr int patience_ms = std::chrono::milliseconds(patience).count();
    rig::SystemClock system_;
    rig::ManualClock clock_;
    TlsLibrary library_;
    TlsContext serving_{library_, server_config()};
    TlsContext asking_{library_, TlsClientConfig{.verify_chain = false}};
    TlsSession client_{asking_};
    Timeline timeline_{clock_, nullptr};
    RegisterFile registers_;
    KernelStamps stamps_{clock_};
    Faults faults_;
    DeviceIdWatch device_ids_;
    FrameId last_frame_id_ = 0;
    ConnectionContext context_{clock_,  timeline_,   registers_,     stamps_,
                               faults_, device_ids_, last_frame_id_, ConnectionLimits{}};
    std::unique_ptr<Peer> peer_;
    std::unique_ptr<Connection> connection_;
};

// A peer that goes between its ClientHello and the server's answer, on a socket pair: there the
// kernel hands over what was said before it tells that nobody is there.
TEST_F(ConnectionTest, a_peer_that_goes_before_the_servers_flight_ends_the_handshake_once) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    rig::UniqueFd peer(ends[1]);
    const auto hello = sealed();
    ASSERT_EQ(::send(peer.get(), hello.data(), hello.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(hello.size()));
    peer.reset();
    Connection connection(
        context_, 1, Accepted{.socket = rig::UniqueFd(ends[0]), .peer = "peer", .local = "local"},
        &serving_);
    connection.on_readable();

    ASSERT_TRUE(connection.is_over());
    const auto events = timeline_.since(0, 100).events;
    ASSERT_EQ(events.size(), 3U) << "opened, handshake ended, closed";
    EXPECT_THAT(std::get<HandshakeEnded>(events[1]).failure,
                HasSubstr("the peer went before it ended"));
    EXPECT_EQ(std::get<ConnectionClosed>(events[2]).end_reason,
              "peer went during the TLS handshake");
}

TEST_F(ConnectionTest, with_the_default_timeout_the_x_is_out_before_the_labs_clients_give_up) {
    open(nullptr);
    say("W0");
    connection_->on_readable();
    const TimestampNs read_ns = clock_.monotonic_ns();
    const TimestampNs due_ns = connection_->deadline_ns().value_or(0);
    EXPECT_GT(due_ns, read_ns);
    EXPECT_LT(due_ns, read_ns + 500 * rig::ns_per_ms);
    clock_.advance_ns(due_ns - read_ns);
    connection_->on_time();
    EXPECT_EQ(peer_->hear(1), "X");
    EXPECT_EQ(frames().back().raw, "W0");
}

TEST_F(ConnectionTest, replies_wait_for_a_peer_that_has_too_much_to_read_already) {
    constexpr std::size_t replies = 20;
    constexpr std::size_t reply_size = 65'536;  // all of them are more than a session may queue
    static_assert(replies * reply_size > 2 * TlsSession::bytes_queued_max);
    faults_.add({.kind = FaultKind::long_reply, .number = reply_size});
    open_with_tls();
    say(sealed(reads(replies)));
    connection_->on_readable();
    std::string heard;
    while (heard.size() < replies * reply_size && !HasFailure()) {
        heard += hear_sealed();
        connection_->on_writable();
    }
    EXPECT_EQ(heard.size(), replies * reply_size);
    EXPECT_FALSE(connection_->is_over());
}

TEST_F(ConnectionTest, has_no_deadline_that_has_passed_while_its_replies_wait_for_the_peer) {
    owe_more_than_the_kernel_keeps();
    EXPECT_EQ(connection_->deadline_ns(), clock_.monotonic_ns() + idle_ns());
}

TEST_F(ConnectionTest, a_peer_that_takes_some_of_its_replies_has_the_idle_time_for_the_rest) {
    owe_more_than_the_kernel_keeps();
    clock_.advance_ns(idle_ns() - 1);
    pollfd writable{.fd = connection_->fd(), .events = POLLOUT, .revents = 0};
    const auto give_up = rig::Deadline::after(system_, patience);
    while (::poll(&writable, 1, 1) == 0 && !give_up.has_passed(system_)) {
        static_cast<void>(peer_->hear_some());
    }
    connection_->on_writable();
    send_until_refused();
    EXPECT_EQ(connection_->deadline_ns(), clock_.monotonic_ns() + idle_ns());
    clock_.advance_ns(1);
    connection_->on_time();
    EXPECT_FALSE(connection_->is_over());
}

TEST_F(ConnectionTest, a_peer_that_takes_nothing_is_given_up_however_often_it_is_tried) {
    owe_more_than_the_kernel_keeps();
    // The kernels may still move some of it from one to the other: that counts as taken.
    std::optional<TimestampNs> deadline_ns;
    for (int tries = 0; tries < 1000 && deadline_ns != connection_->deadline_ns(); ++tries) {
        deadline_ns = connection_->deadline_ns();
        clock_.advance_ns(rig::ns_per_ms);
        connection_->on_writable();
    }
    ASSERT_EQ(deadline_ns, connection_->deadline_ns());
    clock_.advance_ns(*deadline_ns - clock_.monotonic_ns());
    connection_->on_time();
    EXPECT_TRUE(connection_->is_over());
    const auto events = timeline_.since(0, 100'000).events;
    EXPECT_EQ(std::get<ConnectionClosed>(events.back()).end_reason,
              "peer does not read its replies");
}

TEST_F(ConnectionTest, a_frame_cut_where_reading_stopped_has_its_timeout_from_when_it_goes_on) {
    context_.limits.conversation.frame_timeout = age / 3;
    owe_more_than_the_kernel_keeps("W0");
    clock_.advance_ns(idle_ns() - 1);
    EXPECT_EQ(connection_->deadline_ns(), clock_.monotonic_ns() + 1) << "the frame's rests";
    connection_->on_time();
    const TimestampNs due_ns = clock_.monotonic_ns() + std::chrono::nanoseconds(age / 3).count();
    const auto give_up = rig::Deadline::after(system_, patience);
    while (connection_->deadline_ns() != due_ns && !give_up.has_passed(system_)) {
        static_cast<void>(peer_->hear_some());
        connection_->on_writable();
    }
    EXPECT_EQ(connection_->deadline_ns(), due_ns);
}

// More than is taken at once ---------------------------------------------------------------------

TEST_F(ConnectionTest, a_frame_that_waited_behind_more_than_is_taken_at_once_is_not_late) {
    context_.limits.conversation.frame_timeout = age / 3;
    open(nullptr);
    begin_to_lag();
    const std::size_t before = frames().size();
    const std::string waiting = more_than_is_taken();
    say(waiting + "W0005");
    read_all();
    const std::size_t whole = before + waiting.size() / frame.size();
    ASSERT_EQ(frames().size(), whole) << "by its stamp the last one would be late";
    say("00AA01");
    connection_->on_readable();
    ASSERT_EQ(frames().size(), whole + 1);
    EXPECT_EQ(frames().back().verdict, FrameVerdict::write);
}

TEST_F(ConnectionTest, a_frame_that_waited_has_its_timeout_from_then_and_no_longer) {
    context_.limits.conversation.frame_timeout = age / 3;
    open(nullptr);
    begin_to_lag();
    say(more_than_is_taken() + "W0");
    read_all();
    clock_.advance_ns(std::chrono::nanoseconds(age / 3).count() - 1);
    connection_->on_time();
    EXPECT_NE(frames().back().verdict, FrameVerdict::truncated);
    clock_.advance_ns(1);
    connection_->on_time();
    EXPECT_EQ(frames().back().verdict, FrameVerdict::truncated);
}

TEST_F(ConnectionTest, records_without_a_frames_bytes_do_not_prolong_a_frame) {
    context_.limits.conversation.frame_timeout = 1ns;
    open_with_tls();
    begin_to_lag();
    say(sealed("W0005"));
    connection_->on_readable();
    const std::size_t before = frames().size();
    say(part_of_a_record());
    connection_->on_time();
    ASSERT_EQ(frames().size(), before + 1) << "as long as more waits it is never late";
    EXPECT_EQ(frames().back().verdict, FrameVerdict::truncated);
    EXPECT_EQ(frames().back().raw, "W0005");
}

TEST_F(ConnectionTest, records_without_a_frames_bytes_do_not_prolong_an_idle_connection) {
    context_.limits.conversation.idle_timeout = 1ns;
    open_with_tls();
    begin_to_lag();
    say(part_of_a_record());
    connection_->on_time();
    hear_sealed();
    EXPECT_EQ(client_.state(), TlsSession::State::closed_by_peer);
}

}  // namespace
