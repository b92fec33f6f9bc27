#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "testing/peer.hpp"
#include "testing/settings.hpp"
#include "wiced.h"

namespace {

constexpr wiced_ip_address_t kLoopback{WICED_IPV4, {0x7F000001u}};

/// Sends text from one of the board's sockets.
wiced_result_t send_text(wiced_udp_socket_t* from, const wiced_ip_address_t& to, std::uint16_t port,
                         const std::string& text) {
    wiced_packet_t* packet = nullptr;
    std::uint8_t* data = nullptr;
    std::uint16_t space = 0;
    EXPECT_EQ(wiced_packet_create_udp(from, 0, &packet, &data, &space), WICED_SUCCESS);
    std::copy(text.begin(), text.end(), data);
    wiced_packet_set_data_end(packet, data + text.size());
    const wiced_result_t result = wiced_udp_send(from, &to, port, packet);
    if (result != WICED_SUCCESS) {
        wiced_packet_delete(packet);
    }
    return result;
}

TEST(Udp, ADatagramGoesThereAndBack) {
    wiced_udp_socket_t here{};
    wiced_udp_socket_t there{};
    const std::uint16_t port = testing_peer::unused_port();
    ASSERT_EQ(wiced_udp_create_socket(&here, 0, WICED_STA_INTERFACE), WICED_SUCCESS);
    ASSERT_EQ(wiced_udp_create_socket(&there, port, WICED_STA_INTERFACE), WICED_SUCCESS);
    static wiced_semaphore_t called;
    wiced_rtos_init_semaphore(&called);
    const auto callback = [](wiced_udp_socket_t*, void*) {
        return wiced_rtos_set_semaphore(&called);
    };
    wiced_udp_register_callbacks(&there, callback, nullptr);

    wiced_packet_t* packet = nullptr;
    std::uint8_t* data = nullptr;
    std::uint16_t space = 0;
    ASSERT_EQ(wiced_packet_create_udp(&here, 0, &packet, &data, &space), WICED_SUCCESS);
    std::copy_n("ping", 4, data);
    wiced_packet_set_data_end(packet, data + 4);
    ASSERT_EQ(wiced_udp_send(&here, &kLoopback, port, packet), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_get_semaphore(&called, 5000), WICED_SUCCESS);

    wiced_packet_t* received = nullptr;
    ASSERT_EQ(wiced_udp_receive(&there, &received, 2000), WICED_SUCCESS);
    ASSERT_EQ(wiced_packet_create_udp(&there, 0, &packet, &data, &space), WICED_SUCCESS);
    std::copy_n("pong", 4, data);
    wiced_packet_set_data_end(packet, data + 4);
    EXPECT_EQ(wiced_udp_reply(&there, received, packet), WICED_SUCCESS);
    wiced_packet_delete(received);

    std::uint16_t total = 0;
    ASSERT_EQ(wiced_udp_receive(&here, &received, 2000), WICED_SUCCESS);
    ASSERT_EQ(wiced_packet_get_data(received, 0, &data, &space, &total), WICED_SUCCESS);
    EXPECT_EQ(std::string(data, data + total), "pong");
    wiced_packet_delete(received);
    EXPECT_EQ(wiced_udp_receive(&here, &received, 10), 2);
    wiced_udp_delete_socket(&here);
    wiced_udp_delete_socket(&there);
}

TEST(Udp, APacketTellsWhoSentIt) {
    wiced_udp_socket_t here{};
    wiced_udp_socket_t there{};
    const std::uint16_t here_port = testing_peer::unused_port();
    const std::uint16_t there_port = testing_peer::unused_port();
    ASSERT_EQ(wiced_udp_create_socket(&here, here_port, WICED_STA_INTERFACE), WICED_SUCCESS);
    ASSERT_EQ(wiced_udp_create_socket(&there, there_port, WICED_STA_INTERFACE), WICED_SUCCESS);
    ASSERT_EQ(send_text(&here, kLoopback, there_port, "who"), WICED_SUCCESS);

    wiced_packet_t* packet = nullptr;
    ASSERT_EQ(wiced_udp_receive(&there, &packet, 2000), WICED_SUCCESS);
    wiced_ip_address_t address{};
    std::uint16_t port = 0;
    EXPECT_EQ(wiced_udp_packet_get_info(packet, &address, &port), WICED_SUCCESS);
    EXPECT_EQ(address.version, WICED_IPV4);
    EXPECT_EQ(address.ip.v4, 0x7F000001u);
    EXPECT_EQ(port, here_port);

    wiced_packet_delete(packet);
    EXPECT_EQ(wiced_udp_packet_get_info(packet, &address, &port), WICED_TCPIP_INVALID_PACKET);
    wiced_udp_delete_socket(&here);
    wiced_udp_delete_socket(&there);
}

TEST(Udp, AnIpv6AddressGives7AndThePacketStaysTheCallers) {
    wiced_udp_socket_t socket{};
    ASSERT_EQ(wiced_udp_create_socket(&socket, 0, WICED_STA_INTERFACE), WICED_SUCCESS);
    wiced_ip_address_t address{};
    address.version = WICED_IPV6;
    for (int i = 0; i < 4; ++i) {  // more than the pool has: each was deleted
        EXPECT_EQ(send_text(&socket, address, 9, "x"), 7);
    }
    wiced_udp_delete_socket(&socket);
}

/// The text of the next datagram; its packet stays the caller's.
std::string receive_text(wiced_udp_socket_t* socket, wiced_packet_t** packet) {
    EXPECT_EQ(wiced_udp_receive(socket, packet, 5000), WICED_SUCCESS);
    std::uint8_t* data = nullptr;
    std::uint16_t fragment = 0;
    std::uint16_t total = 0;
    wiced_packet_get_data(*packet, 0, &data, &fragment, &total);
    return {data, data + total};
}

TEST(Udp, DatagramsThatComeWhileTheRxPoolIsEmptyAreLost) {
    wiced_udp_socket_t here{};
    wiced_udp_socket_t there{};
    const std::uint16_t port = testing_peer::unused_port();
    ASSERT_EQ(wiced_udp_create_socket(&here, 0, WICED_STA_INTERFACE), WICED_SUCCESS);
    ASSERT_EQ(wiced_udp_create_socket(&there, port, WICED_STA_INTERFACE), WICED_SUCCESS);
    wiced_packet_t* packets[settings::kRxPackets] = {};
    for (auto& packet : packets) {
        ASSERT_EQ(send_text(&here, kLoopback, port, "held"), WICED_SUCCESS);
        EXPECT_EQ(receive_text(&there, &packet), "held");
    }
    ASSERT_EQ(send_text(&here, kLoopback, port, "lost"), WICED_SUCCESS);
    wiced_packet_t* extra = packets[0];
    EXPECT_EQ(wiced_udp_receive(&there, &extra, 20), 2);
    EXPECT_EQ(extra, nullptr);
    for (auto* packet : packets) {
        EXPECT_EQ(wiced_packet_delete(packet), WICED_SUCCESS);
    }
    EXPECT_EQ(wiced_udp_receive(&there, &extra, 20), 2);
    ASSERT_EQ(send_text(&here, kLoopback, port, "after"), WICED_SUCCESS);
    EXPECT_EQ(receive_text(&there, &extra), "after");
    wiced_packet_delete(extra);
    wiced_udp_delete_socket(&here);
    wiced_udp_delete_socket(&there);
}

class Multicast : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(wiced_udp_create_socket(&sender_, 0, WICED_STA_INTERFACE), WICED_SUCCESS);
        ASSERT_EQ(wiced_udp_create_socket(&socket_, port_, WICED_STA_INTERFACE), WICED_SUCCESS);
    }
    void TearDown() override {
        wiced_udp_delete_socket(&socket_);
        wiced_udp_delete_socket(&sender_);
    }

    /// What a datagram to the group brings the socket; "" when nothing.
    std::string heard(const std::string& text) {
        EXPECT_EQ(send_text(&sender_, group_, port_, text), WICED_SUCCESS);
        wiced_packet_t* packet = nullptr;
        const wiced_result_t result = wiced_udp_receive(&socket_, &packet, 100);
        if (result != WICED_SUCCESS) {
            EXPECT_EQ(result, WICED_TIMEOUT);
            return "";
        }
        std::uint8_t* data = nullptr;
        std::uint16_t length = 0;
        std::uint16_t total = 0;
        wiced_packet_get_data(packet, 0, &data, &length, &total);
        std::string got(data, data + total);
        wiced_packet_delete(packet);
        return got;
    }

    const wiced_ip_address_t group_{WICED_IPV4, {0xEFFF1B6Cu}};
    const std::uint16_t port_ = testing_peer::unused_port();
    wiced_udp_socket_t sender_{};
    wiced_udp_socket_t socket_{};
};

