#include "rig/target/enclosure.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "rig/base/errors.hpp"

namespace {

using testing::HasSubstr;

const rig::SystemClock system_clock;
constexpr const char* address = "198.51.100.3";
constexpr std::uint16_t port = 27708;

sockaddr_in where(const char* host, std::uint16_t number) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(number);
    ::inet_pton(AF_INET, host, &result.sin_addr);
    return result;
}

TEST(EnclosureTest, two_enclosures_have_the_same_ports_side_by_side) {
    const std::vector<rig::EnclosedPlace> places{
        {.address = address, .port = port}, {.address = "127.0.0.1", .port = 5300, .is_udp = true}};
    const rig::Enclosure first(WWEP_ENCLOSURE, address, places, system_clock);
    const rig::Enclosure second(WWEP_ENCLOSURE, address, places, system_clock);

    std::array<struct stat, 3> of{};
    ASSERT_EQ(::fstat(first.network_namespace(), &of[0]), 0);
    ASSERT_EQ(::fstat(second.network_namespace(), &of[1]), 0);
    ASSERT_EQ(::stat("/proc/self/ns/net", &of[2]), 0);
    EXPECT_NE(of[0].st_ino, of[1].st_ino);
    EXPECT_NE(of[0].st_ino, of[2].st_ino);
    EXPECT_NE(::fcntl(first.socket(1), F_GETFL) & O_NONBLOCK, 0);
}

TEST(EnclosureTest, its_interface_is_up_and_leads_nowhere_else) {
    const rig::Enclosure enclosure(WWEP_ENCLOSURE, address,
                                   {{.address = address, .port = 1, .is_udp = true},
                                    {.address = "127.0.0.1", .port = 2, .is_udp = true}},
                                   system_clock);
    const sockaddr_in inside = where(address, 1);
    const sockaddr_in outside = where("192.0.2.1", 1);
    const int from = enclosure.socket(1);
    EXPECT_EQ(::sendto(from, "x", 1, 0, reinterpret_cast<const sockaddr*>(&inside), sizeof inside),
              1);
    pollfd waited{.fd = enclosure.socket(0), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waited, 1, 20'000), 1);
    EXPECT_EQ(
        ::sendto(from, "x", 1, 0, reinterpret_cast<const sockaddr*>(&outside), sizeof outside), -1);
    EXPECT_EQ(errno, ENETUNREACH);
}

TEST(EnclosureTest, what_cannot_be_made_is_said_with_the_remedy) {
    try {
        const rig::Enclosure enclosure(WWEP_ENCLOSURE, "300.1.1.1", {}, system_clock);
        FAIL();
    } catch (const rig::NoBench& error) {
        EXPECT_THAT(error.what(), HasSubstr("\"300.1.1.1\" is no IPv4 address"));
        EXPECT_THAT(error.what(), HasSubstr("user.max_user_namespaces"));
    }
    EXPECT_THROW(rig::Enclosure("/nowhere/wwep-enclosure", address, {}, system_clock),
                 rig::NoBench);
}

}  // namespace
