#include "harness/wwep/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using harness::Conversation;
using harness::ConversationMode;
using harness::Exchange;
using harness::FrameVerdict;
using harness::StampSource;
using rig::ns_per_ms;
using rig::ns_per_s;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr rig::TimestampNs opened_ns = 1000 * ns_per_s;

/// One connection with a register file of its own, and the replies it got.
struct Talk {
    explicit Talk(ConversationMode mode = ConversationMode::one_transaction,
                  harness::ConversationLimits limits = {})
        : conversation(registers, mode, limits, opened_ns) {}

    /// Bytes that arrive `after_ns` after the connection was opened.
    void send(std::string_view text, rig::TimestampNs after_ns = 0,
              StampSource stamp = StampSource::kernel) {
        conversation.bytes(text, opened_ns + after_ns, stamp);
    }

    std::vector<Exchange> take() { return conversation.take(); }

    std::string replies() {
        std::string all;
        for (const Exchange& exchange : take()) {
            all += exchange.reply;
        }
        return all;
    }

    bool is_finished() const { return conversation.state() == Conversation::State::finished; }

    harness::RegisterFile registers;
    Conversation conversation;
};

std::string answer(harness::RegisterFile& registers, std::string_view request) {
    Conversation conversation(registers, ConversationMode::one_transaction, {}, opened_ns);
    conversation.bytes(request, opened_ns, StampSource::read);
    conversation.peer_finished(opened_ns);
    const auto exchanges = conversation.take();
    return exchanges.size() == 1 ? exchanges.front().reply : "not one reply";
}

// --- The table of examples.

TEST(Examples, are_answered_as_the_protocol_says) {
    harness::RegisterFile registers;
    EXPECT_EQ(answer(registers, "W0FAC0B1234"), "A0FAC0B1234");
    EXPECT_EQ(answer(registers, "W01234"), "X");
    EXPECT_EQ(answer(registers, "R0FAC0B"), "A0FAC0B1234");
    EXPECT_EQ(answer(registers, "R0BAC0B"), "X");
}

TEST(Examples, hold_one_after_the_other_on_a_connection_that_is_kept_open) {
    Talk talk(ConversationMode::keep_open);
    talk.send("W0FAC0B1234R0FAC0BR0BAC0BW01234");
    EXPECT_EQ(talk.replies(), "A0FAC0B1234A0FAC0B1234X");
    talk.conversation.peer_finished(opened_ns);
    EXPECT_EQ(talk.replies(), "X");
}

TEST(Examples, of_an_unwritten_register_read_as_failed_though_its_device_has_others) {
    harness::RegisterFile registers;
    EXPECT_EQ(answer(registers, "W0FAC0B1234"), "A0FAC0B1234");
    EXPECT_EQ(answer(registers, "R0FAC0C"), "X");
}

// --- Ruling 1: case.

TEST(Ruling1, commands_are_upper_case_only) {
    for (const char* text : {"r0FAC0B", "w0FAC0B1234", "A0FAC0B1234", "X"}) {
        Talk talk;
        talk.send(text);
        const auto exchanges = talk.take();
        ASSERT_EQ(exchanges.size(), 1U) << text;
        EXPECT_EQ(exchanges[0].verdict, FrameVerdict::illegal) << text;
        EXPECT_EQ(exchanges[0].reply, "X") << text;
    }
}

TEST(Ruling1, a_write_echoes_its_digits_and_a_read_replies_in_upper_case) {
    Talk talk(ConversationMode::keep_open);
    talk.send("W0fAc0bBeEfR0Fac0B");
    EXPECT_EQ(talk.replies(), "A0fAc0bBeEfA0FAC0BBEEF");
}

// --- Ruling 2: line ends.

TEST(Ruling2, one_line_end_after_a_frame_is_swallowed) {
    for (const char* line_end : {"", "\r", "\n", "\r\n"}) {
        Talk talk(ConversationMode::keep_open);
        talk.send(std::string("W0FAC0B1234") + line_end + "R0FAC0B" + line_end);
        EXPECT_EQ(talk.replies(), "A0FAC0B1234A0FAC0B1234");
        EXPECT_FALSE(talk.is_finished());
    }
}

