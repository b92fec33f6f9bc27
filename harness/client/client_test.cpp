#include "harness/client/client.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <functional>
#include <future>
#include <system_error>
#include <thread>

#include "harness/tls/tls_library.hpp"

namespace harness {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string cert(std::string_view name) {
    return std::string(WWEP_TEST_CERTS) + "/" + std::string(name) + ".pem";
}

std::string key(std::string_view name) {
    return std::string(WWEP_TEST_CERTS) + "/" + std::string(name) + ".key";
}

std::span<const std::uint8_t> bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// One accepted connection, seen from the server: blocking, with a TLS session if there is a
// context.
class Peer {
  public:
    Peer(rig::UniqueFd socket, const TlsContext* context) : socket_(std::move(socket)) {
        if (context != nullptr)
            session_ = std::make_unique<TlsSession>(*context);
    }

    // Until `count` bytes are there, or the client ended; ends the handshake when count is 0.
    std::string read(std::size_t count) {
        const auto handshaking = [this] {
            return session_ && session_->state() == TlsSession::State::handshaking;
        };
        while (!ended_ && (received_.size() < count || handshaking()))
            receive_once();
        return received_;
    }
    std::string read_until_end() {
        while (!ended_)
            receive_once();
        return received_;
    }
    void send(std::string_view text) {
        if (!session_)
            return send_raw(bytes(text));
        session_->write(bytes(text));
        flush();
    }
    void send_raw(std::span<const std::uint8_t> raw) {
        // An empty send would take the socket's pending error away from the next read.
        if (!raw.empty())
            (void)!::send(socket_.get(), raw.data(), raw.size(), MSG_NOSIGNAL);
    }
    void close() {
        if (session_) {
            session_->close();
            flush();
        }
        (void)::shutdown(socket_.get(), SHUT_WR);
    }
    void close_raw() { (void)::shutdown(socket_.get(), SHUT_WR); }
    void reset() {
        const linger discard{1, 0};
        (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &discard, sizeof discard);
        socket_.reset();
    }
    TlsSession& session() { return *session_; }
    int end_errno() const { return end_errno_; }

  private:
    void receive_once() {
        std::array<std::uint8_t, 4096> buffer{};
        const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        end_errno_ = count < 0 ? errno : 0;
        ended_ = count <= 0;
        if (session_) {
            if (ended_) {
                session_->receive_end();
            } else {
                (void)session_->receive({buffer.data(), static_cast<std::size_t>(count)});
            }
            std::array<std::uint8_t, 4096> plain{};
            while (const std::size_t got = session_->read(plain)) {
                received_.append(plain.begin(), plain.begin() + got);
            }
            ended_ = ended_ || session_->state() == TlsSession::State::closed_by_peer ||
                     session_->state() == TlsSession::State::failed;
            flush();
        } else if (count > 0) {
            received_.append(buffer.begin(), buffer.begin() + count);
        }
    }
    void flush() {
        send_raw(session_->to_send());
        session_->sent(session_->to_send().size());
    }

    rig::UniqueFd socket_;
    std::unique_ptr<TlsSession> session_;
    std::string received_;
    bool ended_ = false;
    int end_errno_ = 0;
};

// Listens on a free port of 127.0.0.1 and lets `serve` have the first connection.
class OneConnectionServer {
  public:
    explicit OneConnectionServer(std::function<void(Peer&)> serve,
                                 const TlsContext* context = nullptr)
        : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 1) != 0 ||
            ::getsockname(listener_.get(), generic, &size) != 0) {
            throw std::system_error(errno, std::generic_category(), "listen on 127.0.0.1");
        }
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, serve = std::move(serve), context] {
            rig::UniqueFd socket(::accept(listener_.get(), nullptr, nullptr));
            if (!socket)
                return;
            Peer peer(std::move(socket), context);
            serve(peer);
            release_tls_thread_memory();
        });
    }
    ~OneConnectionServer() {
        // Also ends an accept that nobody came for.
        (void)::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }
    std::uint16_t port() const { return port_; }

  private:
    rig::UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

class ClientTest : public testing::TestWithParam<bool> {
  protected:
    ClientTest() {
        TlsServerConfig config;
        config.certificate_file = cert("server-ecdsa");
        config.key_file = key("server-ecdsa");
        server_context_ = std::make_unique<TlsContext>(library_, config);
    }
    // The context for a server of the test's kind: TLS where the parameter is true.
    const TlsContext* context() const { return GetParam() ? server_context_.get() : nullptr; }

