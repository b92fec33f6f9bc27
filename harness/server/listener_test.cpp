#include "harness/server/listener.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig/base/errors.hpp"

namespace {

rig::UniqueFd connect_to(std::uint16_t port) {
    rig::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    return socket;
}

TEST(Listener, takes_a_free_port_when_asked_for_port_0) {
    const harness::Listener listener("127.0.0.1", 0);
    EXPECT_NE(listener.port(), 0);
    EXPECT_EQ(listener.endpoint(), "127.0.0.1:" + std::to_string(listener.port()));
}

TEST(Listener, accepts_who_connects_and_nobody_else) {
    harness::Listener listener("127.0.0.1", 0);
    EXPECT_FALSE(listener.accept());
    const auto peer = connect_to(listener.port());
    pollfd ready{.fd = listener.fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ready, 1, 20'000), 1);
    const auto accepted = listener.accept();
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->local, listener.endpoint());
    EXPECT_THAT(accepted->peer, ::testing::StartsWith("127.0.0.1:"));
    EXPECT_FALSE(listener.accept());
}

TEST(Listener, names_a_port_that_is_taken_and_what_to_do) {
    const harness::Listener first("127.0.0.1", 0);
    try {
        const harness::Listener second("127.0.0.1", first.port());
        FAIL() << "two listeners on one port";
    } catch (const rig::NoBench& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(first.endpoint()));
        EXPECT_THAT(error.what(), ::testing::HasSubstr("another program has this port"));
    }
}

TEST(Listener, borrows_a_bound_socket_and_ceases_to_listen_when_it_goes) {
    rig::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ASSERT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    // A port that was asked for is kept; one that the kernel chose would be given back.
    any.sin_port = htons(harness::Listener("127.0.0.1", 0).port());
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    std::uint16_t port = 0;
    for (int time = 0; time < 2; ++time) {  // it can be listened on again
        harness::Listener listener(harness::BoundSocket{.fd = socket.get()});
        port = listener.port();
        EXPECT_EQ(listener.endpoint(), "127.0.0.1:" + std::to_string(port));
        const auto peer = connect_to(port);
        pollfd ready{.fd = listener.fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&ready, 1, 20'000), 1);
        EXPECT_TRUE(listener.accept());
    }
    const rig::UniqueFd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in where = any;
    where.sin_port = htons(port);
    EXPECT_EQ(::connect(late.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
}

TEST(Listener, refuses_a_name_and_an_address_of_somebody_else) {
    EXPECT_THROW(harness::Listener("localhost", 0), rig::NoBench);
    EXPECT_THROW(harness::Listener("198.51.100.77", 0), rig::NoBench);
}

TEST(Listener, writes_ipv6_in_brackets) {
    EXPECT_EQ(harness::endpoint_text("::1", 27708), "[::1]:27708");
    const harness::Listener listener("::1", 0);
    EXPECT_THAT(listener.endpoint(), ::testing::StartsWith("[::1]:"));
}

}  // namespace
