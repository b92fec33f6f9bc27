#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "testing/tls_peer.hpp"
#include "wiced.h"
#include "wiced_tls.h"

namespace {

using testing_peer::Identity;
using testing_peer::Listener;
using testing_peer::make_identity;
using testing_peer::TlsPeer;

constexpr wiced_ip_address_t kLoopback{WICED_IPV4, {0x7F000001u}};

wiced_result_t trust(const std::string& pem) {
    return wiced_tls_init_root_ca_certificates(pem.c_str(), static_cast<std::uint32_t>(pem.size()));
}

class Tls : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(wiced_tcp_create_socket(&socket_, WICED_STA_INTERFACE), WICED_SUCCESS);
    }
    void TearDown() override {
        peer_.reset();
        wiced_tcp_delete_socket(&socket_);
        wiced_tls_deinit_root_ca_certificates();
    }

    /// The board connects to a server with this identity.
    wiced_result_t connect_to(const Identity& identity, const char* peer_cn = nullptr,
                              int max_version = TLS1_3_VERSION) {
        std::thread server([&] {
            peer_ = std::make_unique<TlsPeer>(listener_.accept(), TlsPeer::Role::server, &identity,
                                              max_version);
            is_peer_content_ = peer_->handshake();
            if (!is_peer_content_) {
                peer_->close_now();
            }
        });
        wiced_tls_init_context(&context_, nullptr, peer_cn);
        if (extension_) {
            wiced_tls_set_extension(&context_, &*extension_);
        }
        wiced_tcp_enable_tls(&socket_, &context_);
        const wiced_result_t result =
            wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 2000);
        server.join();
        return result;
    }

    Listener listener_;
    std::unique_ptr<TlsPeer> peer_;
    bool is_peer_content_ = false;
    std::optional<wiced_tls_extension_t> extension_;
    wiced_tcp_socket_t socket_{};
    wiced_tls_context_t context_{};
    const Identity ca_ = make_identity("Bench CA", nullptr);
    const Identity other_ca_ = make_identity("Other CA", nullptr);
    const Identity server_ = make_identity("server.test", &ca_);
};

TEST_F(Tls, WithoutRootsAnyServerIsAccepted) {
    const Identity expired = make_identity("somebody.else", &other_ca_, -20, -10);
    EXPECT_EQ(connect_to(expired, "server.test"), WICED_SUCCESS);
}

TEST_F(Tls, WithRootsAServerOfTheChainIsAccepted) {
    ASSERT_EQ(trust(ca_.certificate_pem()), WICED_SUCCESS);
    EXPECT_EQ(connect_to(server_), WICED_SUCCESS);
    EXPECT_EQ(peer_->version(), "TLSv1.3");
}

TEST_F(Tls, Speaks12ToAServerThatKnowsNoMore) {
    EXPECT_EQ(connect_to(server_, nullptr, TLS1_2_VERSION), WICED_SUCCESS);
    EXPECT_EQ(peer_->version(), "TLSv1.2");
}

TEST_F(Tls, Speaks11ToAServerThatKnowsNoMore) {
    EXPECT_EQ(connect_to(server_, nullptr, TLS1_1_VERSION), WICED_SUCCESS);
    EXPECT_EQ(peer_->version(), "TLSv1.1");
}

TEST_F(Tls, Refuses10) {
    EXPECT_NE(connect_to(server_, nullptr, TLS1_VERSION), WICED_SUCCESS);
    EXPECT_FALSE(is_peer_content_);
}

TEST_F(Tls, AnUntrustedServerGives5035) {
    ASSERT_EQ(trust(other_ca_.certificate_pem()), WICED_SUCCESS);
    EXPECT_EQ(connect_to(server_), 5035);
    EXPECT_FALSE(is_peer_content_);
    wiced_socket_state_t state = WICED_SOCKET_ERROR;
    wiced_tcp_get_socket_state(&socket_, &state);
    EXPECT_EQ(state, WICED_SOCKET_CLOSED);
}

TEST_F(Tls, AnExpiredOrFutureServerGives5036) {
    ASSERT_EQ(trust(ca_.certificate_pem()), WICED_SUCCESS);
    EXPECT_EQ(connect_to(make_identity("server.test", &ca_, -20, -10)), 5036);
    EXPECT_EQ(connect_to(make_identity("server.test", &ca_, 10, 20)), 5036);
    EXPECT_EQ(connect_to(server_), WICED_SUCCESS);
}

TEST_F(Tls, AWrongNameGives5037OnlyWhenOneIsGiven) {
    ASSERT_EQ(trust(ca_.certificate_pem()), WICED_SUCCESS);
    EXPECT_EQ(connect_to(server_, "another.test"), 5037);
    EXPECT_EQ(connect_to(server_, "server.test"), WICED_SUCCESS);
}

