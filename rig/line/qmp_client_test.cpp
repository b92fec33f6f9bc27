#include "rig/line/qmp_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <string>

namespace {

using namespace std::chrono_literals;
using rig::QmpMessage;
using testing::HasSubstr;

const rig::SystemClock system_clock;

rig::Deadline soon() {
    return rig::Deadline::after(system_clock, 20s);
}

TEST(QmpTest, an_event_says_its_name_and_when_it_happened) {
    const auto event = rig::parse_qmp(
        R"({"timestamp": {"seconds": 1795277264, "microseconds": 790903}, "event": "RESUME"})");
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, QmpMessage::Kind::event);
    EXPECT_EQ(event->text, "RESUME");
    EXPECT_EQ(event->wall_ns, 1'795'277'264'790'903'000);
}

TEST(QmpTest, an_event_without_a_time_has_none) {
    const auto event = rig::parse_qmp(R"({"event": "STOP", "timestamp": {"seconds": "x"}})");
    ASSERT_TRUE(event);
    EXPECT_EQ(event->wall_ns, 0);
}

TEST(QmpTest, answers_and_errors_belong_to_a_command) {
    const auto answer = rig::parse_qmp(R"({"return": {"running": true}, "id": 7})");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->kind, QmpMessage::Kind::answer);
    EXPECT_EQ(answer->text, R"({"running":true})");
    EXPECT_EQ(answer->id, 7U);
    const auto error =
        rig::parse_qmp(R"({"error": {"class": "GenericError", "desc": "VM not running"}})");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind, QmpMessage::Kind::error);
    EXPECT_EQ(error->text, "VM not running");
}

TEST(QmpTest, anything_else_is_no_message) {
    for (const std::string_view text : {"", "[]", "7", "{}", R"({"event": 7})", R"({"return": )"}) {
        EXPECT_FALSE(rig::parse_qmp(text)) << text;
    }
}

class QmpClientTest : public ::testing::Test {
  protected:
    QmpClientTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        qemu_.reset(ends[0]);
        client_.emplace(rig::UniqueFd(ends[1]));
        says(R"({"QMP": {"version": {}}})");
        says(R"({"return": {}})");  // to the unlocking
    }

    void says(const std::string& text) {
        const std::string bytes = text + "\r\n";
        ASSERT_EQ(::send(qemu_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    std::string hears() {
        std::string text(4096, '\0');
        const auto got = ::recv(qemu_.get(), text.data(), text.size(), MSG_DONTWAIT);
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }

    rig::UniqueFd qemu_;
    std::optional<rig::QmpClient> client_;
};

TEST_F(QmpClientTest, it_unlocks_the_commands_and_numbers_its_own) {
    EXPECT_EQ(client_->send(R"({"execute":"cont"})"), 1U);
    EXPECT_EQ(client_->send(R"({"execute":"stop"})"), 2U);
    EXPECT_EQ(hears(), R"({"execute":"qmp_capabilities"}{"id":1,"execute":"cont"})"
                       R"({"id":2,"execute":"stop"})");
    EXPECT_FALSE(client_->next());
    EXPECT_FALSE(client_->is_over());
}

TEST_F(QmpClientTest, a_call_takes_its_own_answer_past_events_and_answers_of_others) {
    static_cast<void>(client_->send(R"({"execute":"cont"})"));
    says(R"({"return": {"of": 1}, "id": 1})");
    says(R"({"event": "RESUME"})");
    says(R"({"return": {"of": 2}, "id": 2})");
    EXPECT_EQ(client_->call(R"({"execute":"x"})", system_clock, soon()), R"({"of":2})");
}

TEST_F(QmpClientTest, a_refusal_names_the_command_and_the_reason) {
    says(R"({"error": {"desc": "VM not running"}, "id": 1})");
    try {
        static_cast<void>(client_->call(R"({"execute":"x"})", system_clock, soon()));
        FAIL();
    } catch (const rig::QmpRefusal& error) {
        EXPECT_THAT(error.what(), HasSubstr("\"execute\":\"x\""));
        EXPECT_THAT(error.what(), HasSubstr("VM not running"));
    }
}

TEST_F(QmpClientTest, silence_is_an_error_of_the_rig) {
    const auto at_once = rig::Deadline::after(system_clock, 0s);
    EXPECT_THROW(static_cast<void>(client_->call("{}", system_clock, at_once)), rig::RigError);
}

TEST_F(QmpClientTest, an_event_is_waited_for_by_its_name) {
    says(R"({"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}})");
    says(R"({"event": "RESET", "timestamp": {"seconds": 2, "microseconds": 0}})");
    EXPECT_EQ(client_->wait_for_event("RESET", system_clock, soon()), 2 * rig::ns_per_s);
}

TEST_F(QmpClientTest, a_message_cut_in_two_is_put_together) {
    const std::string half = R"({"event": "ST)";
    ASSERT_EQ(::send(qemu_.get(), half.data(), half.size(), 0), static_cast<ssize_t>(half.size()));
    EXPECT_FALSE(client_->next());
    says(R"(OP"})");
    const auto event = client_->next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->text, "STOP");
}

TEST_F(QmpClientTest, qemus_end_is_seen_after_its_last_words) {
    says(R"({"event": "SHUTDOWN"})");
    qemu_.reset();
    ASSERT_TRUE(client_->next());
    EXPECT_FALSE(client_->next());
    EXPECT_TRUE(client_->is_over());
    EXPECT_FALSE(client_->call(R"({"execute":"x"})", system_clock, soon()));
    EXPECT_EQ(client_->send(R"({"execute":"x"})"), 0U);
}

TEST_F(QmpClientTest, what_is_no_qmp_ends_it) {
    says("HTTP/1.1 400 Bad Request");
    EXPECT_FALSE(client_->next());
    EXPECT_TRUE(client_->is_over());
}

}  // namespace