    Client connect(const OneConnectionServer& server, const std::string& host = "127.0.0.1") {
        return Client(library_, clock_, target(server.port(), host), soon());
    }
    ClientTarget target(std::uint16_t port, const std::string& host = "127.0.0.1") const {
        ClientTarget wanted;
        wanted.host = host;
        wanted.port = port;
        if (GetParam()) {
            wanted.tls.emplace();
            wanted.tls->ca_file = cert("ca");
            wanted.tls->name = "127.0.0.1";
        }
        return wanted;
    }
    rig::Deadline soon() const { return rig::Deadline::after(clock_, 10s); }

    TlsLibrary library_;
    rig::SystemClock clock_;
    std::unique_ptr<TlsContext> server_context_;
};

INSTANTIATE_TEST_SUITE_P(all, ClientTest, testing::Values(false, true), [](const auto& param) {
    return std::string(param.param ? "secure" : "clear");
});

TEST_P(ClientTest, a_write_is_answered_and_both_ends_are_stamped_in_order) {
    const OneConnectionServer server(
        [](Peer& peer) {
            EXPECT_EQ(peer.read(11), "W0FAC0B1234");
            peer.send("A0FAC0B1234");
            peer.close();
            EXPECT_EQ(peer.read_until_end(), "W0FAC0B1234");
        },
        context());
    Client client = connect(server);
    const Answer reply = client.transact("W0FAC0B1234", soon());
    EXPECT_EQ(reply.kind, Answer::Kind::accepted);
    EXPECT_EQ(reply.bytes, "A0FAC0B1234");
    EXPECT_THAT(reply.note, IsEmpty());
    EXPECT_THAT(reply.problem, IsEmpty());
    EXPECT_LE(client.connected_ns(), reply.sent_ns);
    EXPECT_LT(reply.sent_ns, reply.received_ns);
    EXPECT_LE(reply.received_ns, clock_.monotonic_ns());
    EXPECT_EQ(client.is_secure(), GetParam());
    EXPECT_EQ(client.tls_facts().version, GetParam() ? "TLSv1.3" : "");
    EXPECT_EQ(client.handshake_ns() > 0, GetParam());
    const Received end = client.receive_until_end(soon());
    EXPECT_EQ(end.end, PeerEnd::closed);
    EXPECT_THAT(end.bytes, IsEmpty());
}

TEST_P(ClientTest, a_reply_in_pieces_is_put_together_and_stamped_by_its_last_byte) {
    std::promise<void> half_arrived;
    auto wait = half_arrived.get_future();
    const OneConnectionServer server(
        [&wait](Peer& peer) {
            (void)peer.read(7);
            peer.send("A0FAC0");
            wait.wait();
            peer.send("B1234rest");
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server);
    (void)client.send("R0FAC0B", soon());
    const Received half = client.receive(6, soon());
    EXPECT_EQ(half.bytes, "A0FAC0");
    EXPECT_EQ(half.end, PeerEnd::none);
    half_arrived.set_value();
    const Received rest = client.receive(5, soon());
    EXPECT_EQ(rest.bytes, "B1234");
    EXPECT_GT(rest.last_byte_ns, half.last_byte_ns);
    EXPECT_EQ(client.receive(4, soon()).bytes, "rest") << "what came beyond stays";
}

TEST_P(ClientTest, an_x_is_taken_and_the_text_after_it_noted) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(7);
            peer.send("X Not Found\n");
            peer.close();
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server);
    const Answer reply = client.transact("R0BAC0B", soon());
    EXPECT_EQ(reply.kind, Answer::Kind::failed);
    EXPECT_EQ(reply.bytes, "X");
    EXPECT_EQ(reply.note, "Not Found");
}

TEST_P(ClientTest, an_x_on_a_connection_that_stays_open_is_not_waited_for_any_longer) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(7);
            peer.send("X");
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server);
    const Answer reply = client.transact("R0BAC0B", rig::Deadline::never());
    EXPECT_EQ(reply.kind, Answer::Kind::failed);
    EXPECT_THAT(reply.note, IsEmpty());
}

TEST_P(ClientTest, no_answer_within_the_deadline_is_told_with_host_and_port) {
    const OneConnectionServer server([](Peer& peer) { (void)peer.read_until_end(); }, context());
    Client client = connect(server);
    const Answer reply = client.transact("R0FAC0B", rig::Deadline::after(clock_, 30ms));
    EXPECT_EQ(reply.kind, Answer::Kind::none);
    EXPECT_THAT(reply.bytes, IsEmpty());
    EXPECT_EQ(reply.received_ns, 0);
    const std::string said =
        "no answer from 127.0.0.1:" + std::to_string(server.port()) + " within ";
    ASSERT_THAT(reply.problem, AllOf(StartsWith(said), EndsWith(" ms")));
    EXPECT_GE(std::stoi(reply.problem.substr(said.size())), 30);
}

