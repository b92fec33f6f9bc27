// The server over TLS, seen by the rig's own client and by peers that know nothing of TLS.
#include <nlohmann/json.hpp>

#include "harness/client/client.hpp"
#include "harness/server/server_fixture.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using namespace harness;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string cert(std::string_view name) {
    return std::string(WWEP_TEST_CERTS) + "/" + std::string(name) + ".pem";
}

std::string key(std::string_view name) {
    return std::string(WWEP_TEST_CERTS) + "/" + std::string(name) + ".key";
}

/// Verifies chain and name of what the fixture serves.
TlsClientConfig trusting() {
    TlsClientConfig config;
    config.ca_file = cert("ca");
    config.name = "rig.test";
    config.server_name = "rig.test";
    return config;
}

class ServerTlsTest : public ServerTest {
  protected:
    static ServerOptions tls_options(std::string_view identity = "server-ecdsa") {
        ServerOptions options;
        options.tls_port = 0;
        options.tls.certificate_file = cert(identity);
        options.tls.key_file = key(identity);
        return options;
    }

    [[nodiscard]] std::string secure_endpoint() const { return server_->tls_endpoints().front(); }

    [[nodiscard]] rig::Deadline soon() const { return rig::Deadline::after(clock_, patience); }

    [[nodiscard]] std::unique_ptr<Client> connect(const TlsClientConfig& config = trusting()) {
        const std::string endpoint = secure_endpoint();
        const auto colon = endpoint.rfind(':');
        return std::make_unique<Client>(
            tls_library_, clock_,
            ClientTarget{.host = endpoint.substr(0, colon),
                         .port = static_cast<std::uint16_t>(std::stoi(endpoint.substr(colon + 1))),
                         .tls = config},
            soon());
    }

    /// Connects and asks; "(no connection)" when the server refuses, at once or afterwards.
    [[nodiscard]] std::string ask(const std::string& request,
                                  const TlsClientConfig& config = trusting()) {
        try {
            const Answer answer = connect(config)->transact(request, soon());
            return answer.kind == Answer::Kind::none ? "(no connection)" : answer.bytes;
        } catch (const NoConnection&) {
            return "(no connection)";
        }
    }

    /// What a client that trusts us would send first.
    [[nodiscard]] std::string client_hello(const TlsClientConfig& config = trusting()) {
        const TlsContext context(tls_library_, config);
        const TlsSession session(context);
        return {session.to_send().begin(), session.to_send().end()};
    }

    /// Of the only handshake that failed.
    [[nodiscard]] HandshakeEnded failed_handshake() {
        return wait_for<HandshakeEnded>(
            [](const HandshakeEnded& handshake) { return !handshake.failure.empty(); });
    }
};

// Versions, identities, listeners ----------------------------------------------------------------

struct Served {
    std::string_view name;
    std::string_view identity;
    TlsVersion version;
    std::string_view cipher;
};

void PrintTo(const Served& served, std::ostream* out) {
    *out << served.name;
}

class ServedTest : public ServerTlsTest, public ::testing::WithParamInterface<Served> {};

TEST_P(ServedTest, a_write_over_tls_is_answered_and_the_handshake_is_an_event) {
    start(tls_options(GetParam().identity));
    TlsClientConfig config = trusting();
    config.version_min = GetParam().version;
    config.version_max = GetParam().version;
    const auto client = connect(config);
    EXPECT_EQ(client->transact("W0FAC0B1234", soon()).bytes, "A0FAC0B1234");
    const Received rest = client->receive_until_end(soon());
    EXPECT_EQ(rest.bytes, "");
    EXPECT_EQ(rest.end, PeerEnd::closed) << rest.end_reason;
    client->half_close(soon());

    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_EQ(closed.end_reason, "answered");
    EXPECT_TRUE(wait_for<ConnectionOpened>().secure);
    const auto handshake = wait_for<HandshakeEnded>();
    EXPECT_EQ(handshake.id, closed.id);
    EXPECT_EQ(handshake.failure, "");
    EXPECT_EQ(handshake.tls_version, to_string(GetParam().version));
    EXPECT_EQ(handshake.cipher, GetParam().cipher);
    EXPECT_EQ(handshake.cipher, client->tls_facts().cipher);
    EXPECT_GT(handshake.handshake_ns, 0);
    EXPECT_LE(handshake.at_ns, wait_for<ReplySent>().replied_ns);
    EXPECT_EQ(wait_for<FrameReceived>().raw, "W0FAC0B1234");
    EXPECT_EQ(wait_for<ReplySent>().reply, "A0FAC0B1234");
    EXPECT_EQ(in_loop([this] { return registers_.read(0x0FAC, 0x0B); }), 0x1234);
}

