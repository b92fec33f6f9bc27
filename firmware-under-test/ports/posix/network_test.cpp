#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "dns.h"
#include "testing/board.hpp"
#include "testing/c_program.h"
#include "wiced.h"

namespace {

TEST(Dns, ResolvesRoutesLiteralsAndNothingElse) {
    wiced_ip_address_t address{};
    EXPECT_EQ(c_program_lookup_with_three_arguments("server.test", &address), WICED_SUCCESS);
    EXPECT_EQ(address.ip.v4, 0x7F000001u);
    EXPECT_EQ(c_program_lookup_with_four_arguments("SERVER.Test", &address), WICED_SUCCESS);
    EXPECT_EQ(address.ip.v4, 0x7F000001u);
    // A literal is itself; where a connection to it leads is another matter.
    EXPECT_EQ(c_program_lookup_with_four_arguments("198.51.100.3", &address), WICED_SUCCESS);
    EXPECT_EQ(address.ip.v4, 0xC6336403u);
    EXPECT_EQ(c_program_lookup_with_four_arguments("localhost", &address), 4);
}

TEST(Dns, GoesWrongAsItsFileSays) {
    const char* file = board_world().name_trouble;
    const auto lookup = [file](const std::string& trouble, const char* name) {
        std::ofstream(file) << trouble;
        wiced_ip_address_t address{};
        const auto result = wiced_hostname_lookup(name, &address, 20, WICED_STA_INTERFACE);
        return result == WICED_SUCCESS ? address.ip.v4 : static_cast<std::uint32_t>(result);
    };
    EXPECT_EQ(lookup("5 127.9.9.9\n", "server.test"), 0x7F090909u);
    EXPECT_EQ(lookup("5 right\n", "server.test"), 0x7F000001u);
    EXPECT_EQ(lookup("0 none\n", "server.test"), static_cast<std::uint32_t>(WICED_ERROR));
    EXPECT_EQ(lookup("3600000 right\n", "server.test"), static_cast<std::uint32_t>(WICED_ERROR));
    EXPECT_EQ(lookup("0 127.9.9.9\n", "198.51.100.3"), 0xC6336403u) << "a literal is no name";
    std::filesystem::remove(file);
}

TEST(Dns, IsNotUpWithoutALink) {
    wiced_ip_address_t address{};
    wiced_network_down(WICED_STA_INTERFACE);
    EXPECT_EQ(c_program_lookup_with_four_arguments("server.test", &address), 9);
    EXPECT_EQ(wiced_network_up(WICED_STA_INTERFACE, WICED_USE_STATIC_IP, nullptr), WICED_ERROR);
    EXPECT_EQ(wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, nullptr),
              WICED_SUCCESS);
}

TEST(Addresses, AreNumbersInTheCpusOwnOrder) {
    EXPECT_EQ(c_program_address(), 0xC6336403u);
}

TEST(Addresses, OfIpv6AreFourWordsInTheCpusOwnOrder) {
    const wiced_ip_address_t address = c_program_ipv6_address();
    EXPECT_EQ(address.version, WICED_IPV6);
    EXPECT_EQ(address.ip.v6[0], 0xFE800000u);
    EXPECT_EQ(address.ip.v6[1], 0u);
    EXPECT_EQ(address.ip.v6[2], 0u);
    EXPECT_EQ(address.ip.v6[3], 0x00010002u);
}

