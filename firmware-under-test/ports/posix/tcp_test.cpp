#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "testing/peer.hpp"
#include "testing/settings.hpp"
#include "wiced.h"

namespace {

using testing_peer::Listener;
using testing_peer::Peer;
using Clock = std::chrono::steady_clock;

constexpr wiced_ip_address_t kLoopback{WICED_IPV4, {0x7F000001u}};
constexpr wiced_ip_address_t kRouted{WICED_IPV4, {0xC6336403u}};

std::int64_t elapsed_ms(Clock::time_point since) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since).count();
}

class Tcp : public testing::Test {
  protected:
    Tcp() { wiced_tcp_create_socket(&socket_, WICED_STA_INTERFACE); }
    ~Tcp() override { wiced_tcp_delete_socket(&socket_); }

    void connect() {
        ASSERT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 2000), WICED_SUCCESS);
        peer_ = listener_.accept();
        ASSERT_TRUE(peer_.is_open());
    }

    wiced_socket_state_t state() {
        wiced_socket_state_t state = WICED_SOCKET_ERROR;
        EXPECT_EQ(wiced_tcp_get_socket_state(&socket_, &state), WICED_SUCCESS);
        return state;
    }

    Listener listener_;
    Peer peer_;
    wiced_tcp_socket_t socket_{};
};

/// Its backlog of one is full, so the kernel drops further SYNs.
class FullListener {
  public:
    FullListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in in = testing_peer::loopback(0);
        socklen_t size = sizeof(in);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&in), size), 0);
        EXPECT_EQ(::listen(fd_, 0), 0);
        EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&in), &size), 0);
        port_ = ntohs(in.sin_port);
        first_ = testing_peer::connect_to(port_);
    }
    FullListener(const FullListener&) = delete;
    FullListener& operator=(const FullListener&) = delete;
    ~FullListener() { ::close(fd_); }

    std::uint16_t port() const { return port_; }

  private:
    int fd_;
    std::uint16_t port_ = 0;
    Peer first_;
};

using TcpConnect = Tcp;

TEST_F(TcpConnect, ARefusalIs7014) {
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, testing_peer::unused_port(), 2000), 7014);
    EXPECT_EQ(state(), WICED_SOCKET_CLOSED);
}

TEST_F(TcpConnect, ATimeOutIs7014Too) {
    const FullListener full;
    const auto began = Clock::now();
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, full.port(), 100), 7014);
    EXPECT_GE(elapsed_ms(began), 100);
}

TEST_F(TcpConnect, ASecondThreadThatConnectsTheSameSocketGets4AndTheFirstGoesOn) {
    const FullListener full;
    std::thread first(
        [&] { EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, full.port(), 60'000), 7014); });
    while (state() != WICED_SOCKET_CONNECTING) {
        std::this_thread::yield();
    }
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 2000), 4);
    EXPECT_EQ(state(), WICED_SOCKET_CONNECTING);
    EXPECT_EQ(wiced_tcp_delete_socket(&socket_), WICED_SUCCESS);
    first.join();
}

TEST_F(TcpConnect, TheSameSocketMayTryAgainAfterAFailure) {
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, testing_peer::unused_port(), 2000), 7014);
    connect();
    EXPECT_EQ(state(), WICED_SOCKET_CONNECTED);
}

TEST_F(TcpConnect, ARoutedAddressLeadsElsewhere) {
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kRouted, listener_.port(), 2000), WICED_SUCCESS);
    EXPECT_TRUE(listener_.accept().is_open());
}

TEST_F(TcpConnect, AConnectedSocketGives4AndADownLink9) {
    connect();
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 100), 4);
    wiced_network_down(WICED_STA_INTERFACE);
    EXPECT_EQ(wiced_tcp_connect(&socket_, &kLoopback, listener_.port(), 100), 9);
    EXPECT_EQ(wiced_tcp_disconnect(&socket_), 9);
    wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, nullptr);
}

