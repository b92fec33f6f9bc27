#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

extern "C" {
#include "world.h"
}

namespace {

class World : public testing::Test {
  protected:
    void TearDown() override {
        for (const char* name : {"WWEP_WIRE_FD", "WWEP_MAC", "WWEP_ROUTES", "WWEP_BIND_ADDRESS",
                                 "WWEP_BOOT_DELAY_MS", "WWEP_BOARD_LOG", "WWEP_GPIO_CHIP",
                                 "WWEP_GPIO_PINS", "WWEP_UART_2", "WWEP_NAME_TROUBLE"}) {
            unsetenv(name);
        }
    }

    std::string read(const char* name, const char* text) {
        setenv(name, text, 1);
        return world_from_environment(&world_, error_, sizeof(error_)) ? "" : error_;
    }

    world_t world_{};
    char error_[256] = "";
};

TEST_F(World, WithoutVariablesHasNoWireAndTheDefaultMac) {
    ASSERT_TRUE(world_from_environment(&world_, error_, sizeof(error_)));
    EXPECT_EQ(world_.wire_fd, -1);
    EXPECT_EQ(world_.mac.octet[0], 2);
    EXPECT_EQ(world_.mac.octet[5], 1);
    EXPECT_EQ(world_.route_count, 0u);
    EXPECT_EQ(world_.board_log, nullptr);
}

TEST_F(World, ReadsEveryVariable) {
    setenv("WWEP_WIRE_FD", "7", 1);
    setenv("WWEP_ROUTES", "a.test=127.1.2.3,198.51.100.3=127.1.2.4", 1);
    setenv("WWEP_BIND_ADDRESS", "127.9.9.9", 1);
    setenv("WWEP_BOOT_DELAY_MS", "250", 1);
    setenv("WWEP_UART_2", "/dev/ttyUSB0", 1);
    setenv("WWEP_NAME_TROUBLE", "/run/trouble", 1);
    EXPECT_EQ(read("WWEP_MAC", "02:1a:ff:00:00:10"), "");
    EXPECT_EQ(world_.wire_fd, 7);
    EXPECT_EQ(world_.mac.octet[1], 0x1a);
    EXPECT_EQ(world_.mac.octet[2], 0xff);
    EXPECT_EQ(world_.bind_address, 0x7F090909u);
    EXPECT_EQ(world_.boot_delay_ms, 250u);
    EXPECT_STREQ(world_.second_uart, "/dev/ttyUSB0");
    EXPECT_STREQ(world_.name_trouble, "/run/trouble");
    ASSERT_NE(world_find_route(&world_, "A.TEST"), nullptr);
    EXPECT_EQ(world_find_route(&world_, "A.TEST")->address, 0x7F010203u);
    EXPECT_EQ(world_find_route(&world_, "198.51.100.3")->address, 0x7F010204u);
    EXPECT_EQ(world_find_route(&world_, "b.test"), nullptr);
}

TEST_F(World, NamesTheVariableThatIsWrong) {
    EXPECT_EQ(read("WWEP_MAC", "02:00:00"), "WWEP_MAC: \"02:00:00\" is not like 02:00:00:00:00:01");
    unsetenv("WWEP_MAC");
    EXPECT_EQ(read("WWEP_ROUTES", "a=127.0.0.1,b"), "WWEP_ROUTES: \"b\" is not NAME=IPV4");
    unsetenv("WWEP_ROUTES");
    EXPECT_EQ(read("WWEP_WIRE_FD", "-3"), "WWEP_WIRE_FD: \"-3\" is not a descriptor");
    unsetenv("WWEP_WIRE_FD");
    EXPECT_EQ(read("WWEP_BOOT_DELAY_MS", "1s"), "WWEP_BOOT_DELAY_MS: \"1s\" is not 0 to 600000");
}

TEST_F(World, TakesPinsFromAGpioChip) {
    EXPECT_EQ(read("WWEP_GPIO_CHIP", "board-pins"), "");
    EXPECT_STREQ(world_.gpio_chip, "board-pins");
    EXPECT_EQ(world_.gpio_offsets[3], 3);
    EXPECT_EQ(world_.gpio_offsets[4], -1);

    EXPECT_EQ(read("WWEP_GPIO_PINS", "0:17,2:27"), "");
    EXPECT_EQ(world_.gpio_offsets[0], 17);
    EXPECT_EQ(world_.gpio_offsets[1], -1);
    EXPECT_EQ(world_.gpio_offsets[2], 27);

    EXPECT_EQ(read("WWEP_GPIO_PINS", "0:17,32:1"),
              "WWEP_GPIO_PINS: \"32:1\" is not PIN:OFFSET, 0 to 31:0 to 1023");
    EXPECT_EQ(read("WWEP_GPIO_PINS", "0:1x"),
              "WWEP_GPIO_PINS: \"0:1x\" is not PIN:OFFSET, 0 to 31:0 to 1023");
}

TEST_F(World, IsOnAWireOrOnAChip) {
    setenv("WWEP_GPIO_CHIP", "board-pins", 1);
    EXPECT_EQ(read("WWEP_WIRE_FD", "7"),
              "WWEP_GPIO_CHIP: \"board-pins\", but WWEP_WIRE_FD is set too");
}

TEST_F(World, RefusesOneRouteTooMany) {
    std::string text;
    for (int i = 0; i <= WORLD_ROUTES_MAX; ++i) {
        text += "n" + std::to_string(i) + "=127.0.0.1,";
    }
    EXPECT_EQ(read("WWEP_ROUTES", text.c_str()), "WWEP_ROUTES: more than 32 routes");
}

}  // namespace