TEST(Ruling2, a_line_feed_may_come_in_a_later_read) {
    Talk talk(ConversationMode::keep_open);
    talk.send("W0FAC0B1234\r");
    talk.send("\n", 10 * ns_per_s);
    talk.send("R0FAC0B", 20 * ns_per_s);
    EXPECT_EQ(talk.replies(), "A0FAC0B1234A0FAC0B1234");
    EXPECT_FALSE(talk.is_finished());
}

TEST(Ruling2, a_second_line_end_is_an_illegal_byte) {
    for (const char* line_ends : {"\n\n", "\r\r", "\n\r", "\r\n\r", "\r\n\n"}) {
        Talk talk(ConversationMode::keep_open);
        talk.send(std::string("W0FAC0B1234") + line_ends);
        EXPECT_EQ(talk.replies(), "A0FAC0B1234X") << testing::PrintToString(line_ends);
        EXPECT_TRUE(talk.is_finished());
    }
}

TEST(Ruling2, a_line_end_before_the_first_frame_is_an_illegal_byte) {
    for (const char* line_end : {"\r", "\n", "\r\n"}) {
        Talk talk(ConversationMode::keep_open);
        talk.send(std::string(line_end) + "W0FAC0B1234");
        EXPECT_EQ(talk.replies(), "X");
        EXPECT_TRUE(talk.is_finished());
    }
}

TEST(Ruling2, a_line_end_starts_no_frame_timeout) {
    Talk talk(ConversationMode::keep_open);
    talk.send("W0FAC0B1234\r", ns_per_s);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + ns_per_s + 30 * ns_per_s);
    talk.conversation.time_passed(opened_ns + 2 * ns_per_s);
    EXPECT_FALSE(talk.is_finished());
    EXPECT_EQ(talk.take().size(), 1U);
}

TEST(Ruling2, the_line_end_belongs_to_no_frame_and_is_not_ignored_bytes) {
    Talk talk;
    talk.send("R0FAC0B\r");
    talk.send("\n");
    const auto exchanges = talk.take();
    ASSERT_EQ(exchanges.size(), 1U);
    EXPECT_EQ(exchanges[0].raw, "R0FAC0B");
    EXPECT_EQ(talk.conversation.ignored_bytes(), 0);
    talk.send("\n");
    EXPECT_EQ(talk.conversation.ignored_bytes(), 1);
}

// --- Ruling 3: one transaction, or a connection that is kept open.

TEST(Ruling3, the_first_frame_ends_the_conversation) {
    Talk talk;
    talk.send("W0FAC0B1234R0FAC0B");
    EXPECT_TRUE(talk.is_finished());
    EXPECT_EQ(talk.conversation.end_reason(), "answered");
    EXPECT_EQ(talk.take().size(), 1U);
    EXPECT_EQ(talk.conversation.ignored_bytes(), 7);
    EXPECT_EQ(talk.conversation.deadline_ns(), std::nullopt);
}

TEST(Ruling3, a_second_frame_is_not_applied) {
    Talk talk;
    talk.send("W0FAC0B1234");
    talk.send("W0FAC0B5678");
    EXPECT_EQ(talk.registers.read(0x0FAC, 0x0B), 0x1234);
    EXPECT_EQ(talk.replies(), "A0FAC0B1234");
    EXPECT_EQ(talk.conversation.ignored_bytes(), 11);
}

TEST(Ruling3, a_kept_open_connection_answers_in_order_until_the_peer_closes) {
    Talk talk(ConversationMode::keep_open);
    for (int turn = 0; turn < 1000; ++turn) {
        talk.send(harness::format_write(1, 2, static_cast<std::uint16_t>(turn)));
        ASSERT_EQ(talk.replies(), harness::format_accepted(1, 2, static_cast<std::uint16_t>(turn)));
    }
    EXPECT_FALSE(talk.is_finished());
    talk.conversation.peer_finished(opened_ns);
    EXPECT_TRUE(talk.is_finished());
    EXPECT_EQ(talk.conversation.end_reason(), "peer closed");
    EXPECT_THAT(talk.take(), IsEmpty());
}

TEST(Ruling3, a_kept_open_connection_that_idles_is_closed_without_a_reply) {
    Talk talk(ConversationMode::keep_open);
    talk.send("W0FAC0B1234", 5 * ns_per_s);
    EXPECT_EQ(talk.take().size(), 1U);
    talk.conversation.time_passed(opened_ns + 35 * ns_per_s - 1);
    EXPECT_FALSE(talk.is_finished());
    talk.conversation.time_passed(opened_ns + 35 * ns_per_s);
    EXPECT_TRUE(talk.is_finished());
    EXPECT_EQ(talk.conversation.end_reason(), "idle for 30 s");
    EXPECT_THAT(talk.take(), IsEmpty());
}

