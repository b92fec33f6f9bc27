#include "rig/target/console_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using rig::ConsoleLines;
using rig::ConsoleText;
using rig::TargetEvent;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr rig::TimestampNs at_ns = 7;

TargetEvent whole(std::string text) {
    return ConsoleText{at_ns, std::move(text), true};
}
TargetEvent piece(std::string text) {
    return ConsoleText{at_ns, std::move(text), false};
}

std::vector<TargetEvent> taken(std::string_view bytes) {
    ConsoleLines lines;
    std::vector<TargetEvent> events;
    lines.take(bytes, at_ns, events);
    return events;
}

/// The same bytes, one at a time: how reads cut them must not matter.
std::vector<TargetEvent> taken_bytewise(std::string_view bytes) {
    ConsoleLines lines;
    std::vector<TargetEvent> events;
    for (const char byte : bytes) {
        lines.take({&byte, 1}, at_ns, events);
    }
    return events;
}

TEST(ConsoleLines, end_with_lf_cr_lf_or_lf_cr) {
    EXPECT_THAT(taken("one\ntwo\r\nthree\n\rfour\r\r\n"),
                ElementsAre(whole("one"), whole("two"), whole("three"), whole("four")));
}

TEST(ConsoleLines, may_be_empty) {
    EXPECT_THAT(taken("\n\r\n"), ElementsAre(whole(""), whole("")));
}

TEST(ConsoleLines, keep_tabs_backslashes_and_valid_utf8) {
    EXPECT_THAT(taken("a\tb \\ \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\xA6\n"),
                ElementsAre(whole("a\tb \\ \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\xA6")));
}

TEST(ConsoleLines, show_control_characters_as_hexadecimal) {
    EXPECT_THAT(taken(std::string_view("\x1B[1m\0\x7F\b\n", 8)),
                ElementsAre(whole("\\x1B[1m\\x00\\x7F\\x08")));
    EXPECT_THAT(taken("10%\r20%\n"), ElementsAre(whole("10%\\x0D20%")));
    EXPECT_THAT(taken("next line: \xC2\x85\n"), ElementsAre(whole("next line: \\xC2\\x85")));
}

TEST(ConsoleLines, show_bytes_that_are_not_utf8_as_hexadecimal) {
    EXPECT_THAT(taken("\xFF\x80\n"), ElementsAre(whole("\\xFF\\x80")));
    EXPECT_THAT(taken("overlong \xC0\xAF \xE0\x80\xAF\n"),
                ElementsAre(whole("overlong \\xC0\\xAF \\xE0\\x80\\xAF")));
    EXPECT_THAT(taken("surrogate \xED\xA0\x80\n"), ElementsAre(whole("surrogate \\xED\\xA0\\x80")));
    EXPECT_THAT(taken("too far \xF4\x90\x80\x80\n"),
                ElementsAre(whole("too far \\xF4\\x90\\x80\\x80")));
    EXPECT_THAT(taken("cut \xE2\x82\n"), ElementsAre(whole("cut \\xE2\\x82")));
    EXPECT_THAT(taken("cut \xE2\x82\xC3\xA9\n"), ElementsAre(whole("cut \\xE2\\x82\xC3\xA9")));
}

TEST(ConsoleLines, do_not_depend_on_how_reads_cut_the_bytes) {
    const std::string bytes =
        "a\r\nb\xE2\x82\xAC\xE2\x82!\r\r\r\n\n\r" + std::string(3000, 'c') + "\n";
    EXPECT_EQ(taken(bytes), taken_bytewise(bytes));
}

TEST(ConsoleLines, go_on_in_the_next_text_when_they_are_too_long) {
    const std::string full(ConsoleLines::line_bytes_max, 'x');
    EXPECT_THAT(taken(full + "\n"), ElementsAre(whole(full)));
    EXPECT_THAT(taken(full + "y\nz\n"), ElementsAre(piece(full), whole("y"), whole("z")));
}

TEST(ConsoleLines, are_never_cut_inside_a_character_or_an_escape) {
    const std::string almost_full(ConsoleLines::line_bytes_max - 1, 'x');
    EXPECT_THAT(taken(almost_full + "\xC3\xA9\n"),
                ElementsAre(piece(almost_full), whole("\xC3\xA9")));
    EXPECT_THAT(taken(almost_full + "\x01\n"), ElementsAre(piece(almost_full), whole("\\x01")));
}

TEST(ConsoleLines, stay_bounded_when_no_line_end_ever_comes) {
    const std::vector<TargetEvent> events = taken(std::string(100'000, '\x01'));
    ASSERT_EQ(events.size(), 100'000U * 4 / ConsoleLines::line_bytes_max);
    for (const TargetEvent& event : events) {
        EXPECT_LE(std::get<ConsoleText>(event).text.size(), ConsoleLines::line_bytes_max);
    }
}

TEST(ConsoleLines, give_up_an_unfinished_line_when_flushed_and_go_on_with_it) {
    ConsoleLines lines;
    std::vector<TargetEvent> events;
    lines.take("WICED> ", at_ns, events);
    EXPECT_THAT(events, IsEmpty());
    EXPECT_TRUE(lines.has_unfinished());

    lines.flush(at_ns, events);
    EXPECT_THAT(events, ElementsAre(piece("WICED> ")));
    EXPECT_FALSE(lines.has_unfinished());

    lines.take("help\r\n", at_ns, events);
    EXPECT_THAT(events, ElementsAre(piece("WICED> "), whole("help")));
}

TEST(ConsoleLines, show_half_a_character_when_flushed) {
    ConsoleLines lines;
    std::vector<TargetEvent> events;
    lines.take("\xE2\x82", at_ns, events);
    EXPECT_TRUE(lines.has_unfinished());
    lines.flush(at_ns, events);
    EXPECT_THAT(events, ElementsAre(piece("\\xE2\\x82")));
}

TEST(ConsoleLines, have_nothing_to_flush_after_a_whole_line) {
    ConsoleLines lines;
    std::vector<TargetEvent> events;
    lines.take("done\r\n", at_ns, events);
    EXPECT_FALSE(lines.has_unfinished());
    lines.flush(at_ns, events);
    EXPECT_THAT(events, ElementsAre(whole("done")));
}

TEST(ConsoleLines, forget_an_unfinished_line_when_cleared) {
    ConsoleLines lines;
    std::vector<TargetEvent> events;
    lines.take("old\xE2", at_ns, events);
    lines.clear();
    lines.take("new\n", at_ns, events);
    EXPECT_THAT(events, ElementsAre(whole("new")));
}

}  // namespace