TEST_P(ClientTest, a_peer_that_closes_without_an_answer_is_told_at_once) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(7);
            peer.close();
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server);
    const Answer reply = client.transact("R0FAC0B", rig::Deadline::never());
    EXPECT_EQ(reply.kind, Answer::Kind::none);
    EXPECT_THAT(reply.problem, HasSubstr("closed the connection without an answer"));
}

TEST_P(ClientTest, what_is_no_reply_is_shown) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(7);
            peer.send("HTTP/1.1");
            peer.close();
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server);
    const Answer reply = client.transact("R0FAC0B", soon());
    EXPECT_EQ(reply.kind, Answer::Kind::other);
    EXPECT_EQ(reply.bytes, "HTTP/1.1");
    EXPECT_THAT(reply.problem, HasSubstr("answered what is no reply: 48 54"));
}

TEST_P(ClientTest, a_reply_that_breaks_off_is_no_reply) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(7);
            peer.send("A0FAC");
            peer.close();
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server);
    const Answer reply = client.transact("R0FAC0B", soon());
    EXPECT_EQ(reply.kind, Answer::Kind::other);
    EXPECT_EQ(reply.bytes, "A0FAC");
    EXPECT_THAT(reply.problem, HasSubstr("broke off its reply"));
}

TEST_P(ClientTest, the_reply_to_an_unfinished_frame_arrives_after_a_half_close) {
    const OneConnectionServer server(
        [](Peer& peer) {
            EXPECT_EQ(peer.read_until_end(), "W01234");
            peer.send("X");
            peer.close();
        },
        context());
    Client client = connect(server);
    (void)client.send("W01234", soon());
    client.half_close(soon());
    const Received received = client.receive_until_end(soon());
    EXPECT_EQ(received.bytes, "X");
    EXPECT_EQ(received.end, PeerEnd::closed);
    EXPECT_GE(received.end_ns, received.last_byte_ns);
    EXPECT_THROW((void)client.send("W", soon()), std::logic_error);
}

TEST_P(ClientTest, a_reset_reaches_the_server_as_one) {
    std::promise<int> end;
    const OneConnectionServer server(
        [&end](Peer& peer) {
            (void)peer.read_until_end();
            end.set_value(peer.end_errno());
        },
        context());
    Client client = connect(server);
    (void)client.send("W0FA", soon());
    client.reset();
    EXPECT_EQ(end.get_future().get(), ECONNRESET);
}

TEST_P(ClientTest, a_reset_by_the_server_is_told) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(7);
            peer.reset();
        },
        context());
    Client client = connect(server);
    (void)client.send("R0FAC0B", soon());
    const Received received = client.receive_until_end(soon());
    EXPECT_EQ(received.end, PeerEnd::reset);
    EXPECT_THAT(received.end_reason, HasSubstr("Connection reset by peer"));
}

