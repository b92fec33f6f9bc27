// Hostile peers by the hundred: they get nowhere, and a good one is answered meanwhile. How fast is
// server_attack_benchmark's to say.
#include "harness/server/attack.hpp"
#include "harness/server/server_fixture.hpp"

namespace harness {
namespace {

constexpr int rounds = 8;

std::uint16_t port_of(const std::string& endpoint) {
    return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

class ServerAttackTest : public ServerTest {
  protected:
    void SetUp() override {
        auto options = plain_options();
        options.tls_port = 0;
        options.tls.certificate_file = WWEP_TEST_CERTS "/server-ecdsa.pem";
        options.tls.key_file = WWEP_TEST_CERTS "/server-ecdsa.key";
        options.limits.mode = ConversationMode::keep_open;
        options.limits.conversation.frame_timeout = std::chrono::milliseconds(50);
        start(std::move(options));
        const TlsContext context(tls_library_, TlsClientConfig{.verify_chain = false});
        const TlsSession client(context);
        hello_.assign(client.to_send().begin(), client.to_send().end());
    }

    /// Each kind of attack, a good client after each of its ticks.
    void attack(Attack::Kind kind, bool secure) {
        const std::string endpoint =
            secure ? server_->tls_endpoints().front() : server_->plain_endpoints().front();
        // Those who never read make the server work hardest.
        const std::size_t connections = kind == Attack::Kind::never_reads ? 10 : 200;
        Attack hostile(kind, port_of(endpoint), connections, hello_);
        for (int round = 0; round < rounds; ++round) {
            hostile.tick();
            const Peer good(endpoint_);
            good.say("W0FAC0B1234");
            ASSERT_EQ(good.hear(11), "A0FAC0B1234") << "round " << round;
        }
        EXPECT_GE(hostile.opened(), connections);
    }

    /// Hostile or not, they have gone.
    void expect_all_given_up() {
        const auto count = [this] { return server_->connections_open(); };
        const auto give_up = rig::Deadline::after(clock_, patience);
        while (in_loop(count) > 0 && !give_up.has_passed(clock_)) {
            std::this_thread::yield();
        }
        EXPECT_EQ(in_loop(count), 0U);
    }

    std::string hello_;
};

TEST_F(ServerAttackTest, a_good_client_is_answered_whatever_others_do_in_the_clear) {
    attack(Attack::Kind::idle, false);
    attack(Attack::Kind::slow_loris, false);
    attack(Attack::Kind::never_reads, false);
    expect_all_given_up();
}

TEST_F(ServerAttackTest, a_good_client_is_answered_whatever_others_do_over_tls) {
    attack(Attack::Kind::half_handshake, true);
    attack(Attack::Kind::handshake_flood, true);
    expect_all_given_up();
}

}  // namespace
}  // namespace harness