INSTANTIATE_TEST_SUITE_P(all, ServedTest,
                         ::testing::Values(Served{"ecdsa_12", "server-ecdsa", TlsVersion::tls_1_2,
                                                  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
                                           Served{"rsa_12", "server-rsa", TlsVersion::tls_1_2,
                                                  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
                                           Served{"ecdsa_13", "server-ecdsa", TlsVersion::tls_1_3,
                                                  "TLS_AES_128_GCM_SHA256"},
                                           Served{"rsa_13", "server-rsa", TlsVersion::tls_1_3,
                                                  "TLS_AES_128_GCM_SHA256"}),
                         [](const auto& served) { return std::string(served.param.name); });

TEST_F(ServerTlsTest, the_event_of_a_handshake_says_what_the_client_offered) {
    start(tls_options());
    EXPECT_EQ(ask("R000000"), "X");
    const auto offered = nlohmann::json::parse(wait_for<HandshakeEnded>().offered);
    EXPECT_THAT(offered.at("versions"), Contains("TLSv1.3"));
    EXPECT_THAT(offered.at("versions"), Contains("TLSv1.2"));
    EXPECT_THAT(offered.at("cipher_suites"), Contains("TLS_AES_128_GCM_SHA256"));
    EXPECT_THAT(offered.at("groups"), Contains("x25519"));
    EXPECT_THAT(offered.at("groups"), Contains("secp256r1"));
    EXPECT_EQ(offered.at("server_name"), "rig.test");
}

TEST_F(ServerTlsTest, both_listeners_share_one_register_file) {
    auto options = tls_options();
    options.plain_port = 0;
    start(std::move(options));
    EXPECT_EQ(ask("W0FAC050001"), "A0FAC050001");
    const Peer plain(endpoint_);
    plain.say("R0FAC05");
    EXPECT_EQ(plain.hear_until_end(), "A0FAC050001");

    const Peer writer(endpoint_);
    writer.say("W0FAC050000");
    EXPECT_EQ(writer.hear_until_end(), "A0FAC050000");
    EXPECT_EQ(ask("R0FAC05"), "A0FAC050000");
}

TEST_F(ServerTlsTest, either_listener_can_be_off) {
    start(tls_options());
    EXPECT_THAT(server_->plain_endpoints(), IsEmpty());
    EXPECT_EQ(server_->tls_endpoints().size(), 1U);
    EXPECT_EQ(ask("R000000"), "X");
    TearDown();
    start(plain_options());
    EXPECT_THAT(server_->tls_endpoints(), IsEmpty());
    EXPECT_EQ(server_->plain_endpoints().size(), 1U);
}

// Client certificates ----------------------------------------------------------------------------

struct ClientAuthCase {
    std::string_view name;
    ClientAuth asked;
    std::string_view identity;  // empty: the client has none
    std::string_view failure;   // empty: the server takes the client
};

void PrintTo(const ClientAuthCase& auth, std::ostream* out) {
    *out << auth.name;
}

class ServerClientAuthTest : public ServerTlsTest,
                             public ::testing::WithParamInterface<ClientAuthCase> {};

TEST_P(ServerClientAuthTest, serves_exactly_the_clients_that_it_asks_for) {
    auto options = tls_options();
    options.tls.client_auth = GetParam().asked;
    options.tls.client_ca_file = cert("ca");
    start(std::move(options));
    TlsClientConfig config = trusting();
    if (!GetParam().identity.empty()) {
        config.certificate_file = cert(GetParam().identity);
        config.key_file = key(GetParam().identity);
    }
    const bool is_refused = !GetParam().failure.empty();
    EXPECT_EQ(ask("W000500AA01", config), is_refused ? "(no connection)" : "A000500AA01");
    EXPECT_EQ(all<FrameReceived>().size(), is_refused ? 0U : 1U);
    EXPECT_THAT(wait_for<HandshakeEnded>().failure, HasSubstr(GetParam().failure));
    EXPECT_EQ(wait_for<HandshakeEnded>().failure.empty(), !is_refused);
    EXPECT_EQ(in_loop([this] { return registers_.read(0x0005, 0x00).has_value(); }), !is_refused);
}

constexpr ClientAuthCase auth_cases[] = {
    {"none_without", ClientAuth::none, "", ""},
    {"none_good", ClientAuth::none, "client", ""},
    {"none_wrong_ca", ClientAuth::none, "client-other-ca", ""},
    {"request_without", ClientAuth::request, "", ""},
    {"request_good", ClientAuth::request, "client", ""},
    {"request_wrong_ca", ClientAuth::request, "client-other-ca", "signed by no CA"},
    {"require_without", ClientAuth::require, "", "the client sent no certificate"},
    {"require_good", ClientAuth::require, "client", ""},
    {"require_wrong_ca", ClientAuth::require, "client-other-ca", "signed by no CA"},
};

INSTANTIATE_TEST_SUITE_P(all, ServerClientAuthTest, ::testing::ValuesIn(auth_cases),
                         [](const auto& auth) { return std::string(auth.param.name); });

// Handshakes that fail ---------------------------------------------------------------------------

TEST_F(ServerTlsTest, plain_text_on_the_secure_port_is_named) {
    start(tls_options());
    const Peer peer(secure_endpoint());
    peer.say("W0FAC0B1234");
    EXPECT_THAT(failed_handshake().failure, HasSubstr("W0FAC"));
    EXPECT_THAT(all<FrameReceived>(), IsEmpty());
}

TEST_F(ServerTlsTest, a_client_that_does_not_trust_the_server_is_named_with_its_alert) {
    start(tls_options());
    TlsClientConfig config = trusting();
    config.ca_file = cert("other-ca");
    EXPECT_THROW(static_cast<void>(connect(config)), NoConnection);
    EXPECT_THAT(failed_handshake().failure, AllOf(StartsWith("the client sent the alert "),
                                                  HasSubstr("does not trust the CA")));
    EXPECT_EQ(failed_handshake().tls_version, "");
    EXPECT_GT(failed_handshake().handshake_ns, 0);
    EXPECT_THAT(wait_for<ConnectionClosed>().end_reason, HasSubstr("TLS handshake failed"));
}

TEST_F(ServerTlsTest, a_client_of_an_older_version_is_told_apart) {
    start(tls_options());
    TlsClientConfig config = trusting();
    config.profile = TlsProfile::legacy;
    config.version_max = TlsVersion::tls_1_1;
    EXPECT_THROW(static_cast<void>(connect(config)), NoConnection);
    EXPECT_THAT(failed_handshake().failure,
                HasSubstr("the client offers at most TLSv1.1, this server speaks TLSv1.2 at least; "
                          "the TLS profile legacy takes it"));
    EXPECT_THAT(failed_handshake().offered, HasSubstr("TLSv1.1"));
}

TEST_F(ServerTlsTest, a_client_without_a_suite_in_common_is_told_apart) {
    start(tls_options());
    TlsClientConfig config = trusting();
    config.profile = TlsProfile::legacy;
    config.version_max = TlsVersion::tls_1_2;
    config.ciphers = "ECDHE-ECDSA-AES128-SHA256";
    EXPECT_THROW(static_cast<void>(connect(config)), NoConnection);
    EXPECT_THAT(failed_handshake().failure,
                HasSubstr("the client offers TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"));
}

TEST_F(ServerTlsTest, a_fin_in_the_middle_of_the_client_hello_is_named) {
    start(tls_options());
    const Peer peer(secure_endpoint());
    peer.say(client_hello().substr(0, 60));
    peer.half_close();
    EXPECT_EQ(failed_handshake().failure,
              "the client closed the connection in the middle of its ClientHello");
    EXPECT_EQ(failed_handshake().offered, "");
}

TEST_F(ServerTlsTest, a_fin_after_the_client_hello_is_named) {
    start(tls_options());
    const Peer peer(secure_endpoint());
    peer.say(client_hello());
    peer.half_close();
    EXPECT_THAT(failed_handshake().failure, HasSubstr("after its ClientHello"));
    EXPECT_THAT(failed_handshake().offered, HasSubstr("rig.test"));
}

TEST_F(ServerTlsTest, a_peer_that_closes_without_a_word_is_named) {
    start(tls_options());
    Peer peer(secure_endpoint());
    peer.close();
    EXPECT_EQ(failed_handshake().failure,
              "the client closed the connection without sending anything");
}

TEST_F(ServerTlsTest, silence_ends_with_the_handshake_timeout) {
    auto options = tls_options();
    options.limits.handshake_timeout = 60ms;
    start(std::move(options));
    const Peer silent(secure_endpoint());
    EXPECT_EQ(silent.hear_until_end(), "");
    const auto handshake = failed_handshake();
    EXPECT_EQ(handshake.failure, "no handshake within 0.06 s");
    EXPECT_GE(handshake.handshake_ns, 60 * rig::ns_per_ms);
    EXPECT_EQ(handshake.offered, "");
}

TEST_F(ServerTlsTest, a_handshake_that_stops_halfway_ends_with_the_timeout_and_shows_the_offer) {
    auto options = tls_options();
    options.limits.handshake_timeout = 500ms;
    start(std::move(options));
    const std::string hello = client_hello();  // which takes its time
    const Peer peer(secure_endpoint());
    peer.say(hello);
    const auto handshake = failed_handshake();
    EXPECT_THAT(handshake.failure, HasSubstr("no handshake within 0.5 s"));
    EXPECT_THAT(handshake.offered, HasSubstr("rig.test"));
    EXPECT_EQ(all<HandshakeEnded>().size(), 1U);
}

TEST_F(ServerTlsTest, a_reset_in_the_handshake_is_named) {
    start(tls_options());
    Peer peer(secure_endpoint());
    peer.say(client_hello());
    EXPECT_NE(peer.hear(1), "(timeout)");  // the server is in the middle of it now
    peer.reset();
    EXPECT_THAT(failed_handshake().failure, HasSubstr("reset"));
    EXPECT_THAT(wait_for<ConnectionClosed>().end_reason, HasSubstr("reset"));
    EXPECT_EQ(all<HandshakeEnded>().size(), 1U);
}

TEST_F(ServerTlsTest, handshakes_that_fail_hurt_no_connection_that_is_open) {
    auto options = tls_options();
    options.limits.conversation.frame_timeout = 1h;
    start(std::move(options));
    const auto good = connect();
    good->send("W0FAC", soon());
    {
        const Peer text(secure_endpoint());
        text.say("GET / HTTP/1.1\r\n\r\n");
        Peer cut(secure_endpoint());
        cut.say(client_hello());
        cut.reset();
        TlsClientConfig distrusting = trusting();
        distrusting.ca_file = cert("other-ca");
        EXPECT_THROW(static_cast<void>(connect(distrusting)), NoConnection);
    }
    wait_for<ConnectionClosed>([](const ConnectionClosed& closed) { return closed.id == 4; });
    EXPECT_EQ(good->transact("0B1234", soon()).bytes, "A0FAC0B1234");
    EXPECT_EQ(ask("R0FAC0B"), "A0FAC0B1234");
}

TEST_F(ServerTlsTest, a_peer_that_goes_on_after_its_handshake_failed_is_gone_in_time) {
    auto options = tls_options();
    options.limits.drain_timeout = 200ms;
    start(std::move(options));
    const Peer peer(secure_endpoint());
    peer.say("no TLS");
    const auto failed = failed_handshake();
    std::int64_t total = 0;
    const auto give_up = rig::Deadline::after(clock_, patience);
    bool is_closed = false;
    while (!is_closed && !give_up.has_passed(clock_)) {
        is_closed = peer.send_some("more", total) == Peer::Sent::closed;
        std::this_thread::yield();
    }
    EXPECT_TRUE(is_closed) << "the server goes on listening to it";
    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_EQ(closed.end_reason, "TLS handshake failed");
    EXPECT_GE(closed.at_ns - failed.at_ns, 200 * rig::ns_per_ms) << "it may still take its alert";
}

// Ends -------------------------------------------------------------------------------------------

TEST_F(ServerTlsTest, after_the_reply_the_client_sees_a_clean_end) {
    start(tls_options());
    const auto client = connect();
    client->send("R000000", soon());
    const Received heard = client->receive_until_end(soon());
    EXPECT_EQ(heard.bytes, "X");
    EXPECT_EQ(heard.end, PeerEnd::closed) << heard.end_reason;
}

TEST_F(ServerTlsTest, after_the_x_for_a_truncated_frame_the_client_sees_a_clean_end) {
    start(tls_options());
    const auto client = connect();
    const auto sent_ns = client->send("W01234", soon());
    const Received heard = client->receive_until_end(soon());
    EXPECT_EQ(heard.bytes, "X");
    EXPECT_EQ(heard.end, PeerEnd::closed) << heard.end_reason;
    EXPECT_GE(heard.first_byte_ns - sent_ns, 200 * rig::ns_per_ms);
    EXPECT_EQ(wait_for<FrameReceived>().verdict, FrameVerdict::truncated);
}

TEST_F(ServerTlsTest, the_fin_follows_the_close_notify) {
    start(tls_options());
    const TlsContext context(tls_library_, trusting());
    TlsSession session(context);
    const Peer peer(secure_endpoint());
    std::string after_close_notify = "(not yet)";
    bool has_asked = false;
    while (after_close_notify == "(not yet)" && session.state() != TlsSession::State::failed) {
        if (session.state() == TlsSession::State::open && !has_asked) {
            const std::array<std::uint8_t, 7> frame{'R', '0', '0', '0', '0', '0', '0'};
            session.write(frame);
            has_asked = true;
        }
        peer.say({session.to_send().begin(), session.to_send().end()});
        session.sent(session.to_send().size());
        const std::string heard = peer.hear(1);
        ASSERT_EQ(heard.size(), 1U) << heard << ": the TCP stream ended before the close_notify";
        const auto byte = static_cast<std::uint8_t>(heard.front());
        ASSERT_EQ(session.receive({&byte, 1}), 1U);
        std::array<std::uint8_t, 64> plaintext{};
        while (session.read(plaintext) > 0) {
        }
        if (session.state() == TlsSession::State::closed_by_peer) {
            after_close_notify = peer.hear_until_end();
        }
    }
    EXPECT_EQ(after_close_notify, "") << session.failure();
}

class MiddleOfFrameTest : public ServerTlsTest, public ::testing::WithParamInterface<bool> {};

TEST_P(MiddleOfFrameTest, an_end_in_the_middle_of_a_frame_is_answered_at_once) {
    auto options = tls_options();
    options.limits.conversation.frame_timeout = 1h;
    start(std::move(options));
    const auto client = connect();
    client->send("W01234", soon());
    if (GetParam()) {
        client->half_close(soon());
    } else {
        client->half_close_raw();
    }
    const Received heard = client->receive_until_end(soon());
    EXPECT_EQ(heard.bytes, "X");
    EXPECT_EQ(heard.end, PeerEnd::closed) << heard.end_reason;
    const auto frame = wait_for<FrameReceived>();
    EXPECT_EQ(frame.verdict, FrameVerdict::truncated);
    EXPECT_EQ(frame.raw, "W01234");
    wait_for<ConnectionClosed>();
}

INSTANTIATE_TEST_SUITE_P(all, MiddleOfFrameTest, ::testing::Bool(), [](const auto& end) {
    return std::string(end.param ? "close_notify" : "fin_alone");
});

TEST_F(ServerTlsTest, a_frame_in_records_of_one_byte_is_one_frame) {
    auto options = tls_options();
    options.limits.conversation.frame_timeout = 1h;
    start(std::move(options));
    const auto client = connect();
    for (const char byte : std::string_view("W0FAC0B1234")) {
        client->send({&byte, 1}, soon());
    }
    EXPECT_EQ(client->receive_until_end(soon()).bytes, "A0FAC0B1234");
    EXPECT_EQ(all<FrameReceived>().size(), 1U);
    EXPECT_EQ(wait_for<FrameReceived>().raw, "W0FAC0B1234");
}

TEST_F(ServerTlsTest, keep_open_answers_frames_that_share_a_record_in_order) {
    auto options = tls_options();
    options.limits.mode = ConversationMode::keep_open;
    start(std::move(options));
    const auto client = connect();
    client->send("W000100000AR000100\r", soon());
    EXPECT_EQ(client->receive(22, soon()).bytes, "A000100000AA000100000A");
    client->send("\nR000101", soon());
    EXPECT_EQ(client->receive(1, soon()).bytes, "X");
    client->half_close(soon());
    const Received rest = client->receive_until_end(soon());
    EXPECT_EQ(rest.bytes, "");
    EXPECT_EQ(rest.end, PeerEnd::closed) << rest.end_reason;
    EXPECT_EQ(wait_for<ConnectionClosed>().ignored_bytes, 0);
}

TEST_F(ServerTlsTest, a_text_far_longer_than_a_record_is_counted_and_not_answered) {
    start(tls_options());
    const auto client = connect();
    client->send("R000000" + std::string(100'000, 'z'), soon());
    const Received heard = client->receive_until_end(soon());
    EXPECT_EQ(heard.bytes, "X");
    EXPECT_EQ(heard.end, PeerEnd::closed) << heard.end_reason;
    client->half_close(soon());
    EXPECT_EQ(wait_for<ConnectionClosed>().ignored_bytes, 100'000);
    EXPECT_EQ(all<FrameReceived>().size(), 1U);
}

// Faults, shutting down, many ---------------------------------------------------------------------

TEST_F(ServerTlsTest, a_late_reply_over_tls_comes_late) {
    start(tls_options());
    in_loop([this] { server_->add_fault({.kind = FaultKind::late, .delay = 80ms}); });
    EXPECT_EQ(ask("R000000"), "X");
    EXPECT_GE(wait_for<ReplySent>().replied_ns - wait_for<FrameReceived>().received_ns,
              80 * rig::ns_per_ms);
    EXPECT_EQ(wait_for<FaultFired>().connection_id, wait_for<ConnectionOpened>().id);
}

TEST_F(ServerTlsTest, a_late_reply_reaches_a_client_that_has_half_closed) {
    start(tls_options());
    in_loop([this] { server_->add_fault({.kind = FaultKind::late, .delay = 80ms}); });
    const auto client = connect();
    client->send("R000000", soon());
    client->half_close(soon());
    const Received heard = client->receive_until_end(soon());
    EXPECT_EQ(heard.bytes, "X");
    EXPECT_EQ(heard.end, PeerEnd::closed) << heard.end_reason;
    wait_for<ReplySent>();
}

TEST_F(ServerTlsTest, answering_x_over_tls_still_stores_the_write) {
    start(tls_options());
    in_loop([this] { server_->add_fault({.kind = FaultKind::answer_x}); });
    EXPECT_EQ(ask("W000500AA01"), "X");
    EXPECT_EQ(wait_for<FaultFired>().name, "answer_x");
    EXPECT_EQ(in_loop([this] { return registers_.read(0x0005, 0x00); }), 0xAA01);
}

TEST_F(ServerTlsTest, shutting_down_answers_and_ends_cleanly_whatever_the_state) {
    auto options = tls_options();
    options.limits.mode = ConversationMode::keep_open;
    options.limits.conversation.frame_timeout = 1h;
    start(std::move(options));
    const auto unfinished = connect();
    unfinished->send("W01", soon());
    const auto idle = connect();
    const Peer handshaking(secure_endpoint());
    handshaking.say(client_hello());
    EXPECT_EQ(handshaking.hear(1).size(), 1U);
    in_loop([this] { server_->shut_down(); });

    const Received x = unfinished->receive_until_end(soon());
    EXPECT_EQ(x.bytes, "X");
    EXPECT_EQ(x.end, PeerEnd::closed) << x.end_reason;
    const Received nothing = idle->receive_until_end(soon());
    EXPECT_EQ(nothing.bytes, "");
    EXPECT_EQ(nothing.end, PeerEnd::closed) << nothing.end_reason;
    EXPECT_EQ(failed_handshake().failure, "the server was shut down");
    EXPECT_EQ(Peer(secure_endpoint()).connect_error(), ECONNREFUSED);
}

TEST_F(ServerTlsTest, serves_two_hundred_tls_connections_at_once) {
    constexpr int connections = 200;
    auto options = tls_options();
    options.limits.mode = ConversationMode::keep_open;
    start(std::move(options));
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < connections; ++i) {
        clients.push_back(connect());
    }
    EXPECT_EQ(in_loop([this] { return server_->connections_open(); }), clients.size());
    for (const auto& client : clients) {
        client->send("W0FAC0B1234", soon());
    }
    for (const auto& client : clients) {
        ASSERT_EQ(client->receive(11, soon()).bytes, "A0FAC0B1234");
    }
    EXPECT_EQ(all<FrameReceived>().size(), clients.size());
}

}  // namespace