TEST_P(ClientTest, more_than_fits_is_not_kept) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(1);
            for (int i = 0; i < 10; ++i)
                peer.send(std::string(16'000, 'x'));
            peer.close();
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server);
    (void)client.send("R", soon());
    const Received first = client.receive_until_end(soon());
    EXPECT_GE(first.bytes.size(), Client::received_max);
    EXPECT_LT(first.bytes.size(), 2 * Client::received_max);
    EXPECT_EQ(first.end, PeerEnd::none);
    std::size_t total = first.bytes.size();
    for (;;) {
        const Received next = client.receive_until_end(soon());
        total += next.bytes.size();
        if (next.end != PeerEnd::none || next.bytes.empty())
            break;
    }
    EXPECT_EQ(total, 160'000U);
}

TEST_P(ClientTest, a_port_that_nobody_listens_on_is_no_connection) {
    std::uint16_t port = 0;
    {
        const OneConnectionServer gone([](Peer&) {});
        port = gone.port();
    }
    try {
        Client client(library_, clock_, target(port), soon());
        FAIL() << "it connected";
    } catch (const NoConnection& error) {
        EXPECT_EQ(std::string(error.what()),
                  "connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
    }
}

TEST_P(ClientTest, a_name_that_does_not_exist_is_no_connection) {
    try {
        Client client(library_, clock_, target(27708, "no-such-host.invalid"), soon());
        FAIL() << "it connected";
    } catch (const NoConnection& error) {
        EXPECT_THAT(error.what(), StartsWith("connect to no-such-host.invalid:27708: look up"));
    }
}

TEST_P(ClientTest, a_host_name_is_tried_at_each_of_its_addresses) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(7);
            peer.send("X");
            peer.close();
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server, "localhost");
    EXPECT_EQ(client.peer_name(), "localhost:" + std::to_string(server.port()));
    EXPECT_EQ(client.peer_address(), "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(client.transact("R0FAC0B", soon()).kind, Answer::Kind::failed);
}

using SecureClientTest = ClientTest;
INSTANTIATE_TEST_SUITE_P(all, SecureClientTest, testing::Values(true),
                         [](const auto&) { return std::string("secure"); });

TEST_P(SecureClientTest, a_server_of_another_ca_is_no_connection_and_is_told_why) {
    const OneConnectionServer server([](Peer& peer) { (void)peer.read_until_end(); }, context());
    ClientTarget wanted = target(server.port());
    wanted.tls->ca_file = cert("other-ca");
    try {
        Client client(library_, clock_, wanted, soon());
        FAIL() << "it connected";
    } catch (const NoConnection& error) {
        EXPECT_THAT(error.what(), HasSubstr("over TLS: /CN=rig.test is signed by no CA"));
    }
}

TEST_P(SecureClientTest, a_server_in_the_clear_is_no_connection) {
    const OneConnectionServer server([](Peer& peer) {
        (void)peer.read(1);
        peer.send("X");
        (void)peer.read_until_end();
    });
    try {
        Client client(library_, clock_, target(server.port()), soon());
        FAIL() << "it connected";
    } catch (const NoConnection& error) {
        EXPECT_THAT(error.what(), HasSubstr("first bytes are not TLS: 58 (\"X\")"));
    }
}

TEST_P(SecureClientTest, a_server_that_never_ends_the_handshake_is_no_connection) {
    const OneConnectionServer server([](Peer& peer) { (void)peer.read_until_end(); });
    try {
        Client client(library_, clock_, target(server.port()), rig::Deadline::after(clock_, 30ms));
        FAIL() << "it connected";
    } catch (const NoConnection& error) {
        EXPECT_THAT(error.what(), HasSubstr("the handshake did not end in time"));
    }
}

TEST_P(SecureClientTest, a_fin_without_close_notify_is_truncation) {
    const OneConnectionServer server(
        [](Peer& peer) {
            (void)peer.read(7);
            peer.send("A0FA");
            peer.close_raw();
            (void)peer.read_until_end();
        },
        context());
    Client client = connect(server);
    (void)client.send("R0FAC0B", soon());
    const Received received = client.receive_until_end(soon());
    EXPECT_EQ(received.bytes, "A0FA");
    EXPECT_EQ(received.end, PeerEnd::truncated);
}

TEST_P(SecureClientTest, a_client_that_goes_says_goodbye) {
    std::promise<TlsSession::State> state;
    const OneConnectionServer server(
        [&state](Peer& peer) {
            (void)peer.read_until_end();
            state.set_value(peer.session().state());
        },
        context());
    { const Client client = connect(server); }
    EXPECT_EQ(state.get_future().get(), TlsSession::State::closed_by_peer);
}

TEST_P(SecureClientTest, a_half_close_without_close_notify_reaches_the_server_as_truncation) {
    std::promise<TlsSession::State> state;
    const OneConnectionServer server(
        [&state](Peer& peer) {
            (void)peer.read_until_end();
            state.set_value(peer.session().state());
        },
        context());
    Client client = connect(server);
    client.half_close_raw();
    EXPECT_EQ(state.get_future().get(), TlsSession::State::truncated);
}

TEST_P(SecureClientTest, raw_bytes_past_the_session_break_it_and_the_server_s_alert_is_told) {
    const OneConnectionServer server([](Peer& peer) { (void)peer.read_until_end(); }, context());
    Client client = connect(server);
    const std::string header("\x17\x03\x03\x00\x20", 5);
    (void)client.send_raw(header + std::string(32, 'x'), soon());
    const Received received = client.receive_until_end(soon());
    EXPECT_EQ(received.end, PeerEnd::failed);
    EXPECT_THAT(received.end_reason, HasSubstr("the server sent the alert "));
}

}  // namespace
}  // namespace harness