// --- Ruling 4: illegal frames.

TEST(Ruling4, an_illegal_byte_gets_one_failed_reply_and_ends_both_modes) {
    for (const auto mode : {ConversationMode::one_transaction, ConversationMode::keep_open}) {
        Talk talk(mode);
        talk.send("GET / HTTP/1.1\r\n");
        const auto exchanges = talk.take();
        ASSERT_EQ(exchanges.size(), 1U);
        EXPECT_EQ(exchanges[0].verdict, FrameVerdict::illegal);
        EXPECT_EQ(exchanges[0].raw, "G");
        EXPECT_EQ(exchanges[0].reason, "illegal byte 0x47 where a frame starts");
        EXPECT_EQ(exchanges[0].reply, "X");
        EXPECT_EQ(exchanges[0].device, std::nullopt);
        EXPECT_EQ(exchanges[0].reg, std::nullopt);
        EXPECT_EQ(exchanges[0].value, std::nullopt);
        EXPECT_TRUE(talk.is_finished());
        EXPECT_EQ(talk.conversation.end_reason(), exchanges[0].reason);
        EXPECT_EQ(talk.conversation.ignored_bytes(), 15);
    }
}

TEST(Ruling4, a_byte_that_is_no_digit_makes_the_frame_illegal_where_it_stands) {
    Talk talk(ConversationMode::keep_open);
    talk.send("W01234\nW0FAC0B1234");
    const auto exchanges = talk.take();
    ASSERT_EQ(exchanges.size(), 1U);
    EXPECT_EQ(exchanges[0].raw, "W01234\n");
    EXPECT_EQ(exchanges[0].reason, "illegal byte 0x0a among the digits of the register");
    EXPECT_EQ(talk.conversation.ignored_bytes(), 11);
    EXPECT_EQ(talk.registers.device_count(), 0U);
}

TEST(Ruling4, what_follows_an_illegal_frame_is_ignored_for_good) {
    Talk talk(ConversationMode::keep_open);
    talk.send("Q");
    talk.send("W0FAC0B1234");
    talk.send("\n");
    talk.conversation.peer_finished(opened_ns);
    talk.conversation.time_passed(opened_ns + 100 * ns_per_s);
    EXPECT_EQ(talk.replies(), "X");
    EXPECT_EQ(talk.conversation.ignored_bytes(), 12);
    EXPECT_EQ(talk.conversation.end_reason(), "illegal byte 0x51 where a frame starts");
}

TEST(Ruling4, no_illegal_frame_keeps_more_than_64_bytes) {
    Talk talk;
    talk.send("W" + std::string(5000, 'g'));
    EXPECT_LE(talk.take().at(0).raw.size(), 64U);
    EXPECT_EQ(talk.conversation.ignored_bytes(), 4999);
}

// --- Ruling 5: unfinished frames and silence.

TEST(Ruling5, a_frame_still_incomplete_after_the_frame_timeout_is_truncated) {
    Talk talk;
    talk.send("W01234", 7 * ns_per_ms, StampSource::read);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 207 * ns_per_ms);
    talk.conversation.time_passed(opened_ns + 207 * ns_per_ms - 1);
    EXPECT_FALSE(talk.is_finished());
    talk.conversation.time_passed(opened_ns + 207 * ns_per_ms);
    EXPECT_TRUE(talk.is_finished());
    const auto exchanges = talk.take();
    ASSERT_EQ(exchanges.size(), 1U);
    EXPECT_EQ(exchanges[0].verdict, FrameVerdict::truncated);
    EXPECT_EQ(exchanges[0].raw, "W01234");
    EXPECT_EQ(exchanges[0].reason, "frame incomplete after 200 ms");
    EXPECT_EQ(exchanges[0].reply, "X");
    EXPECT_EQ(exchanges[0].device, std::nullopt);
    EXPECT_EQ(exchanges[0].received_ns, opened_ns + 7 * ns_per_ms);
    EXPECT_EQ(exchanges[0].stamp, StampSource::read);
    EXPECT_EQ(talk.conversation.end_reason(), "frame incomplete after 200 ms");
}