TEST_F(TcpConnect, BindTwiceGives4AndABusyPort7011) {
    EXPECT_EQ(wiced_tcp_bind(&socket_, WICED_ANY_PORT), WICED_SUCCESS);
    EXPECT_EQ(wiced_tcp_bind(&socket_, WICED_ANY_PORT), 4);
    EXPECT_EQ(wiced_tcp_disconnect(&socket_), WICED_SUCCESS);
    EXPECT_EQ(wiced_tcp_disconnect(&socket_), 7014);
    EXPECT_EQ(wiced_tcp_bind(&socket_, listener_.port()), 7011);
}

TEST_F(TcpConnect, ASocketThatWasNeverCreatedIsInvalid) {
    wiced_tcp_socket_t never{};
    EXPECT_EQ(wiced_tcp_connect(&never, &kLoopback, 1, 10), 7009);
    EXPECT_EQ(wiced_tcp_delete_socket(&never), WICED_SUCCESS);
    wiced_socket_state_t state = WICED_SOCKET_CLOSED;
    EXPECT_EQ(wiced_tcp_get_socket_state(nullptr, &state), WICED_BADARG);
    EXPECT_EQ(state, WICED_SOCKET_ERROR);
}

using TcpEnd = Tcp;

TEST_F(TcpEnd, DisconnectSendsTheEndAndTheSocketConnectsAgain) {
    connect();
    std::thread board([&] { EXPECT_EQ(wiced_tcp_disconnect(&socket_), WICED_SUCCESS); });
    EXPECT_TRUE(peer_.sees_end());
    peer_.close_now();
    board.join();
    EXPECT_EQ(wiced_tcp_disconnect(&socket_), 7014);
    connect();
}

TEST_F(TcpEnd, DisconnectWaitsForAPeerThatStaysOnlySoLong) {
    connect();
    const auto began = Clock::now();
    EXPECT_EQ(wiced_tcp_disconnect_with_timeout(&socket_, 60), WICED_SUCCESS);
    EXPECT_GE(elapsed_ms(began), 60);
    EXPECT_LT(elapsed_ms(began), 2000);
}

TEST_F(TcpEnd, QueuedDataIsDeliveredBefore7014) {
    connect();
    peer_.send_text("bye");
    peer_.close_now();
    wiced_packet_t* packet = nullptr;
    ASSERT_EQ(wiced_tcp_receive(&socket_, &packet, 2000), WICED_SUCCESS);
    wiced_packet_delete(packet);
    EXPECT_EQ(wiced_tcp_receive(&socket_, &packet, 2000), 7014);
    EXPECT_EQ(packet, nullptr);
}

TEST_F(TcpEnd, DeletingASocketWakesTheThreadThatReadsIt) {
    connect();
    wiced_result_t result = WICED_SUCCESS;
    wiced_semaphore_t reading;
    wiced_rtos_init_semaphore(&reading);
    std::thread reader([&] {
        wiced_packet_t* packet = nullptr;
        wiced_rtos_set_semaphore(&reading);
        result = wiced_tcp_receive(&socket_, &packet, WICED_WAIT_FOREVER);
    });
    wiced_rtos_get_semaphore(&reading, 5000);
    peer_.half_close();
    wiced_tcp_delete_socket(&socket_);
    reader.join();
    EXPECT_EQ(result, 7014);
}

using Packets = Tcp;

TEST_F(Packets, ThePoolHasItsSizeAndAnEmptyOneGives2) {
    connect();
    wiced_packet_t* packets[settings::kTxPackets] = {};
    std::uint8_t* data = nullptr;
    std::uint16_t space = 0;
    for (auto& packet : packets) {
        ASSERT_EQ(wiced_packet_create_tcp(&socket_, 0, &packet, &data, &space), WICED_SUCCESS);
        EXPECT_EQ(space, 1460);
    }
    wiced_packet_t* extra = packets[0];
    const auto began = Clock::now();
    EXPECT_EQ(wiced_packet_create_tcp(&socket_, 0, &extra, &data, &space), 2);
    EXPECT_GE(elapsed_ms(began), settings::kPacketTimeoutMs);
    EXPECT_EQ(extra, nullptr);
    EXPECT_EQ(data, nullptr);
    EXPECT_EQ(space, 0);
    for (auto* packet : packets) {
        EXPECT_EQ(wiced_packet_delete(packet), WICED_SUCCESS);
    }
}