TEST(Addresses, OnlyDottedQuadsConvert) {
    wiced_ip_address_t address{};
    EXPECT_EQ(str_to_ip("127.1.2.3", &address), 0);
    EXPECT_EQ(address.ip.v4, 0x7F010203u);
    for (const char* text :
         {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.", "a.b.c.d", "1.2.3.4 ", "0001.2.3.4"}) {
        EXPECT_EQ(str_to_ip(text, &address), -1) << text;
    }
}

TEST(Network, IsUpUnderEveryNameAndInitIsIdempotent) {
    EXPECT_EQ(wiced_init(), WICED_SUCCESS);
    EXPECT_EQ(wiced_network_is_up(WICED_STA_INTERFACE), WICED_TRUE);
    EXPECT_EQ(wiced_network_is_up(WICED_AP_INTERFACE), WICED_TRUE);
    wiced_ip_address_t address{};
    EXPECT_EQ(wiced_ip_get_ipv4_address(WICED_STA_INTERFACE, &address), WICED_SUCCESS);
    EXPECT_EQ(address.ip.v4, 0x7F000001u);
}

TEST(Network, CoreDeinitReversesCoreInit) {
    const auto said = [](wiced_result_t (*function)()) {
        testing::internal::CaptureStdout();
        EXPECT_EQ(function(), WICED_SUCCESS);
        return testing::internal::GetCapturedStdout();
    };
    EXPECT_EQ(said(wiced_core_init), "");  // it is up
    EXPECT_EQ(said(wiced_core_deinit), "");
    EXPECT_EQ(said(wiced_core_init), "Board of the POSIX port up\n");
    EXPECT_EQ(said(wiced_core_init), "");
    EXPECT_EQ(wiced_network_is_up(WICED_STA_INTERFACE), WICED_TRUE);  // which is not the core's
}

TEST(Network, GivesTheMacInPrintOrder) {
    wiced_mac_t mac{};
    EXPECT_EQ(wiced_wifi_get_mac_address(&mac), WICED_SUCCESS);
    EXPECT_EQ(mac.octet[0], 0x02);
    EXPECT_EQ(mac.octet[5], 0x01);
}

TEST(Network, HostNamesHaveUpTo32Characters) {
    wiced_hostname_t name{};
    EXPECT_EQ(wiced_network_set_hostname("board-1"), WICED_SUCCESS);
    EXPECT_EQ(wiced_network_get_hostname(&name), WICED_SUCCESS);
    EXPECT_STREQ(name.value, "board-1");
    EXPECT_EQ(wiced_network_set_hostname(std::string(32, 'a').c_str()), WICED_SUCCESS);
    EXPECT_EQ(wiced_network_set_hostname(std::string(33, 'a').c_str()), WICED_BADARG);
}

int link_ups = 0;
int link_downs = 0;
int address_changes = 0;

TEST(Network, CallbacksComeWhenTheLinkChanges) {
    ASSERT_EQ(wiced_network_register_link_callback([] { ++link_ups; }, [] { ++link_downs; },
                                                   WICED_STA_INTERFACE),
              WICED_SUCCESS);
    const auto changed = [](void* count) { ++*static_cast<int*>(count); };
    ASSERT_EQ(wiced_ip_register_address_change_callback(changed, &address_changes), WICED_SUCCESS);
    ASSERT_EQ(wiced_ip_register_address_change_callback(changed, &address_changes), WICED_SUCCESS);
    EXPECT_EQ(wiced_ip_register_address_change_callback(changed, &address_changes), WICED_ERROR);

    EXPECT_EQ(wiced_network_down(WICED_STA_INTERFACE), WICED_SUCCESS);
    EXPECT_EQ(wiced_network_down(WICED_STA_INTERFACE), WICED_SUCCESS);
    EXPECT_EQ(wiced_network_is_ip_up(WICED_STA_INTERFACE), WICED_FALSE);
    EXPECT_EQ(link_downs, 1);
    EXPECT_EQ(address_changes, 0);
    wiced_interface_t interface = WICED_AP_INTERFACE;
    EXPECT_EQ(wiced_network_up_default(&interface, nullptr), WICED_SUCCESS);
    EXPECT_EQ(interface, WICED_STA_INTERFACE);
    EXPECT_EQ(wiced_network_is_ip_up(WICED_STA_INTERFACE), WICED_TRUE);
    EXPECT_EQ(link_ups, 1);
    EXPECT_EQ(address_changes, 2);
}

TEST(Network, AddressesAreZeroWithoutALink) {
    wiced_ip_address_t address{};
    EXPECT_EQ(wiced_ip_get_netmask(WICED_STA_INTERFACE, &address), WICED_SUCCESS);
    EXPECT_EQ(address.ip.v4, 0xFF000000u);
    EXPECT_EQ(wiced_ip_get_gateway_address(WICED_STA_INTERFACE, &address), WICED_SUCCESS);
    EXPECT_EQ(address.ip.v4, 0x7F000001u);
    EXPECT_EQ(wiced_ip_get_ipv6_address(WICED_STA_INTERFACE, &address, IPv6_LINK_LOCAL_ADDRESS),
              WICED_SUCCESS);
    EXPECT_EQ(address.version, WICED_IPV6);
    EXPECT_EQ(wiced_deinit(), WICED_SUCCESS);
    EXPECT_EQ(wiced_ip_get_ipv4_address(WICED_STA_INTERFACE, &address), WICED_SUCCESS);
    EXPECT_EQ(address.ip.v4, 0u);
    EXPECT_EQ(wiced_init(), WICED_SUCCESS);
    EXPECT_EQ(wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, nullptr),
              WICED_SUCCESS);
}

