#include <gtest/gtest.h>

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

TEST(Network, GivesTheMacInPrintOrder) {
    wiced_mac_t mac{};
    EXPECT_EQ(wiced_wifi_get_mac_address(&mac), WICED_SUCCESS);
    EXPECT_EQ(mac.octet[0], 0x02);
    EXPECT_EQ(mac.octet[5], 0x01);
}

}  // namespace