TEST_F(Packets, WithoutAConnectionThereIsNoSpaceAndSendingLeavesThePacketTheCallers) {
    wiced_packet_t* packet = nullptr;
    std::uint8_t* data = nullptr;
    std::uint16_t space = 1;
    ASSERT_EQ(wiced_packet_create_tcp(&socket_, 0, &packet, &data, &space), WICED_SUCCESS);
    EXPECT_EQ(space, 0);
    data[0] = 'x';
    wiced_packet_set_data_end(packet, data + 1);
    EXPECT_EQ(wiced_tcp_send_packet(&socket_, packet), 7014);
    EXPECT_EQ(wiced_packet_delete(packet), WICED_SUCCESS);
}

TEST_F(Packets, DeletingAfterASendIsHarmlessAndNotDeletingLeaksNothing) {
    connect();
    for (int i = 0; i < 20; ++i) {
        wiced_packet_t* packet = nullptr;
        std::uint8_t* data = nullptr;
        std::uint16_t space = 0;
        ASSERT_EQ(wiced_packet_create_tcp(&socket_, 0, &packet, &data, &space), WICED_SUCCESS);
        data[0] = static_cast<std::uint8_t>('a' + i);
        ASSERT_EQ(wiced_packet_set_data_end(packet, data + 1), WICED_SUCCESS);
        ASSERT_EQ(wiced_tcp_send_packet(&socket_, packet), WICED_SUCCESS);
        if (i % 2 == 0) {
            EXPECT_EQ(wiced_packet_delete(packet), 4);
        }
    }
    EXPECT_EQ(peer_.read(20), "abcdefghijklmnopqrst");
}

TEST_F(Packets, AReceivedOneHasRoomForANul) {
    connect();
    peer_.send_text(std::string(1460, 'r'));
    wiced_packet_t* packet = nullptr;
    std::uint8_t* data = nullptr;
    std::uint16_t fragment = 0;
    std::uint16_t total = 0;
    ASSERT_EQ(wiced_tcp_receive(&socket_, &packet, 2000), WICED_SUCCESS);
    ASSERT_EQ(wiced_packet_get_data(packet, 0, &data, &fragment, &total), WICED_SUCCESS);
    EXPECT_EQ(fragment, 1460);
    EXPECT_EQ(total, 1460);
    data[fragment] = 0;
    EXPECT_EQ(wiced_packet_get_data(packet, 1459, &data, &fragment, &total), WICED_SUCCESS);
    EXPECT_EQ(fragment, 1);
    EXPECT_EQ(wiced_packet_get_data(packet, 1461, &data, &fragment, &total), 4);
    EXPECT_EQ(wiced_packet_delete(packet), WICED_SUCCESS);
}

TEST_F(Packets, AnEmptyOneGivesNothingAndSuccess) {
    wiced_packet_t* packet = nullptr;
    std::uint8_t* data = nullptr;
    std::uint16_t fragment = 9;
    std::uint16_t total = 9;
    ASSERT_EQ(wiced_packet_create(0, &packet, &data, &fragment), WICED_SUCCESS);
    EXPECT_EQ(wiced_packet_get_data(packet, 0, &data, &fragment, &total), WICED_SUCCESS);
    EXPECT_EQ(data, nullptr);
    EXPECT_EQ(fragment, 0);
    EXPECT_EQ(total, 0);
    wiced_packet_delete(packet);
}

TEST_F(Packets, ReceiveTimesOutWith2AlsoWhenItOnlyPolls) {
    connect();
    wiced_packet_t* packet = nullptr;
    EXPECT_EQ(wiced_tcp_receive(&socket_, &packet, WICED_NO_WAIT), 2);
    EXPECT_EQ(wiced_tcp_receive(&socket_, &packet, 20), 2);
    EXPECT_EQ(packet, nullptr);
}