TEST(Network, OnlyOneWithoutSocketsCanBeSuspended) {
    EXPECT_EQ(wiced_network_suspend(), WICED_SUCCESS);
    EXPECT_EQ(wiced_network_resume(), WICED_SUCCESS);
    wiced_tcp_socket_t socket{};
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    EXPECT_EQ(wiced_network_suspend(), WICED_ERROR);
    wiced_tcp_delete_socket(&socket);
    EXPECT_EQ(wiced_network_suspend(), WICED_SUCCESS);
}

TEST(Ping, ToldTheWrongKindOfAddressGives7AndWithoutALink9) {
    wiced_ip_address_t address{};
    address.version = WICED_IPV6;
    std::uint32_t elapsed_ms = 0;
    EXPECT_EQ(wiced_ping(WICED_STA_INTERFACE, &address, 10, &elapsed_ms), 7);
    wiced_network_down(WICED_STA_INTERFACE);
    EXPECT_EQ(wiced_ping(WICED_STA_INTERFACE, &address, 10, &elapsed_ms), 9);
    wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, nullptr);
}

bool write_text(const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool is_written = ::write(fd, text.data(), text.size()) == ssize_t(text.size());
    ::close(fd);
    return is_written;
}

/// Makes the calling process one of a network of its own: a loopback interface and nothing else.
bool enter_own_network() {
    const std::string user = "0 " + std::to_string(::getuid()) + " 1";
    const std::string group = "0 " + std::to_string(::getgid()) + " 1";
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 ||
        !write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", user) ||
        !write_text("/proc/self/gid_map", group)) {
        return false;
    }
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_up = ::ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
    ::close(fd);
    return is_up;
}

struct Pinged {
    bool has_network;
    wiced_result_t answered;
    std::uint32_t answered_ms;
    wiced_result_t unanswered;
    wiced_result_t unroutable;
    wiced_result_t forbidden;
};

void ping_all(Pinged& seen) {
    const wiced_ip_address_t here{WICED_IPV4, {0x7F000001u}};
    const wiced_ip_address_t elsewhere{WICED_IPV4, {0xCB007109u}};
    std::uint32_t elapsed_ms = 0;
    seen.has_network = enter_own_network();
    seen.forbidden = wiced_ping(WICED_STA_INTERFACE, &here, 1000, &elapsed_ms);
    write_text("/proc/sys/net/ipv4/ping_group_range", "0 0");
    seen.answered_ms = 0xFFFFFFFFu;
    seen.answered = wiced_ping(WICED_STA_INTERFACE, &here, 10000, &seen.answered_ms);
    seen.unroutable = wiced_ping(WICED_STA_INTERFACE, &elsewhere, 1000, &elapsed_ms);
    write_text("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1");
    seen.unanswered = wiced_ping(WICED_STA_INTERFACE, &here, 50, &elapsed_ms);
}

// In a child of its own: only there may a test say who answers.
TEST(Ping, AnsweredGives0AndItsTimeUnanswered2AndWhatCannotBeSent4) {
    void* shared =
        ::mmap(nullptr, sizeof(Pinged), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    auto& seen = *new (shared) Pinged{};
    const pid_t child = ::fork();
    if (child == 0) {
        ping_all(seen);
        ::_exit(0);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    const Pinged result = seen;
    ::munmap(shared, sizeof(Pinged));
    if (!result.has_network) {
        GTEST_SKIP() << "this machine lets no user make a network namespace";
    }
    EXPECT_EQ(result.answered, 0);
    EXPECT_LT(result.answered_ms, 10000u);
    EXPECT_EQ(result.unanswered, 2);
    EXPECT_EQ(result.unroutable, 4);
    EXPECT_EQ(result.forbidden, 4);
}

TEST(Dns, TakesAServerAndGoesOnResolvingFromItsTable) {
    wiced_ip_address_t address{WICED_IPV4, {0x08080808u}};
    EXPECT_EQ(dns_client_add_server_address(address), WICED_SUCCESS);
    EXPECT_EQ(c_program_lookup_with_four_arguments("server.test", &address), WICED_SUCCESS);
}

}  // namespace
