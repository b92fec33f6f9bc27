#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "testing/peer.hpp"
#include "wiced.h"

namespace {

using testing_peer::Peer;

/// What the callbacks of one test saw; the socket's argument.
struct Seen {
    Seen() {
        wiced_rtos_init_semaphore(&connected);
        wiced_rtos_init_semaphore(&received);
        wiced_rtos_init_semaphore(&disconnected);
    }
    wiced_semaphore_t connected{};
    wiced_semaphore_t received{};
    wiced_semaphore_t disconnected{};
    std::atomic<wiced_tcp_socket_t*> accepted{nullptr};
    std::atomic<int> accept_result{-1};
    std::atomic<bool> is_in_worker{true};
    std::uint16_t port = 0;
    wiced_tcp_server_t* server = nullptr;
};

void note_thread(Seen* seen) {
    if (wiced_rtos_is_current_thread(&wiced_networking_worker_thread.thread) != WICED_SUCCESS) {
        seen->is_in_worker = false;
    }
}

wiced_result_t on_connect(wiced_tcp_socket_t* socket, void* arg) {
    auto* seen = static_cast<Seen*>(arg);
    note_thread(seen);
    seen->accept_result = seen->server != nullptr ? wiced_tcp_server_accept(seen->server, socket)
                                                  : wiced_tcp_accept(socket);
    seen->accepted = socket;
    return wiced_rtos_set_semaphore(&seen->connected);
}

wiced_result_t on_receive(wiced_tcp_socket_t*, void* arg) {
    auto* seen = static_cast<Seen*>(arg);
    note_thread(seen);
    return wiced_rtos_set_semaphore(&seen->received);
}

wiced_result_t echo(wiced_tcp_socket_t* socket, void* arg) {
    wiced_packet_t* packet = nullptr;
    while (wiced_tcp_receive(socket, &packet, WICED_NO_WAIT) == WICED_SUCCESS) {
        std::uint8_t* data = nullptr;
        std::uint16_t size = 0;
        std::uint16_t total = 0;
        wiced_packet_get_data(packet, 0, &data, &size, &total);
        wiced_tcp_send_buffer(socket, data, size);
        wiced_packet_delete(packet);
    }
    return on_receive(socket, arg);
}

wiced_result_t on_disconnect(wiced_tcp_socket_t* socket, void* arg) {
    auto* seen = static_cast<Seen*>(arg);
    note_thread(seen);
    if (seen->server != nullptr) {
        wiced_tcp_server_disconnect_socket(seen->server, socket);
    } else {
        wiced_tcp_disconnect(socket);
        wiced_tcp_listen(socket, seen->port);
    }
    return wiced_rtos_set_semaphore(&seen->disconnected);
}

class Callbacks : public testing::Test {
  protected:
    void SetUp() override {
        seen_.port = testing_peer::unused_port();
        ASSERT_EQ(wiced_tcp_create_socket(&socket_, WICED_STA_INTERFACE), WICED_SUCCESS);
    }
    void TearDown() override { wiced_tcp_delete_socket(&socket_); }

    bool wait_for(wiced_semaphore_t& semaphore, std::uint32_t timeout_ms = 5000) {
        return wiced_rtos_get_semaphore(&semaphore, timeout_ms) == WICED_SUCCESS;
    }