TEST_F(Packets, AnEmptyRxPoolHoldsDataBackUntilAPacketIsDeleted) {
    connect();
    wiced_packet_t* packets[settings::kRxPackets] = {};
    for (auto& packet : packets) {
        peer_.send_text("x");
        ASSERT_EQ(wiced_tcp_receive(&socket_, &packet, 5000), WICED_SUCCESS);
    }
    peer_.send_text("later");
    wiced_packet_t* extra = packets[0];
    EXPECT_EQ(wiced_tcp_receive(&socket_, &extra, 20), 2);
    EXPECT_EQ(extra, nullptr);
    EXPECT_EQ(wiced_packet_delete(packets[0]), WICED_SUCCESS);
    ASSERT_EQ(wiced_tcp_receive(&socket_, &packets[0], 5000), WICED_SUCCESS);
    std::uint8_t* data = nullptr;
    std::uint16_t fragment = 0;
    std::uint16_t total = 0;
    wiced_packet_get_data(packets[0], 0, &data, &fragment, &total);
    EXPECT_EQ(std::string(data, data + total), "later");
    for (auto* packet : packets) {
        EXPECT_EQ(wiced_packet_delete(packet), WICED_SUCCESS);
    }
}

TEST_F(Packets, ThreadsThatWaitForDataHoldNoPacket) {
    connect();
    constexpr int waiting = settings::kRxPackets;
    wiced_tcp_socket_t others[waiting]{};
    std::vector<Peer> peers;
    std::vector<std::thread> threads;
    for (auto& other : others) {
        wiced_tcp_create_socket(&other, WICED_STA_INTERFACE);
        ASSERT_EQ(wiced_tcp_connect(&other, &kLoopback, listener_.port(), 2000), WICED_SUCCESS);
        peers.push_back(listener_.accept());
        threads.emplace_back([&other] {
            wiced_packet_t* packet = nullptr;
            EXPECT_EQ(wiced_tcp_receive(&other, &packet, WICED_WAIT_FOREVER), 7014);
        });
    }
    for (int i = 0; i < 10; ++i) {  // meanwhile they wait
        peer_.send_text("x");
        wiced_packet_t* packet = nullptr;
        EXPECT_EQ(wiced_tcp_receive(&socket_, &packet, 5000), WICED_SUCCESS);
        wiced_packet_delete(packet);
        EXPECT_EQ(wiced_tcp_receive(&socket_, &packet, 5), 2);
    }
    peers.clear();
    for (auto& thread : threads) {
        thread.join();
    }
    for (auto& other : others) {
        wiced_tcp_delete_socket(&other);
    }
}

TEST_F(Packets, SendBufferSplitsWhatIsLongerThanAPacket) {
    connect();
    const std::string text(5000, 's');
    EXPECT_EQ(wiced_tcp_send_buffer(&socket_, text.data(), 5000), WICED_SUCCESS);
    EXPECT_EQ(peer_.read(5000), text);
}

TEST_F(Packets, APeerThatTakesNothingEndsASendWith4) {
    connect();
    const std::string text(60000, 'f');
    wiced_result_t result = WICED_SUCCESS;
    for (int i = 0; i < 1000 && result == WICED_SUCCESS; ++i) {
        result = wiced_tcp_send_buffer(&socket_, text.data(), 60000);
    }
    EXPECT_EQ(result, 4);
}

class Stream : public Tcp {
  protected:
    void SetUp() override {
        connect();
        wiced_tcp_stream_init(&stream_, &socket_);
    }
    void TearDown() override { wiced_tcp_stream_deinit(&stream_); }

    wiced_tcp_stream_t stream_{};
    char buffer_[32] = "";
};

TEST_F(Stream, WritesWaitForAFlush) {
    EXPECT_EQ(wiced_tcp_stream_write(&stream_, "W0FAC0B", 7), WICED_SUCCESS);
    EXPECT_EQ(peer_.read(1, 30), "");
    EXPECT_EQ(wiced_tcp_stream_write(&stream_, "1234", 4), WICED_SUCCESS);
    EXPECT_EQ(wiced_tcp_stream_flush(&stream_), WICED_SUCCESS);
    EXPECT_EQ(peer_.read(11), "W0FAC0B1234");
    EXPECT_EQ(wiced_tcp_stream_flush(&stream_), WICED_SUCCESS);
}

