// A peer that goes between its ClientHello and the server's answer, on a socket pair: there the
// kernel hands over what was said before it tells that nobody is there.
#include "harness/client/client.hpp"
#include "harness/server/server_fixture.hpp"

namespace {

using namespace harness;

TEST(HandshakeCutTest, a_peer_that_goes_before_the_servers_flight_ends_the_handshake_once) {
    const rig::SystemClock clock;
    const TlsLibrary library;
    TlsServerConfig config;
    config.certificate_file = std::string(WWEP_TEST_CERTS) + "/server-ecdsa.pem";
    config.key_file = std::string(WWEP_TEST_CERTS) + "/server-ecdsa.key";
    const TlsContext serving(library, config);
    const TlsContext asking(library, [] {
        TlsClientConfig anybody;
        anybody.verify_chain = false;
        return anybody;
    }());

    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    rig::UniqueFd peer(ends[1]);
    TlsSession client(asking);
    const auto hello = client.to_send();
    ASSERT_EQ(::send(peer.get(), hello.data(), hello.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(hello.size()));
    peer.reset();

    Timeline timeline(clock, nullptr);
    RegisterFile registers;
    KernelStamps stamps(clock);
    Faults faults;
    DeviceIdWatch device_ids;
    FrameId last_frame_id = 0;
    ConnectionContext context{clock,  timeline,   registers,     stamps,
                              faults, device_ids, last_frame_id, ConnectionLimits{}};
    Connection connection(
        context, 1, Accepted{.socket = rig::UniqueFd(ends[0]), .peer = "peer", .local = "local"},
        &serving);
    connection.on_readable();

    ASSERT_TRUE(connection.is_over());
    const auto events = timeline.since(0, 100).events;
    ASSERT_EQ(events.size(), 3U) << "opened, handshake ended, closed";
    EXPECT_THAT(std::get<HandshakeEnded>(events[1]).failure,
                ::testing::HasSubstr("the peer went before it ended"));
    EXPECT_EQ(std::get<ConnectionClosed>(events[2]).end_reason,
              "peer went during the TLS handshake");
}

}  // namespace