TEST(Ruling5, the_frame_timeout_runs_from_the_first_byte) {
    Talk talk;
    talk.send("W0", 0);
    talk.send("FAC", 150 * ns_per_ms);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 200 * ns_per_ms);
    talk.send("0B1234", 199 * ns_per_ms);
    const auto exchanges = talk.take();
    ASSERT_EQ(exchanges.size(), 1U);
    EXPECT_EQ(exchanges[0].reply, "A0FAC0B1234");
    EXPECT_EQ(exchanges[0].received_ns, opened_ns + 199 * ns_per_ms);
}

TEST(Ruling5, each_frame_has_its_own_timeout) {
    Talk talk(ConversationMode::keep_open);
    talk.send("W0FAC0B1234W0", 100 * ns_per_ms);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 300 * ns_per_ms);
    talk.send("FAC0B5678R0", 250 * ns_per_ms);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 450 * ns_per_ms);
    EXPECT_EQ(talk.replies(), "A0FAC0B1234A0FAC0B5678");
}

TEST(Ruling5, bytes_that_the_kernel_stamped_too_late_do_not_complete_a_frame) {
    Talk talk;
    talk.send("W0FAC", 0, StampSource::kernel);
    talk.send("0B1234", 200 * ns_per_ms, StampSource::kernel);
    const auto exchanges = talk.take();
    ASSERT_EQ(exchanges.size(), 1U);
    EXPECT_EQ(exchanges[0].verdict, FrameVerdict::truncated);
    EXPECT_EQ(exchanges[0].raw, "W0FAC");
    EXPECT_EQ(talk.conversation.ignored_bytes(), 6);
    EXPECT_EQ(talk.registers.device_count(), 0U);
}

TEST(Ruling5, a_read_that_was_late_itself_is_no_proof_of_late_bytes) {
    Talk talk;
    talk.send("W0FAC", 0, StampSource::read);
    talk.send("0B1234", 300 * ns_per_ms, StampSource::read);
    EXPECT_EQ(talk.replies(), "A0FAC0B1234");
}

TEST(Ruling5, an_unfinished_frame_is_truncated_when_the_peer_finishes) {
    Talk talk;
    talk.send("W01234", ns_per_ms);
    talk.conversation.peer_finished(opened_ns + 2 * ns_per_ms);
    const auto exchanges = talk.take();
    ASSERT_EQ(exchanges.size(), 1U);
    EXPECT_EQ(exchanges[0].verdict, FrameVerdict::truncated);
    EXPECT_EQ(exchanges[0].reply, "X");
    EXPECT_EQ(exchanges[0].reason, "frame incomplete when the peer finished");
    EXPECT_TRUE(talk.is_finished());
}

TEST(Ruling5, a_connection_that_sends_nothing_gets_no_reply) {
    for (const auto mode : {ConversationMode::one_transaction, ConversationMode::keep_open}) {
        Talk silent(mode);
        EXPECT_EQ(silent.conversation.deadline_ns(), opened_ns + 30 * ns_per_s);
        silent.conversation.time_passed(opened_ns + 30 * ns_per_s);
        EXPECT_TRUE(silent.is_finished());
        EXPECT_EQ(silent.conversation.end_reason(), "idle for 30 s");
        EXPECT_THAT(silent.take(), IsEmpty());

        Talk closed(mode);
        closed.conversation.peer_finished(opened_ns);
        EXPECT_EQ(closed.conversation.end_reason(), "peer closed");
        EXPECT_THAT(closed.take(), IsEmpty());
    }
}

TEST(Ruling5, timeouts_can_be_set) {
    Talk talk(ConversationMode::keep_open, {50ms, 1500ms});
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 1500 * ns_per_ms);
    talk.send("R");
    talk.conversation.time_passed(opened_ns + 50 * ns_per_ms);
    EXPECT_EQ(talk.conversation.end_reason(), "frame incomplete after 50 ms");

    Talk idle(ConversationMode::keep_open, {50ms, 1500ms});
    idle.conversation.time_passed(opened_ns + 1500 * ns_per_ms);
    EXPECT_EQ(idle.conversation.end_reason(), "idle for 1500 ms");
}

TEST(Ruling5, a_timeout_that_never_comes_does_not_run_over) {
    Talk talk(ConversationMode::keep_open,
              {std::chrono::nanoseconds::max(), std::chrono::nanoseconds::max()});
    EXPECT_EQ(talk.conversation.deadline_ns(), std::numeric_limits<rig::TimestampNs>::max());
    talk.send("R");
    EXPECT_EQ(talk.conversation.deadline_ns(), std::numeric_limits<rig::TimestampNs>::max());
}