TEST_F(Stream, DeinitFlushes) {
    wiced_tcp_stream_write(&stream_, "R0FAC0B", 7);
    EXPECT_EQ(wiced_tcp_stream_deinit(&stream_), WICED_SUCCESS);
    EXPECT_EQ(peer_.read(7), "R0FAC0B");
}

TEST_F(Stream, AWholeResourceCanBeWritten) {
    const resource_hnd_t resource{RESOURCE_IN_MEMORY, 11, {.mem = {"W0FAC0B1234"}}};
    EXPECT_EQ(wiced_tcp_stream_write_resource(&stream_, &resource), WICED_SUCCESS);
    wiced_tcp_stream_flush(&stream_);
    EXPECT_EQ(peer_.read(12, 30), "W0FAC0B1234");
}

TEST_F(Stream, FullPacketsGoOutByThemselves) {
    const std::string text(4000, 'w');
    EXPECT_EQ(wiced_tcp_stream_write(&stream_, text.data(), 4000), WICED_SUCCESS);
    EXPECT_EQ(peer_.read(4000, 100).size(), 2920u);
}

TEST_F(Stream, AShortReplyIsConsumedAndNotCounted) {
    peer_.send_text("X");
    EXPECT_EQ(wiced_tcp_stream_read(&stream_, buffer_, 11, 40), 2);
    EXPECT_EQ(buffer_[0], 'X');
    EXPECT_EQ(wiced_tcp_stream_read(&stream_, buffer_, 1, 40), 2);
}

TEST_F(Stream, AShortReplyAndACloseGive7014AndTheByte) {
    peer_.send_text("X");
    peer_.close_now();
    EXPECT_EQ(wiced_tcp_stream_read(&stream_, buffer_, 11, 2000), 7014);
    EXPECT_EQ(buffer_[0], 'X');
}

TEST_F(Stream, ReadWithCountReportsWhatCameBeforeTheEndOrTheTimeOut) {
    std::uint32_t count = 9;
    EXPECT_EQ(wiced_tcp_stream_read_with_count(&stream_, buffer_, 11, 20, &count), 2);
    EXPECT_EQ(count, 0u);
    peer_.send_text("X");
    EXPECT_EQ(wiced_tcp_stream_read_with_count(&stream_, buffer_, 11, 40, &count), WICED_SUCCESS);
    EXPECT_EQ(count, 1u);
    peer_.close_now();
    EXPECT_EQ(wiced_tcp_stream_read_with_count(&stream_, buffer_, 11, 2000, &count), 7014);
    EXPECT_EQ(count, 0u);
}

TEST_F(Stream, TheTimeOutIsForEachFurtherPacket) {
    std::thread slow([&] {
        for (const char* part : {"A0F", "AC0", "B12", "34"}) {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            peer_.send_text(part);
        }
    });
    // Longer than one pause by what a busy machine may add, shorter than all of them.
    EXPECT_EQ(wiced_tcp_stream_read(&stream_, buffer_, 11, 1100), WICED_SUCCESS);
    EXPECT_STREQ(buffer_, "A0FAC0B1234");
    slow.join();
}

TEST_F(Stream, ExcessBytesStayForTheNextRead) {
    peer_.send_text("0123456789");
    EXPECT_EQ(wiced_tcp_stream_read(&stream_, buffer_, 4, 2000), WICED_SUCCESS);
    EXPECT_EQ(wiced_tcp_stream_read(&stream_, buffer_, 6, 0), WICED_SUCCESS);
    EXPECT_STREQ(buffer_, "456789");
    EXPECT_EQ(wiced_tcp_stream_read(&stream_, buffer_, 0, 0), WICED_SUCCESS);
}

class Accept : public Tcp {
  protected:
    void SetUp() override { port_ = testing_peer::unused_port(); }
    std::uint16_t port_ = 0;
};

TEST_F(Accept, WithoutAListenGives4) {
    EXPECT_EQ(wiced_tcp_accept(&socket_), 4);
}