TEST_F(Tls, AServerThatSaysNothingGives5031) {
    wiced_tls_init_context(&context_, nullptr, nullptr);
    wiced_tcp_enable_tls(&socket_, &context_);
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 2000), 5031);
}

TEST_F(Tls, AContextThatWasNeverInitialisedGives5044) {
    wiced_tcp_enable_tls(&socket_, &context_);
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 2000), 5044);
}

TEST_F(Tls, AConnectionInTheClearBecomesSecureWhenTold) {
    ASSERT_EQ(trust(ca_.certificate_pem()), WICED_SUCCESS);
    ASSERT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 2000), WICED_SUCCESS);
    std::thread server([&] {
        peer_ = std::make_unique<TlsPeer>(listener_.accept(), TlsPeer::Role::server, &server_,
                                          TLS1_3_VERSION);
        is_peer_content_ = peer_->handshake();
    });
    wiced_tls_init_context(&context_, nullptr, nullptr);
    wiced_tcp_enable_tls(&socket_, &context_);
    EXPECT_EQ(wiced_tcp_start_tls(&socket_, WICED_TLS_AS_CLIENT, TLS_VERIFICATION_REQUIRED),
              WICED_SUCCESS);
    server.join();
    EXPECT_TRUE(is_peer_content_);
}

TEST_F(Tls, StartTlsWithoutAnInitialisedContextGives5044) {
    ASSERT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 2000), WICED_SUCCESS);
    wiced_tcp_enable_tls(&socket_, &context_);
    EXPECT_EQ(wiced_tcp_start_tls(&socket_, WICED_TLS_AS_CLIENT, TLS_NO_VERIFICATION), 5044);
}

TEST(TlsServerHelper, OnlyStoresTheIdentity) {
    wiced_tcp_server_t server{};
    wiced_tls_identity_t identity{};
    EXPECT_EQ(wiced_tcp_server_enable_tls(&server, &identity), WICED_SUCCESS);
    EXPECT_EQ(server.tls_identity, &identity);
}

TEST_F(Tls, RefusalIs7014AsInTheClear) {
    wiced_tls_init_context(&context_, nullptr, nullptr);
    wiced_tcp_enable_tls(&socket_, &context_);
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, testing_peer::unused_port(), 2000), 7014);
}

TEST_F(Tls, AFragmentLengthIsAskedForWhenSetAndAnUnknownExtensionGives4) {
    extension_.emplace();
    extension_->type = TLS_EXTENSION_TYPE_MAX_FRAGMENT_LENGTH;
    extension_->extension_data.max_fragment_length = TLS_FRAGMENT_LENGTH_1024;
    EXPECT_EQ(connect_to(server_, nullptr, TLS1_2_VERSION), WICED_SUCCESS);
    EXPECT_EQ(peer_->max_fragment_length(), 2);
    extension_->type = TLS_EXTENSION_TYPE_APPLICATION_LAYER_PROTOCOL_NEGOTIATION;
    EXPECT_EQ(wiced_tls_set_extension(&context_, &*extension_), 4);
}

TEST_F(Tls, TheServersNameIsSentOnlyWhenSet) {
    EXPECT_EQ(connect_to(server_), WICED_SUCCESS);
    EXPECT_EQ(peer_->server_name(), "");
    wiced_tcp_delete_socket(&socket_);
    wiced_tcp_create_socket(&socket_, WICED_STA_INTERFACE);
    unsigned char name[] = "server.test";
    extension_.emplace();
    extension_->type = TLS_EXTENSION_TYPE_SERVER_NAME;
    extension_->extension_data.server_name = name;
    EXPECT_EQ(connect_to(server_), WICED_SUCCESS);
    EXPECT_EQ(peer_->server_name(), "server.test");
}

TEST_F(Tls, StreamsCarryPlainTextAndPacketsLeaveRoomForTheRecord) {
    ASSERT_EQ(connect_to(server_), WICED_SUCCESS);
    wiced_tcp_stream_t stream;
    wiced_tcp_stream_init(&stream, &socket_);
    wiced_tcp_stream_write(&stream, "W0FAC0B1234", 11);
    EXPECT_LT(stream.tx_packet_space_available, 1460 - 11);
    EXPECT_EQ(wiced_tcp_stream_flush(&stream), WICED_SUCCESS);
    EXPECT_EQ(peer_->read(100), "W0FAC0B1234");
    peer_->send_text("A0FAC0B1234");
    char reply[12] = "";
    EXPECT_EQ(wiced_tcp_stream_read(&stream, reply, 11, 2000), WICED_SUCCESS);
    EXPECT_STREQ(reply, "A0FAC0B1234");
    EXPECT_EQ(wiced_tcp_stream_read(&stream, reply, 1, 20), 2);
    wiced_tcp_stream_deinit(&stream);
}

