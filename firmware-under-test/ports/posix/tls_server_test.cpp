#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "testing/tls_peer.hpp"
#include "wiced.h"
#include "wiced_tls.h"

namespace {

using testing_peer::Identity;
using testing_peer::make_identity;
using testing_peer::Resumable;
using testing_peer::TlsPeer;

wiced_result_t trust(const std::string& pem) {
    return wiced_tls_init_root_ca_certificates(pem.c_str(), static_cast<std::uint32_t>(pem.size()));
}

wiced_result_t init_identity(wiced_tls_identity_t* identity, const Identity& from) {
    const std::string key = from.key_pem();
    const std::string certificate = from.certificate_pem();
    return wiced_tls_init_identity(identity, key.c_str(), static_cast<std::uint32_t>(key.size()),
                                   reinterpret_cast<const std::uint8_t*>(certificate.c_str()),
                                   static_cast<std::uint32_t>(certificate.size() + 1));
}

class TlsServer : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(wiced_tcp_create_socket(&socket_, WICED_STA_INTERFACE), WICED_SUCCESS);
        ASSERT_EQ(init_identity(&identity_, server_), WICED_SUCCESS);
        wiced_tls_init_context(&context_, &identity_, nullptr);
        port_ = testing_peer::unused_port();
        ASSERT_EQ(wiced_tcp_listen(&socket_, port_), WICED_SUCCESS);
        wiced_tcp_enable_tls(&socket_, &context_);
    }
    void TearDown() override {
        peer_.reset();
        wiced_tcp_delete_socket(&socket_);
        wiced_tls_deinit_root_ca_certificates();
        wiced_tls_deinit_identity(&identity_);
    }

    wiced_result_t accept(const Identity* client_identity, const std::string& text = "",
                          int max_version = TLS1_3_VERSION, const Resumable& offered = nullptr) {
        std::thread client([&] {
            peer_ = std::make_unique<TlsPeer>(testing_peer::connect_to(port_),
                                              TlsPeer::Role::client, client_identity, max_version);
            if (offered) {
                peer_->offer(offered);
            }
            if (peer_->handshake()) {
                peer_->send_text(text);
            }
        });
        const wiced_result_t result = wiced_tcp_accept(&socket_);
        client.join();
        return result;
    }

    /// One whole connection. True when it took the offered session up again.
    bool visit(const Resumable& offered, int max_version = TLS1_2_VERSION) {
        EXPECT_EQ(accept(nullptr, "R0FAC0B", max_version, offered), WICED_SUCCESS);
        wiced_tcp_stream_t stream;
        char request[8] = "";
        wiced_tcp_stream_init(&stream, &socket_);
        EXPECT_EQ(wiced_tcp_stream_read(&stream, request, 7, 2000), WICED_SUCCESS);
        EXPECT_STREQ(request, "R0FAC0B");
        wiced_tcp_stream_write(&stream, "X", 1);
        wiced_tcp_stream_deinit(&stream);
        EXPECT_EQ(peer_->read(1), "X");
        const bool is_resumed = peer_->is_resumed();
        last_ = peer_->resumable();
        peer_->close_notify();
        peer_->close_now();
        EXPECT_EQ(wiced_tcp_disconnect(&socket_), WICED_SUCCESS);
        return is_resumed;
    }

    Resumable new_session(int max_version = TLS1_2_VERSION) {
        EXPECT_FALSE(visit(nullptr, max_version));
        return std::move(last_);
    }

    std::unique_ptr<TlsPeer> peer_;
    Resumable last_;
    wiced_tcp_socket_t socket_{};
    wiced_tls_context_t context_{};
    wiced_tls_identity_t identity_{};
    std::uint16_t port_ = 0;
    const Identity ca_ = make_identity("Bench CA", nullptr);
    const Identity server_ = make_identity("server.test", &ca_);
};

TEST_F(TlsServer, OneContextServesSuccessiveConnections) {
    for (int round = 0; round < 2; ++round) {
        EXPECT_FALSE(visit(nullptr, TLS1_3_VERSION));
    }
}

TEST_F(TlsServer, WithRootsAClientNeedsACertificate) {
    ASSERT_EQ(trust(ca_.certificate_pem()), WICED_SUCCESS);
    EXPECT_NE(accept(nullptr), WICED_SUCCESS);
    const Identity client = make_identity("client.test", &ca_);
    EXPECT_EQ(accept(&client), WICED_SUCCESS);
}

TEST_F(TlsServer, Speaks11ToAClientThatKnowsNoMoreAndRefuses10) {
    EXPECT_EQ(accept(nullptr, "", TLS1_1_VERSION), WICED_SUCCESS);
    EXPECT_EQ(peer_->version(), "TLSv1.1");
    peer_->close_now();
    EXPECT_NE(accept(nullptr, "", TLS1_VERSION), WICED_SUCCESS);
}

TEST_F(TlsServer, TakesASessionUpAgain) {
    for (const int version : {TLS1_2_VERSION, TLS1_1_VERSION}) {
        const Resumable session = new_session(version);
        EXPECT_TRUE(visit(session, version)) << version;
        EXPECT_TRUE(visit(session, version)) << version;
    }
}

TEST_F(TlsServer, KeepsFourSessionsAndAFifthTakesTheOldestsPlace) {
    std::vector<Resumable> sessions;
    for (int i = 0; i < 5; ++i) {
        sessions.push_back(new_session());
    }
    for (std::size_t i = 1; i < sessions.size(); ++i) {
        EXPECT_TRUE(visit(sessions[i])) << i;
    }
    EXPECT_FALSE(visit(sessions[0]));
}

TEST_F(TlsServer, ForgetsItsSessionsWhenTheRootsChange) {
    const Resumable session = new_session();
    ASSERT_EQ(trust(ca_.certificate_pem()), WICED_SUCCESS);
    const Identity client = make_identity("client.test", &ca_);
    EXPECT_EQ(accept(&client, "", TLS1_2_VERSION, session), WICED_SUCCESS);
    EXPECT_FALSE(peer_->is_resumed());
    peer_->close_now();
    wiced_tls_deinit_root_ca_certificates();
    EXPECT_FALSE(visit(session));
}

TEST_F(TlsServer, TakesNoSessionUpUnderAnotherIdentity) {
    const Resumable session = new_session();
    wiced_tls_identity_t other{};
    wiced_tls_context_t context{};
    ASSERT_EQ(init_identity(&other, make_identity("other.test", &ca_)), WICED_SUCCESS);
    wiced_tls_init_context(&context, &other, nullptr);
    wiced_tcp_enable_tls(&socket_, &context);
    EXPECT_FALSE(visit(session));
    wiced_tcp_enable_tls(&socket_, &context_);
    EXPECT_TRUE(visit(session));
    wiced_tls_deinit_identity(&other);
    EXPECT_FALSE(visit(session));
}

TEST_F(TlsServer, TakesNoSessionOfTls13UpAgain) {
    const Resumable session = new_session(TLS1_3_VERSION);
    EXPECT_FALSE(visit(session, TLS1_3_VERSION));
}

}  // namespace