TEST_F(Accept, WaitsItsTimeForAPeerAndGives7014) {
    ASSERT_EQ(wiced_tcp_listen(&socket_, port_), WICED_SUCCESS);
    EXPECT_EQ(state(), WICED_SOCKET_LISTEN);
    const auto began = Clock::now();
    EXPECT_EQ(wiced_tcp_accept(&socket_), 7014);
    EXPECT_GE(elapsed_ms(began), settings::kAcceptTimeoutMs);
}

TEST_F(Accept, ListeningTwiceGives4AndKeepsListening) {
    ASSERT_EQ(wiced_tcp_listen(&socket_, port_), WICED_SUCCESS);
    EXPECT_EQ(wiced_tcp_listen(&socket_, port_), 4);
    const Peer peer = testing_peer::connect_to(port_);
    EXPECT_EQ(wiced_tcp_accept(&socket_), WICED_SUCCESS);
}

TEST_F(Accept, ServesOnePeerAfterAnotherWithAndWithoutANewListen) {
    ASSERT_EQ(wiced_tcp_listen(&socket_, port_), WICED_SUCCESS);
    for (int round = 0; round < 3; ++round) {
        Peer peer = testing_peer::connect_to(port_);
        ASSERT_EQ(wiced_tcp_accept(&socket_), WICED_SUCCESS);
        EXPECT_EQ(wiced_tcp_send_buffer(&socket_, "X", 1), WICED_SUCCESS);
        EXPECT_EQ(peer.read(1), "X");
        peer.close_now();
        EXPECT_EQ(wiced_tcp_disconnect(&socket_), WICED_SUCCESS);
        if (round == 1) {
            EXPECT_EQ(wiced_tcp_listen(&socket_, port_), WICED_SUCCESS);
        }
    }
}

TEST_F(Accept, EndsThePreviousConnectionFirst) {
    ASSERT_EQ(wiced_tcp_listen(&socket_, port_), WICED_SUCCESS);
    const Peer first = testing_peer::connect_to(port_);
    ASSERT_EQ(wiced_tcp_accept(&socket_), WICED_SUCCESS);
    first.half_close();
    const Peer second = testing_peer::connect_to(port_);
    ASSERT_EQ(wiced_tcp_accept(&socket_), WICED_SUCCESS);
    EXPECT_TRUE(first.sees_end());
    wiced_tcp_send_buffer(&socket_, "2", 1);
    EXPECT_EQ(second.read(1), "2");
    second.half_close();
}

TEST_F(Accept, TellsThePeersAddressAndDeleteFreesThePort) {
    ASSERT_EQ(wiced_tcp_listen(&socket_, port_), WICED_SUCCESS);
    const Peer peer = testing_peer::connect_to(port_);
    ASSERT_EQ(wiced_tcp_accept(&socket_), WICED_SUCCESS);
    wiced_ip_address_t address{};
    std::uint16_t port = 0;
    EXPECT_EQ(wiced_tcp_server_peer(&socket_, &address, &port), WICED_SUCCESS);
    EXPECT_EQ(address.ip.v4, 0x7F000001u);
    EXPECT_NE(port, 0);
    peer.half_close();
    wiced_tcp_delete_socket(&socket_);
    EXPECT_FALSE(testing_peer::connect_to(port_).is_open());
    EXPECT_EQ(wiced_tcp_server_peer(&socket_, &address, &port), 7014);
}

TEST(Defaults, AreTheSdks) {
    EXPECT_EQ(WICED_TCP_ACCEPT_TIMEOUT, 3000);
    EXPECT_EQ(WICED_TCP_DISCONNECT_TIMEOUT, 3000);
    EXPECT_EQ(WICED_ALLOCATE_PACKET_TIMEOUT, 2000);
    EXPECT_EQ(TX_PACKET_POOL_SIZE, 7);
    EXPECT_EQ(RX_PACKET_POOL_SIZE, 7);
    EXPECT_EQ(WICED_TLS_MAX_RESUMABLE_SESSIONS, 4);
}

}  // namespace
