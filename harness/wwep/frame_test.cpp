#include "harness/wwep/frame.hpp"

#include <gtest/gtest.h>

namespace {

using harness::Command;
using harness::Frame;
using harness::ParseOutcome;

TEST(Frame, of_a_write_has_device_register_and_value) {
    const auto parse = harness::parse_frame("W0FAC0B1234");
    ASSERT_EQ(parse.outcome, ParseOutcome::complete);
    EXPECT_EQ(parse.size, 11U);
    EXPECT_EQ(parse.frame, (Frame{Command::write, 0x0FAC, 0x0B, 0x1234}));
}

TEST(Frame, of_a_read_ends_after_the_register) {
    const auto parse = harness::parse_frame("R0FAC0B1234");
    ASSERT_EQ(parse.outcome, ParseOutcome::complete);
    EXPECT_EQ(parse.size, 7U);
    EXPECT_EQ(parse.frame, (Frame{Command::read, 0x0FAC, 0x0B, 0}));
}

TEST(Frame, takes_hex_digits_in_both_cases) {
    EXPECT_EQ(harness::parse_frame("WabCDeFf00f").frame,
              (Frame{Command::write, 0xABCD, 0xEF, 0xF00F}));
}

TEST(Frame, does_not_start_with_a_lower_case_command) {
    for (const char* text : {"r0FAC0B", "w0FAC0B1234"}) {
        EXPECT_EQ(harness::parse_frame(text).outcome, ParseOutcome::illegal) << text;
    }
}

TEST(Frame, is_incomplete_at_every_length_below_its_own) {
    const std::string_view write = "W0FAC0B1234";
    for (std::size_t size = 0; size < write.size(); ++size) {
        const auto parse = harness::parse_frame(write.substr(0, size));
        EXPECT_EQ(parse.outcome, ParseOutcome::incomplete) << size;
        EXPECT_EQ(parse.size, size);
    }
}

TEST(Frame, is_illegal_at_the_first_byte_that_starts_none) {
    for (int byte = 0; byte < 256; ++byte) {
        if (byte == 'R' || byte == 'W') {
            continue;
        }
        const std::string text(1, static_cast<char>(byte));
        const auto parse = harness::parse_frame(text + "0FAC0B1234");
        EXPECT_EQ(parse.outcome, ParseOutcome::illegal) << byte;
        EXPECT_EQ(parse.size, 1U) << byte;
    }
    EXPECT_EQ(harness::parse_frame("Q").reason, "illegal byte 0x51 where a frame starts");
}

TEST(Frame, is_illegal_at_any_byte_that_is_no_hex_digit) {
    const std::string good = "W0FAC0B1234";
    for (std::size_t at = 1; at < good.size(); ++at) {
        for (const char byte : {'G', 'g', '/', ':', '@', '`', ' ', '\r', '\n', '\0', '\xC3', 'x'}) {
            std::string text = good;
            text[at] = byte;
            const auto parse = harness::parse_frame(text);
            EXPECT_EQ(parse.outcome, ParseOutcome::illegal) << text;
            EXPECT_EQ(parse.size, at + 1) << text;
        }
    }
    EXPECT_EQ(harness::parse_frame("W0FAg").reason,
              "illegal byte 0x67 among the digits of the device");
    EXPECT_EQ(harness::parse_frame("R0FAC\n").reason,
              "illegal byte 0x0a among the digits of the register");
    EXPECT_EQ(harness::parse_frame("W0FAC0B123\n").reason,
              "illegal byte 0x0a among the digits of the value");
}

TEST(Frame, is_formatted_in_upper_case_with_all_its_digits) {
    EXPECT_EQ(harness::format_read(0x0FAC, 0x0B), "R0FAC0B");
    EXPECT_EQ(harness::format_write(0xABCD, 5, 1), "WABCD050001");
    EXPECT_EQ(harness::format_read(0, 0), "R000000");
    EXPECT_EQ(harness::format_write(0xFFFF, 0xFF, 0xFFFF), "WFFFFFFFFFF");
}

TEST(Frame, survives_being_formatted_and_parsed_for_every_device_register_and_value) {
    for (std::uint32_t number = 0; number < 65'536; ++number) {
        const auto value = static_cast<std::uint16_t>(number);
        const auto device = static_cast<std::uint16_t>(number * 40'503U);
        const auto reg = static_cast<std::uint8_t>(number % 256);
        ASSERT_EQ(harness::parse_frame(harness::format_write(device, reg, value)).frame,
                  (Frame{Command::write, device, reg, value}));
        ASSERT_EQ(harness::parse_frame(harness::format_read(device, reg)).frame,
                  (Frame{Command::read, device, reg, 0}));
    }
}

TEST(Reply, to_a_write_echoes_its_digits_as_they_came) {
    EXPECT_EQ(harness::echo_accepted("W0faC0b12Ef"), "A0faC0b12Ef");
}

TEST(Reply, to_a_read_is_upper_case) {
    EXPECT_EQ(harness::format_accepted(0x0FAC, 0x0B, 0xBEEF), "A0FAC0BBEEF");
}

TEST(Reply, that_accepts_has_device_register_and_value) {
    const auto parse = harness::parse_reply("A0fac0B1234");
    ASSERT_EQ(parse.outcome, ParseOutcome::complete);
    EXPECT_EQ(parse.size, 11U);
    EXPECT_EQ(parse.reply, (harness::Reply{true, 0x0FAC, 0x0B, 0x1234}));
}

TEST(Reply, that_fails_is_one_byte_and_leaves_the_text_after_it) {
    const std::string_view text = "X Not Found";
    const auto parse = harness::parse_reply(text);
    ASSERT_EQ(parse.outcome, ParseOutcome::complete);
    EXPECT_FALSE(parse.reply.accepted);
    EXPECT_EQ(text.substr(parse.size), " Not Found");
}

TEST(Reply, is_incomplete_until_its_last_digit) {
    const std::string_view text = "A0FAC0B1234";
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_EQ(harness::parse_reply(text.substr(0, size)).outcome, ParseOutcome::incomplete);
    }
}

TEST(Reply, is_illegal_when_it_starts_otherwise_or_has_a_byte_that_is_no_digit) {
    for (const char* text : {"a0FAC0B1234", "x", "HTTP/1.1 400", "A0FAC0B123Z", "A 0FAC0B1234"}) {
        const auto parse = harness::parse_reply(text);
        EXPECT_EQ(parse.outcome, ParseOutcome::illegal) << text;
        EXPECT_FALSE(parse.reason.empty()) << text;
    }
}

TEST(Reply, accepts_a_frame_of_the_same_numbers_whatever_their_case) {
    const Frame write = harness::parse_frame("W0FAC0Bbeef").frame;
    const Frame read = harness::parse_frame("R0fac0b").frame;
    const auto reply = harness::parse_reply("A0FAC0BBEEF").reply;
    EXPECT_TRUE(harness::accepts(reply, write));
    EXPECT_TRUE(harness::accepts(reply, read));
    EXPECT_FALSE(harness::accepts(harness::parse_reply("X").reply, read));
    EXPECT_FALSE(harness::accepts(harness::parse_reply("A0FAC0BBEEE").reply, write));
    EXPECT_FALSE(harness::accepts(harness::parse_reply("A0FAC0CBEEF").reply, read));
    EXPECT_FALSE(harness::accepts(harness::parse_reply("A1FAC0BBEEF").reply, read));
}

TEST(Hex, is_one_to_eight_digits_and_nothing_else) {
    EXPECT_EQ(harness::parse_hex("0fAc"), 0x0FACU);
    EXPECT_EQ(harness::parse_hex("FFFFFFFF"), 0xFFFF'FFFFU);
    for (const char* text : {"", "0x1", "123456789", "-1", "1 ", "G"}) {
        EXPECT_EQ(harness::parse_hex(text), std::nullopt) << text;
    }
}

}  // namespace