TEST_F(Multicast, ASocketHearsAGroupFromJoinToLeave) {
    EXPECT_EQ(heard("before"), "");
    ASSERT_EQ(wiced_multicast_join(WICED_STA_INTERFACE, &group_), WICED_SUCCESS);
    EXPECT_EQ(heard("joined"), "joined");
    ASSERT_EQ(wiced_multicast_leave(WICED_STA_INTERFACE, &group_), WICED_SUCCESS);
    EXPECT_EQ(heard("after"), "");
}

TEST_F(Multicast, ASocketMadeAfterTheJoinHearsTheGroupToo) {
    ASSERT_EQ(wiced_multicast_join(WICED_STA_INTERFACE, &group_), WICED_SUCCESS);
    wiced_udp_delete_socket(&socket_);
    ASSERT_EQ(wiced_udp_create_socket(&socket_, port_, WICED_STA_INTERFACE), WICED_SUCCESS);
    EXPECT_EQ(heard("later"), "later");
    EXPECT_EQ(wiced_multicast_leave(WICED_STA_INTERFACE, &group_), WICED_SUCCESS);
}

TEST_F(Multicast, AGroupJoinedTwiceIsLeftTwice) {
    ASSERT_EQ(wiced_multicast_join(WICED_STA_INTERFACE, &group_), WICED_SUCCESS);
    ASSERT_EQ(wiced_multicast_join(WICED_STA_INTERFACE, &group_), WICED_SUCCESS);
    EXPECT_EQ(wiced_multicast_leave(WICED_STA_INTERFACE, &group_), WICED_SUCCESS);
    EXPECT_EQ(heard("still"), "still");
    EXPECT_EQ(wiced_multicast_leave(WICED_STA_INTERFACE, &group_), WICED_SUCCESS);
    EXPECT_EQ(wiced_multicast_leave(WICED_STA_INTERFACE, &group_), WICED_ERROR);
}

TEST_F(Multicast, AnAddressOfNoGroupGives5AndAnIpv6Address7) {
    EXPECT_EQ(wiced_multicast_join(WICED_STA_INTERFACE, &kLoopback), 5);
    EXPECT_EQ(wiced_multicast_leave(WICED_STA_INTERFACE, &kLoopback), 5);
    wiced_ip_address_t address{};
    address.version = WICED_IPV6;
    EXPECT_EQ(wiced_multicast_join(WICED_STA_INTERFACE, &address), 7);
}

}  // namespace
