#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include "testing/peer.hpp"
#include "wiced.h"

namespace {

using testing_peer::Listener;
using testing_peer::Peer;

constexpr wiced_ip_address_t kLoopback{WICED_IPV4, {0x7F000001u}};

/// The board's descriptor of the connection to this peer, found among the process's own; -1.
int descriptor_behind(const Peer& peer) {
    sockaddr_in wanted{};
    socklen_t size = sizeof(wanted);
    (void)::getpeername(peer.fd(), reinterpret_cast<sockaddr*>(&wanted), &size);
    for (int fd = 0; fd < 1024; ++fd) {
        sockaddr_in local{};
        sockaddr_in remote{};
        size = sizeof(local);
        if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) == 0 &&
            local.sin_family == AF_INET && local.sin_port == wanted.sin_port &&
            ::getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &size) == 0) {
            return fd;
        }
    }
    return -1;
}

int option(int fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof(value);
    (void)::getsockopt(fd, level, name, &value, &size);
    return value;
}

class TcpOptions : public testing::Test {
  protected:
    TcpOptions() { wiced_tcp_create_socket(&socket_, WICED_STA_INTERFACE); }
    ~TcpOptions() override {
        peer_.close_now();
        wiced_tcp_delete_socket(&socket_);
    }

    void connect() {
        ASSERT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 2000), WICED_SUCCESS);
        peer_ = listener_.accept();
        fd_ = descriptor_behind(peer_);
        ASSERT_GE(fd_, 0);
    }

    Listener listener_;
    Peer peer_;
    int fd_ = -1;
    wiced_tcp_socket_t socket_{};
};

TEST_F(TcpOptions, KeepaliveSetsTheProbesAndTheTimeUntilTheFirst) {
    connect();
    EXPECT_EQ(option(fd_, SOL_SOCKET, SO_KEEPALIVE), 0);
    EXPECT_EQ(wiced_tcp_enable_keepalive(&socket_, 3, 4, 25), WICED_SUCCESS);
    EXPECT_EQ(option(fd_, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(fd_, IPPROTO_TCP, TCP_KEEPCNT), 4);
    EXPECT_EQ(option(fd_, IPPROTO_TCP, TCP_KEEPIDLE), 25);
}

TEST_F(TcpOptions, KeepaliveAskedForBeforeConnectingHoldsForTheConnection) {
    EXPECT_EQ(wiced_tcp_enable_keepalive(&socket_, 3, 4, 25), WICED_SUCCESS);
    connect();
    EXPECT_EQ(option(fd_, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(fd_, IPPROTO_TCP, TCP_KEEPCNT), 4);
}

TEST_F(TcpOptions, KeepaliveOfASocketThatWasDeletedSucceedsToo) {
    wiced_tcp_delete_socket(&socket_);
    EXPECT_EQ(wiced_tcp_enable_keepalive(&socket_, 3, 4, 25), WICED_SUCCESS);
}

TEST_F(TcpOptions, TypeOfServiceMarksWhatTheConnectionSends) {
    connect();
    EXPECT_EQ(option(fd_, IPPROTO_IP, IP_TOS), 0);
    wiced_tcp_set_type_of_service(&socket_, 0xC0);
    EXPECT_EQ(option(fd_, IPPROTO_IP, IP_TOS), 0xC0);
    wiced_tcp_set_type_of_service(&socket_, 0);
    EXPECT_EQ(option(fd_, IPPROTO_IP, IP_TOS), 0);
}

TEST_F(TcpOptions, TypeOfServiceSetBeforeAcceptingHoldsForThePeer) {
    const std::uint16_t port = testing_peer::unused_port();
    ASSERT_EQ(wiced_tcp_listen(&socket_, port), WICED_SUCCESS);
    wiced_tcp_set_type_of_service(&socket_, 0x60);
    peer_ = testing_peer::connect_to(port);
    ASSERT_EQ(wiced_tcp_accept(&socket_), WICED_SUCCESS);
    EXPECT_EQ(option(descriptor_behind(peer_), IPPROTO_IP, IP_TOS), 0x60);
}

TEST_F(TcpOptions, AnIpv6AddressToConnectToGives7) {
    wiced_ip_address_t address{};
    address.version = WICED_IPV6;
    EXPECT_EQ(wiced_tcp_connect(&socket_, &address, listener_.port(), 100), 7);
}

}  // namespace