TEST_F(Tls, ARecordLongerThanAPacketComesInSeveral) {
    ASSERT_EQ(connect_to(server_), WICED_SUCCESS);
    const std::string text(6000, 'L');
    peer_->send_text(text);
    wiced_tcp_stream_t stream;
    wiced_tcp_stream_init(&stream, &socket_);
    std::string got(6000, '\0');
    EXPECT_EQ(wiced_tcp_stream_read(&stream, got.data(), 6000, 2000), WICED_SUCCESS);
    EXPECT_EQ(got, text);
    wiced_tcp_stream_deinit(&stream);
}

TEST_F(Tls, CloseNotifyGives5020AndABareClose7014) {
    wiced_packet_t* packet = nullptr;
    ASSERT_EQ(connect_to(server_), WICED_SUCCESS);
    peer_->close_notify();
    EXPECT_EQ(wiced_tcp_receive(&socket_, &packet, 2000), 5020);
    peer_->close_now();
    wiced_tcp_disconnect(&socket_);
    ASSERT_EQ(connect_to(server_), WICED_SUCCESS);
    peer_->close_now();
    EXPECT_EQ(wiced_tcp_receive(&socket_, &packet, 2000), 7014);
}

TEST_F(Tls, DisconnectSaysCloseNotifyAndDeleteClearsTheContext) {
    ASSERT_EQ(connect_to(server_), WICED_SUCCESS);
    std::thread board([&] { wiced_tcp_delete_socket(&socket_); });
    EXPECT_TRUE(peer_->saw_close_notify());
    peer_->close_now();
    board.join();
    EXPECT_EQ(wiced_tls_reset_context(&context_), 5044);
    EXPECT_EQ(wiced_tls_deinit_context(&context_), WICED_SUCCESS);
}

TEST(Roots, SeveralCertificatesWithTextAroundThemAreOneSet) {
    const Identity one = make_identity("One CA", nullptr);
    const Identity two = make_identity("Two CA", nullptr);
    EXPECT_EQ(trust("# one\n" + one.certificate_pem() + "and two\r\n" + two.certificate_pem() +
                    "the end"),
              WICED_SUCCESS);
    wiced_tls_deinit_root_ca_certificates();
}

TEST(Roots, PartlyBadInputGives4AndLeavesNone) {
    const Identity ca = make_identity("Good CA", nullptr);
    ASSERT_EQ(trust(ca.certificate_pem()), WICED_SUCCESS);
    EXPECT_EQ(trust(ca.certificate_pem() +
                    "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"),
              4);
    const Listener listener;
    wiced_tcp_socket_t socket{};
    wiced_tls_context_t context{};
    const Identity stranger = make_identity("stranger.test", &ca);
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_tls_init_context(&context, nullptr, nullptr);
    wiced_tcp_enable_tls(&socket, &context);
    std::thread server([&] {
        TlsPeer peer(listener.accept(), TlsPeer::Role::server, &stranger);
        (void)peer.handshake();
    });
    EXPECT_EQ(wiced_tcp_connect(&socket, &kLoopback, listener.port(), 2000), WICED_SUCCESS);
    server.join();
    wiced_tcp_delete_socket(&socket);
}

TEST(Roots, NothingLeavesTheSetAsItIs) {
    EXPECT_EQ(wiced_tls_init_root_ca_certificates(nullptr, 0), WICED_SUCCESS);
    EXPECT_EQ(trust("garbage"), 4);
}

TEST(PemLengths, MayCountTheNulOrNot) {
    const Identity made = make_identity("board.test", nullptr);
    const std::string key = made.key_pem();
    const std::string certificate = made.certificate_pem();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(certificate.c_str());
    const auto key_size = static_cast<std::uint32_t>(key.size());
    const auto size = static_cast<std::uint32_t>(certificate.size());
    for (const std::uint32_t nul : {0u, 1u}) {
        wiced_tls_identity_t identity{};
        EXPECT_EQ(
            wiced_tls_init_identity(&identity, key.c_str(), key_size + nul, bytes, size + nul),
            WICED_SUCCESS);
        wiced_tls_deinit_identity(&identity);
        EXPECT_EQ(wiced_tls_init_root_ca_certificates(certificate.c_str(), size + nul),
                  WICED_SUCCESS);
        wiced_tls_deinit_root_ca_certificates();
    }
}

TEST(Identities, BadCertificatesGive3035AndBadKeys3036) {
    const Identity good = make_identity("board.test", nullptr);
    const std::string certificate = good.certificate_pem();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(certificate.c_str());
    const auto size = static_cast<std::uint32_t>(certificate.size());
    wiced_tls_identity_t identity{};
    EXPECT_EQ(wiced_tls_init_identity(&identity, "", 0, bytes, size), WICED_SUCCESS);
    wiced_tls_deinit_identity(&identity);
    EXPECT_EQ(wiced_tls_init_identity(&identity, "no key", 6, bytes, size), 3036);
    EXPECT_EQ(wiced_tls_init_identity(&identity, "", 0, bytes + 40, 100), 3035);
}

}  // namespace
