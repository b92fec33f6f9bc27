#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <thread>
#include <vector>

#include "testing/peer.hpp"
#include "wiced.h"

namespace {

constexpr wiced_ip_address_t kLoopback{WICED_IPV4, {0x7F000001u}};

/// A pool of the application's own, of two packets.
class OwnPool : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(wiced_packet_pool_init(&pool_, memory_.data(),
                                         static_cast<std::uint32_t>(memory_.size()), "mine"),
                  WICED_SUCCESS);
    }
    void TearDown() override { wiced_packet_pool_deinit(&pool_); }

    wiced_result_t allocate(std::uint32_t timeout_ms = WICED_NO_WAIT) {
        return wiced_packet_pool_allocate_packet(&pool_, WICED_PACKET_TYPE_TCP, &packet_, &data_,
                                                 &space_, timeout_ms);
    }

    std::vector<std::uint8_t> memory_ = std::vector<std::uint8_t>(3500);
    wiced_packet_pool_t pool_{};
    wiced_packet_t* packet_ = nullptr;
    std::uint8_t* data_ = nullptr;
    std::uint16_t space_ = 0;
};

TEST_F(OwnPool, GivesPacketsOutOfItsMemoryUntilItIsEmpty) {
    ASSERT_EQ(allocate(), WICED_SUCCESS);
    EXPECT_EQ(space_, 1460);
    EXPECT_GE(data_, memory_.data());
    EXPECT_LE(data_ + space_, memory_.data() + memory_.size());
    wiced_packet_t* const first = packet_;
    ASSERT_EQ(allocate(), WICED_SUCCESS);
    EXPECT_EQ(allocate(10), 2);
    EXPECT_EQ(packet_, nullptr);
    EXPECT_EQ(data_, nullptr);
    EXPECT_EQ(space_, 0);
    EXPECT_EQ(wiced_packet_delete(first), WICED_SUCCESS);
    EXPECT_EQ(allocate(), WICED_SUCCESS);
}

TEST_F(OwnPool, APacketThatWasSentGoesBackToIt) {
    const testing_peer::Listener listener;
    wiced_tcp_socket_t socket{};
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    ASSERT_EQ(wiced_tcp_connect(&socket, &kLoopback, listener.port(), 2000), WICED_SUCCESS);
    const testing_peer::Peer peer = listener.accept();
    for (int i = 0; i < 4; ++i) {
        ASSERT_EQ(allocate(), WICED_SUCCESS);
        data_[0] = 'x';
        wiced_packet_set_data_end(packet_, data_ + 1);
        ASSERT_EQ(wiced_tcp_send_packet(&socket, packet_), WICED_SUCCESS);
    }
    EXPECT_EQ(peer.read(4), "xxxx");
    peer.half_close();
    wiced_tcp_delete_socket(&socket);
}

TEST_F(OwnPool, OneThatIsDeinitialisedGivesNothing) {
    ASSERT_EQ(allocate(), WICED_SUCCESS);
    EXPECT_EQ(wiced_packet_pool_deinit(&pool_), WICED_SUCCESS);
    EXPECT_EQ(wiced_packet_delete(packet_), WICED_ERROR);
    EXPECT_EQ(allocate(), WICED_ERROR);
    EXPECT_EQ(wiced_packet_pool_deinit(&pool_), WICED_ERROR);
}

TEST_F(OwnPool, MemoryTooSmallForOnePacketIsRefused) {
    wiced_packet_pool_t small{};
    std::array<std::uint8_t, 512> memory{};
    EXPECT_EQ(wiced_packet_pool_init(&small, memory.data(), memory.size(), "small"), WICED_ERROR);
    EXPECT_EQ(wiced_packet_pool_init(&small, nullptr, 0, "none"), WICED_BADARG);
}

TEST(PacketData, TheStartMovesPastWhatIsConsumedAndThereIsNoChain) {
    wiced_packet_t* packet = nullptr;
    std::uint8_t* data = nullptr;
    std::uint16_t space = 0;
    ASSERT_EQ(wiced_packet_create(0, &packet, &data, &space), WICED_SUCCESS);
    EXPECT_EQ(space, 1460);
    for (std::uint8_t i = 0; i < 5; ++i) {
        data[i] = i;
    }
    EXPECT_EQ(wiced_packet_set_data_end(packet, data + 5), WICED_SUCCESS);
    EXPECT_EQ(wiced_packet_set_data_start(packet, data + 2), WICED_SUCCESS);
    std::uint8_t* from = nullptr;
    std::uint16_t fragment = 0;
    std::uint16_t total = 0;
    ASSERT_EQ(wiced_packet_get_data(packet, 1, &from, &fragment, &total), WICED_SUCCESS);
    EXPECT_EQ(*from, 3);
    EXPECT_EQ(fragment, 2);
    EXPECT_EQ(total, 2);
    EXPECT_EQ(wiced_packet_get_data(packet, 3, &from, &fragment, &total), 4);
    wiced_packet_t* next = packet;
    EXPECT_EQ(wiced_packet_get_next_fragment(packet, &next), WICED_SUCCESS);
    EXPECT_EQ(next, nullptr);
    EXPECT_EQ(wiced_packet_delete(packet), WICED_SUCCESS);
    EXPECT_EQ(wiced_packet_delete(packet), 4);
}

}  // namespace