// --- What an exchange says.

TEST(Exchange, of_a_write_has_everything_that_a_row_needs) {
    Talk talk;
    talk.send("W0fac05", 1);
    talk.send("0001", 3, StampSource::kernel_stale);
    Exchange expected;
    expected.verdict = FrameVerdict::write;
    expected.device = 0x0FAC;
    expected.reg = 5;
    expected.value = 1;
    expected.raw = "W0fac050001";
    expected.received_ns = opened_ns + 3;
    expected.stamp = StampSource::kernel_stale;
    expected.reply = "A0fac050001";
    EXPECT_THAT(talk.take(), ElementsAre(expected));
    EXPECT_THAT(talk.take(), IsEmpty());
}

TEST(Exchange, of_a_read_has_the_value_that_was_answered_or_none) {
    Talk talk(ConversationMode::keep_open);
    talk.send("R0FAC05W0FAC0500FFR0FAC05");
    const auto exchanges = talk.take();
    ASSERT_EQ(exchanges.size(), 3U);
    EXPECT_EQ(exchanges[0].verdict, FrameVerdict::read);
    EXPECT_EQ(exchanges[0].value, std::nullopt);
    EXPECT_EQ(exchanges[0].device, 0x0FAC);
    EXPECT_EQ(exchanges[2].value, 0x00FF);
}

TEST(Conversation, deadlines_run_anew_when_its_owner_reads_again) {
    Talk talk;
    talk.send("W0");
    talk.conversation.heard_again(opened_ns + 5 * ns_per_s);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 5 * ns_per_s + 200 * ns_per_ms);
    talk.send("FAC0B1234", 5 * ns_per_s + 100 * ns_per_ms);
    EXPECT_EQ(talk.replies(), "A0FAC0B1234");
}

TEST(Conversation, a_frame_that_began_unread_has_its_time_from_when_it_could_be_read) {
    Talk talk(ConversationMode::keep_open);
    talk.conversation.heard_again(opened_ns + 5 * ns_per_s);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 35 * ns_per_s);
    talk.send("W0", 1 * ns_per_s);
    talk.send("FAC0B1234", 5 * ns_per_s + 199 * ns_per_ms);
    EXPECT_EQ(talk.replies(), "A0FAC0B1234");
    talk.send("W0", 6 * ns_per_s);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 6 * ns_per_s + 200 * ns_per_ms);
}

TEST(Conversation, a_frame_that_begins_with_what_has_waited_has_its_time_from_then) {
    Talk talk(ConversationMode::keep_open);
    talk.conversation.next_has_waited(opened_ns + 5 * ns_per_s);
    talk.send("R0FAC0BW0", 1 * ns_per_s);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 5 * ns_per_s + 200 * ns_per_ms);
    talk.send("FAC0B1234", 5 * ns_per_s + 199 * ns_per_ms);
    EXPECT_EQ(talk.replies(), "XA0FAC0B1234");
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 35 * ns_per_s + 199 * ns_per_ms);
}

TEST(Conversation, a_frame_that_had_begun_gains_no_time_from_what_has_waited) {
    Talk talk;
    talk.send("W0", 1 * ns_per_s);
    talk.conversation.next_has_waited(opened_ns + 5 * ns_per_s);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 1 * ns_per_s + 200 * ns_per_ms);
    talk.send("FAC", 1 * ns_per_s + 100 * ns_per_ms);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 1 * ns_per_s + 200 * ns_per_ms);
}

TEST(Conversation, idles_from_when_what_has_waited_was_read) {
    Talk talk(ConversationMode::keep_open);
    talk.conversation.next_has_waited(opened_ns + 5 * ns_per_s);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 30 * ns_per_s);
    talk.send("R0FAC0B", 1 * ns_per_s);
    EXPECT_EQ(talk.conversation.deadline_ns(), opened_ns + 35 * ns_per_s);
}

TEST(Conversation, is_not_changed_by_a_read_of_nothing) {
    Talk talk;
    talk.send("");
    talk.send("R0FAC");
    talk.send("", 100 * ns_per_s);
    EXPECT_FALSE(talk.is_finished());
    EXPECT_THAT(talk.take(), IsEmpty());
}

}  // namespace