    Seen seen_;
    wiced_tcp_socket_t socket_{};
};

TEST_F(Callbacks, ServeOnePeerAfterAnotherInTheNetworkingWorker) {
    wiced_tcp_register_callbacks(&socket_, on_connect, echo, on_disconnect, &seen_);
    ASSERT_EQ(wiced_tcp_listen(&socket_, seen_.port), WICED_SUCCESS);
    for (const char* text : {"first", "again"}) {
        Peer peer = testing_peer::connect_to(seen_.port);
        ASSERT_TRUE(wait_for(seen_.connected));
        EXPECT_EQ(seen_.accept_result, WICED_SUCCESS);
        peer.send_text(text);
        EXPECT_EQ(peer.read(5), text);
        peer.close_now();
        ASSERT_TRUE(wait_for(seen_.disconnected));
    }
    EXPECT_TRUE(seen_.is_in_worker);
    EXPECT_FALSE(wait_for(seen_.disconnected, 30));
}

TEST_F(Callbacks, ReceiveComesForDataThatStaysUntilItIsFetched) {
    const testing_peer::Listener listener;
    const wiced_ip_address_t loopback{WICED_IPV4, {0x7F000001u}};
    wiced_tcp_register_callbacks(&socket_, nullptr, on_receive, nullptr, &seen_);
    ASSERT_EQ(wiced_tcp_connect(&socket_, &loopback, listener.port(), 2000), WICED_SUCCESS);
    const Peer peer = listener.accept();
    EXPECT_FALSE(wait_for(seen_.received, 20));
    peer.send_text("data");
    ASSERT_TRUE(wait_for(seen_.received));
    EXPECT_FALSE(wait_for(seen_.received, 20));
    wiced_packet_t* packet = nullptr;
    ASSERT_EQ(wiced_tcp_receive(&socket_, &packet, WICED_NO_WAIT), WICED_SUCCESS);
    wiced_packet_delete(packet);
    peer.send_text("more");
    EXPECT_TRUE(wait_for(seen_.received));
    peer.half_close();
}

TEST_F(Callbacks, UnregisteredOnesAreNotCalled) {
    const testing_peer::Listener listener;
    const wiced_ip_address_t loopback{WICED_IPV4, {0x7F000001u}};
    wiced_tcp_register_callbacks(&socket_, nullptr, on_receive, nullptr, &seen_);
    ASSERT_EQ(wiced_tcp_connect(&socket_, &loopback, listener.port(), 2000), WICED_SUCCESS);
    const Peer peer = listener.accept();
    EXPECT_EQ(wiced_tcp_unregister_callbacks(&socket_), WICED_SUCCESS);
    peer.send_text("data");
    EXPECT_FALSE(wait_for(seen_.received, 30));
    peer.half_close();
}

TEST_F(Callbacks, ALocalDisconnectIsReportedOnce) {
    const testing_peer::Listener listener;
    const wiced_ip_address_t loopback{WICED_IPV4, {0x7F000001u}};
    const auto count = [](wiced_tcp_socket_t*, void* arg) {
        return wiced_rtos_set_semaphore(&static_cast<Seen*>(arg)->disconnected);
    };
    wiced_tcp_register_callbacks(&socket_, nullptr, nullptr, count, &seen_);
    ASSERT_EQ(wiced_tcp_connect(&socket_, &loopback, listener.port(), 2000), WICED_SUCCESS);
    listener.accept().half_close();
    ASSERT_TRUE(wait_for(seen_.disconnected));
    EXPECT_EQ(wiced_tcp_disconnect(&socket_), WICED_SUCCESS);
    EXPECT_FALSE(wait_for(seen_.disconnected, 30));
}

TEST(Server, ServesSeveralPeersAtOnceAndQueuesOneTooMany) {
    wiced_tcp_server_t server{};
    Seen seen;
    seen.port = testing_peer::unused_port();
    seen.server = &server;
    ASSERT_EQ(wiced_tcp_server_start(&server, WICED_STA_INTERFACE, seen.port, 2, on_connect, echo,
                                     on_disconnect, &seen),
              WICED_SUCCESS);
    Peer first = testing_peer::connect_to(seen.port);
    ASSERT_EQ(wiced_rtos_get_semaphore(&seen.connected, 5000), WICED_SUCCESS);
    Peer second = testing_peer::connect_to(seen.port);
    ASSERT_EQ(wiced_rtos_get_semaphore(&seen.connected, 5000), WICED_SUCCESS);
    EXPECT_EQ(seen.accept_result, WICED_SUCCESS);
    first.send_text("one");
    second.send_text("two");
    EXPECT_EQ(first.read(3), "one");
    EXPECT_EQ(second.read(3), "two");

    Peer third = testing_peer::connect_to(seen.port);
    EXPECT_EQ(wiced_rtos_get_semaphore(&seen.connected, 30), WICED_TIMEOUT);
    first.close_now();
    ASSERT_EQ(wiced_rtos_get_semaphore(&seen.connected, 5000), WICED_SUCCESS);
    third.send_text("three");
    EXPECT_EQ(third.read(5), "three");
    second.close_now();
    third.close_now();
    EXPECT_EQ(wiced_tcp_server_stop(&server), WICED_SUCCESS);
    EXPECT_FALSE(testing_peer::connect_to(seen.port).is_open());
}

TEST(Server, RefusesMoreSocketsThanItsLimit) {
    wiced_tcp_server_t server{};
    EXPECT_EQ(wiced_tcp_server_start(&server, WICED_STA_INTERFACE, 1, 19, nullptr, nullptr, nullptr,
                                     nullptr),
              WICED_BADARG);
}

}  // namespace
