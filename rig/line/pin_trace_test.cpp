#include "rig/line/pin_trace.hpp"

#include <gtest/gtest.h>

namespace {

using rig::Level;
using rig::Pin;

constexpr std::string_view line =
    "4185@1795277265.095501:pl061_set_output /machine/unattached/device[13] setting output 2 to 1";

TEST(PinTraceTest, a_line_of_the_log_says_which_pin_changed_to_what_and_when) {
    bool is_damaged = false;
    const auto change = rig::parse_pin_change(line, is_damaged);
    ASSERT_TRUE(change);
    EXPECT_EQ(change->wall_ns, 1'795'277'265'095'501'000);
    EXPECT_EQ(change->chip, "/machine/unattached/device[13]");
    EXPECT_EQ(change->number, 2U);
    EXPECT_EQ(change->level, Level::high);
    EXPECT_FALSE(is_damaged);
}

TEST(PinTraceTest, a_line_about_something_else_is_no_change_and_no_damage) {
    bool is_damaged = false;
    for (const std::string_view other :
         {"", "qemu-system-arm: Timer with period zero, disabling",
          "1@2.000003:pl061_input_change /machine/unattached/device[13] input 1 changed to 0"}) {
        EXPECT_FALSE(rig::parse_pin_change(other, is_damaged)) << other;
    }
    EXPECT_FALSE(is_damaged);
}

TEST(PinTraceTest, a_line_about_a_pin_that_cannot_be_read_is_damage) {
    const std::string whole(line);
    for (const std::string& text :
         {whole.substr(10), whole.substr(0, whole.size() - 1), whole + "1", whole + " ",
          "4185@1795277265:" + whole.substr(whole.find("pl061")),
          whole.substr(0, whole.find("output 2")) + "output 8 to 1"}) {
        bool is_damaged = false;
        EXPECT_FALSE(rig::parse_pin_change(text, is_damaged)) << text;
        EXPECT_TRUE(is_damaged) << text;
    }
}

TEST(PinTraceTest, a_pin_is_a_port_and_a_number) {
    EXPECT_EQ(rig::pin_from("PF1"), (Pin{.port = 'F', .number = 1}));
    EXPECT_EQ(rig::pin_from("PA0"), (Pin{.port = 'A', .number = 0}));
    for (const std::string_view text : {"", "PF", "PF8", "PH0", "pf1", "PF11", "17"}) {
        EXPECT_FALSE(rig::pin_from(text)) << text;
    }
}

std::string chips(int count) {
    std::string text = R"([{"name":"sysbus","type":"child<System>"})";
    for (int i = count; i > 0; --i) {  // QEMU's order is not that of the numbers
        text += R"(,{"name":"device[)" + std::to_string(i + 7) +
                R"(]","type":"child<pl061_luminary>"})";
    }
    return text + "]";
}

TEST(PinTraceTest, the_chips_are_the_ports_in_the_order_of_their_numbers) {
    const auto ports = rig::ports_from_qom_list(chips(7));
    EXPECT_EQ(ports.size(), 7U);
    EXPECT_EQ(ports.at("/machine/unattached/device[8]"), 'A');
    EXPECT_EQ(ports.at("/machine/unattached/device[9]"), 'B');
    EXPECT_EQ(ports.at("/machine/unattached/device[14]"), 'G');
}

TEST(PinTraceTest, a_machine_with_other_chips_has_no_ports) {
    EXPECT_TRUE(rig::ports_from_qom_list(chips(6)).empty());
    EXPECT_TRUE(rig::ports_from_qom_list("{}").empty());
    EXPECT_TRUE(rig::ports_from_qom_list("no JSON").empty());
}

}  // namespace
