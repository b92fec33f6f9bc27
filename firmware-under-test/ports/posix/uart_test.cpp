#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "testing/board.hpp"
#include "wiced.h"

extern "C" {
#include "uart.h"
#include "uart_device.h"
}

namespace {

/// The second UART is one end of a pseudo-terminal, the test has the other.
class Uart : public testing::Test {
  protected:
    void SetUp() override {
        far_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        ASSERT_GE(far_, 0);
        ASSERT_EQ(grantpt(far_), 0);
        ASSERT_EQ(unlockpt(far_), 0);
        termios settings{};
        ASSERT_EQ(tcgetattr(far_, &settings), 0);
        cfmakeraw(&settings);
        ASSERT_EQ(tcsetattr(far_, TCSANOW, &settings), 0);
        boot(ptsname(far_));
        config_.baud_rate = 115200;
        config_.data_width = DATA_WIDTH_8BIT;
    }
    void TearDown() override {
        boot(nullptr);
        ::close(far_);
    }

    static void boot(const char* device) {
        world_t world = board_world();
        world.second_uart = device;
        std::array<char, 256> error{};
        uart_boot(true);
        ASSERT_TRUE(uart_device_boot(&world, true, error.data(), error.size())) << error.data();
    }

    void send(std::string_view text) const {
        ASSERT_EQ(::write(far_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    /// What receive gives: its result, and the bytes that it says are there.
    std::string receive(std::uint32_t wanted, std::uint32_t timeout_ms) {
        std::array<char, 64> data{};
        result_ = wiced_uart_receive_bytes(WICED_UART_2, data.data(), &wanted, timeout_ms);
        return {data.data(), wanted};
    }

    int far_ = -1;
    wiced_uart_config_t config_{};
    wiced_result_t result_ = WICED_ERROR;
};

TEST_F(Uart, TheConsolesOwnIsTakenAlreadyAndTransmitsWithoutInit) {
    EXPECT_EQ(wiced_uart_init(STDIO_UART, &config_, nullptr), WICED_ERROR);
    EXPECT_EQ(wiced_uart_transmit_bytes(STDIO_UART, "", 0), WICED_SUCCESS);
}

TEST_F(Uart, ASecondOneSendsBytesAsTheyAre) {
    ASSERT_EQ(wiced_uart_init(WICED_UART_2, &config_, nullptr), WICED_SUCCESS);
    EXPECT_EQ(wiced_uart_transmit_bytes(WICED_UART_2, "a\nb\0", 4), WICED_SUCCESS);
    std::array<char, 4> got{};
    ASSERT_EQ(::read(far_, got.data(), got.size()), 4);
    EXPECT_EQ(std::memcmp(got.data(), "a\nb\0", 4), 0);
}

TEST_F(Uart, WithoutARingAShortReadGives2AndNothing) {
    ASSERT_EQ(wiced_uart_init(WICED_UART_2, &config_, nullptr), WICED_SUCCESS);
    send("abc");
    EXPECT_EQ(receive(4, 30), "");
    EXPECT_EQ(result_, 2);
    send("wxyz");
    EXPECT_EQ(receive(4, 5000), "wxyz");
    EXPECT_EQ(result_, WICED_SUCCESS);
}

TEST_F(Uart, WithARingChunksOfHalfItComeAndTheRestIsNotLost) {
    wiced_ring_buffer_t ring{};
    std::array<std::uint8_t, 8> bytes{};
    ASSERT_EQ(ring_buffer_init(&ring, bytes.data(), bytes.size()), WICED_SUCCESS);
    ASSERT_EQ(wiced_uart_init(WICED_UART_2, &config_, &ring), WICED_SUCCESS);
    send("123456");
    EXPECT_EQ(receive(8, 30), "1234");
    EXPECT_EQ(result_, 2);
    send("7");
    EXPECT_EQ(receive(3, 5000), "567");
    EXPECT_EQ(result_, WICED_SUCCESS);
}

TEST_F(Uart, AReadLongerThanTheRingIsWhole) {
    wiced_ring_buffer_t ring{};
    std::array<std::uint8_t, 8> bytes{};
    ASSERT_EQ(ring_buffer_init(&ring, bytes.data(), bytes.size()), WICED_SUCCESS);
    ASSERT_EQ(wiced_uart_init(WICED_UART_2, &config_, &ring), WICED_SUCCESS);
    send("the quick brown fox");
    EXPECT_EQ(receive(19, 5000), "the quick brown fox");
}

TEST_F(Uart, WithoutADeviceNothingComesAndSendingSucceeds) {
    boot(nullptr);
    ASSERT_EQ(wiced_uart_init(WICED_UART_2, &config_, nullptr), WICED_SUCCESS);
    EXPECT_EQ(wiced_uart_transmit_bytes(WICED_UART_2, "lost", 4), WICED_SUCCESS);
    EXPECT_EQ(receive(1, 5), "");
    EXPECT_EQ(result_, 2);
}

TEST_F(Uart, UninitialisedOneGives4AndAWrongArgument5) {
    EXPECT_EQ(wiced_uart_transmit_bytes(WICED_UART_2, "x", 1), 4);
    EXPECT_EQ(receive(1, 5), "");
    EXPECT_EQ(result_, 4);
    ASSERT_EQ(wiced_uart_init(WICED_UART_2, &config_, nullptr), WICED_SUCCESS);
    EXPECT_EQ(receive(0, 5), "");
    EXPECT_EQ(result_, 5);
    EXPECT_EQ(wiced_uart_deinit(WICED_UART_2), WICED_SUCCESS);
    EXPECT_EQ(wiced_uart_transmit_bytes(WICED_UART_2, "x", 1), 4);
}

TEST_F(Uart, ADeviceThatIsNotThereIsNamed) {
    world_t world = board_world();
    world.second_uart = "/nowhere/tty";
    std::array<char, 256> error{};
    EXPECT_FALSE(uart_device_boot(&world, true, error.data(), error.size()));
    EXPECT_STREQ(error.data(), "WWEP_UART_2: open /nowhere/tty: No such file or directory");
}

}  // namespace
