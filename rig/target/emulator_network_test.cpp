// Whom an emulated board reaches over its network, and who reaches it.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "rig/base/errors.hpp"
#include "rig/target/emulator_fixture.hpp"

namespace {

using rig::testing::system_clock;

constexpr const char* localhost = "127.0.0.1";
constexpr std::uint16_t board_port = 27708;
constexpr const char* asked = "02";     // a segment's flags: SYN
constexpr const char* accepted = "12";  // SYN and ACK
constexpr const char* refused = "14";   // RST and ACK

sockaddr_in at(std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    ::inet_pton(AF_INET, localhost, &result.sin_addr);
    return result;
}

std::uint16_t port_of(int socket) {
    sockaddr_in where{};
    socklen_t size = sizeof where;
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&where), &size), 0);
    return ntohs(where.sin_port);
}

/// A socket of this machine's, bound to a free port that somebody else may still listen on.
rig::UniqueFd bound_socket() {
    rig::UniqueFd result(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    EXPECT_EQ(::setsockopt(result.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    const sockaddr_in any = at(0);
    EXPECT_EQ(::bind(result.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    return result;
}

class EmulatorNetworkTest : public rig::testing::EmulatorTest {
  protected:
    rig::EmulatorSpec spec_without_enclosure() {
        rig::EmulatorSpec alone = spec();
        alone.user_namespace = alone.network_namespace = -1;
        return alone;
    }
    /// Of the first segment that came to the board from or to this port; empty: none came.
    std::string flags_of_segment(std::uint16_t port) {
        const std::string number = fmt::format(" {:04x} ", port);
        std::string flags;
        static_cast<void>(until([&] {
            for (const std::string& line : console_) {
                if (line.starts_with("segment ") && line.find(number) != std::string::npos) {
                    flags = line.substr(line.rfind(' ') + 1);
                }
            }
            return !flags.empty();
        }));
        return flags;
    }
    /// What the board is answered when it asks this socket for a connection.
    std::string answer_of(int socket) {
        EXPECT_EQ(::listen(socket, 1), 0);
        const std::uint16_t port = port_of(socket);
        target_->type(fmt::format("knock {:04x}", port));
        return flags_of_segment(port);
    }
};

TEST_F(EmulatorNetworkTest, in_an_enclosure_the_board_reaches_who_listens_there) {
    const rig::EnclosedPlace place{.address = localhost, .port = 0};
    enclosure_.emplace(WWEP_ENCLOSURE, "198.51.100.3", std::vector{place}, system_clock);
    ASSERT_NO_FATAL_FAILURE(start());
    EXPECT_EQ(answer_of(enclosure_->socket(0)), accepted);
    EXPECT_GE(rig::UniqueFd(::accept(enclosure_->socket(0), nullptr, nullptr)).get(), 0);
}

TEST_F(EmulatorNetworkTest, without_an_enclosure_the_board_reaches_nobody) {
    const rig::UniqueFd listening = bound_socket();
    ASSERT_NO_FATAL_FAILURE(start(spec_without_enclosure()));
    EXPECT_EQ(answer_of(listening.get()), refused);
    EXPECT_EQ(::accept(listening.get(), nullptr, nullptr), -1);
    EXPECT_EQ(errno, EAGAIN);
}

TEST_F(EmulatorNetworkTest, without_an_enclosure_the_board_is_reached_at_a_forwarded_port) {
    const rig::UniqueFd reserved = bound_socket();
    const std::uint16_t port = port_of(reserved.get());
    auto alone = spec_without_enclosure();
    alone.forwarded = {{.address = localhost, .port = port, .board_port = board_port}};
    ASSERT_NO_FATAL_FAILURE(start(alone));
    const rig::UniqueFd visitor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in there = at(port);
    ASSERT_EQ(::connect(visitor.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there), 0);
    EXPECT_EQ(flags_of_segment(board_port), asked) << said();
}

}  // namespace
