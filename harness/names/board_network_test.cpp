#include "harness/names/board_network.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::Contains;
using testing::EndsWith;
using testing::IsEmpty;
using testing::StartsWith;

class Notes final : public harness::EventSink {
  public:
    void take(harness::Event event) override {
        const std::lock_guard lock(mutex_);
        if (const auto* const note = std::get_if<harness::RigNote>(&event)) {
            texts_.push_back(note->what);
        } else if (const auto* const fault = std::get_if<harness::FaultFired>(&event)) {
            texts_.push_back("fault " + fault->name);
        }
    }
    [[nodiscard]] bool has_room() const override { return true; }
    [[nodiscard]] std::vector<std::string> texts() const {
        const std::lock_guard lock(mutex_);
        return texts_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> texts_;
};

rig::UniqueFd udp_socket() {
    rig::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    return fd;
}

std::string question(std::string_view label) {
    return "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"s + static_cast<char>(label.size()) +
           std::string(label) + "\x00\x00\x01\x00\x01"s;
}

/// What a time server's answer says, in seconds since 1970.
std::int64_t seconds(const std::string& answer) {
    std::int64_t value = 0;
    for (const char c : answer.substr(40, 4)) {
        value = value << 8 | static_cast<unsigned char>(c);
    }
    return value - 2'208'988'800;
}

class BoardNetworkTest : public ::testing::Test {
  protected:
    void SetUp() override {
        thread_ = std::thread([this] { loop_.run(); });
    }
    void TearDown() override {
        loop_.stop();
        thread_.join();
    }
    /// What the socket `to` answers; empty: nothing within the time.
    std::string ask(const rig::UniqueFd& to, const std::string& text, int within_ms = 20'000) {
        say(to, text);
        return hear(within_ms);
    }
    void say(const rig::UniqueFd& to, const std::string& text) {
        sockaddr_in where{};
        socklen_t size = sizeof where;
        EXPECT_EQ(::getsockname(to.get(), reinterpret_cast<sockaddr*>(&where), &size), 0);
        EXPECT_EQ(::sendto(board_.get(), text.data(), text.size(), 0,
                           reinterpret_cast<const sockaddr*>(&where), size),
                  static_cast<ssize_t>(text.size()));
    }
    std::string hear(int within_ms = 20'000) {
        pollfd waited{.fd = board_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&waited, 1, within_ms) != 1) {
            return {};
        }
        std::string answer(1500, '\0');
        const auto got = ::recv(board_.get(), answer.data(), answer.size(), 0);
        answer.resize(static_cast<std::size_t>(got));
        return answer;
    }
    void lie(const harness::NameLie& lie) {
        in_loop([this, lie] { network_.set_name_lie(lie); });
    }
    void lie(const harness::TimeLie& lie) {
        in_loop([this, lie] { network_.set_time_lie(lie); });
    }
    /// Once so many lies and answers are on the timeline.
    std::vector<std::string> noted(std::size_t count) {
        const rig::SystemClock system;
        const auto give_up = rig::Deadline::after(system, 20s);
        while (notes_.texts().size() < count && !give_up.has_passed(system)) {
            std::this_thread::yield();
        }
        return notes_.texts();
    }
    void let_pass(std::chrono::nanoseconds time) {
        in_loop([&] { clock_.advance_ns(time.count()); });
        in_loop([] {});  // before it come the timers that are due now
    }
    void in_loop(const std::function<void()>& work) {
        std::promise<void> done;
        loop_.post([&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }

    // It stands still until a test moves it; the kernel's timers are not to fire all the time.
    rig::ManualClock clock_{rig::SystemClock().monotonic_ns()};
    harness::Loop loop_{clock_};
    Notes notes_;
    rig::UniqueFd names_ = udp_socket();
    rig::UniqueFd time_ = udp_socket();
    rig::UniqueFd board_ = udp_socket();
    harness::BoardNetwork network_{loop_,
                                   notes_,
                                   {.name_socket = names_.get(),
                                    .time_socket = time_.get(),
                                    .names = {"Wwep"},
                                    .address = "198.51.100.3",
                                    .late_answers_max = 2}};
    std::thread thread_;
    const std::string time_request_ = std::string(1, '\x23') + std::string(47, '\0');
};

TEST_F(BoardNetworkTest, names_of_the_server_lead_to_it_and_others_nowhere) {
    EXPECT_THAT(ask(names_, question("wwep")), EndsWith("\xC6\x33\x64\x03"));
    EXPECT_EQ(ask(names_, question("else"))[3] & 0xF, 3);
    EXPECT_THAT(notes_.texts(), Contains("DNS: wwep is 198.51.100.3"));
    EXPECT_THAT(notes_.texts(), Contains("DNS: else is nobody here"));
}

TEST_F(BoardNetworkTest, the_name_server_lies_as_it_is_told_and_says_so_on_the_timeline) {
    lie(harness::NameLie{.kind = harness::NameLie::Kind::wrong_address, .address = {192, 0, 2, 1}});
    EXPECT_THAT(ask(names_, question("wwep")), EndsWith("\xC0\x00\x02\x01"s));
    lie(harness::NameLie{.kind = harness::NameLie::Kind::no_such_name});
    EXPECT_EQ(ask(names_, question("wwep"))[3] & 0xF, 3);
    lie(harness::NameLie{.kind = harness::NameLie::Kind::silence});
    EXPECT_THAT(ask(names_, question("wwep"), 100), IsEmpty());
    EXPECT_THAT(noted(3), testing::ElementsAre("fault dns-wrong-address", "fault dns-no-such-name",
                                               "fault dns-silent"));
}

TEST_F(BoardNetworkTest, answers_come_as_late_as_they_are_told_to_and_not_before) {
    lie(harness::NameLie{.late = 1h});
    say(names_, question("wwep"));
    EXPECT_THAT(noted(2), testing::ElementsAre("fault dns-late", "DNS: wwep is 198.51.100.3"));
    let_pass(1h - 1ns);
    EXPECT_THAT(hear(50), IsEmpty());
    let_pass(1ns);
    EXPECT_THAT(hear(), EndsWith("\xC6\x33\x64\x03"));

    lie(harness::TimeLie{.ahead = 24h, .late = 1h});
    const auto asked_s = clock_.wall_ns() / rig::ns_per_s;
    say(time_, time_request_);
    EXPECT_THAT(noted(4), testing::Contains("fault time-late"));
    EXPECT_THAT(notes_.texts(), testing::Contains("fault time-wrong"));
    let_pass(1h - 1ns);
    EXPECT_THAT(hear(50), IsEmpty());
    let_pass(1ns);
    EXPECT_EQ(seconds(hear()), asked_s + 86'400);
}

TEST_F(BoardNetworkTest, no_more_answers_wait_than_may) {
    lie(harness::NameLie{.late = 1h});
    for (const char* name : {"one", "two", "three"}) {
        say(names_, question(name));
    }
    EXPECT_THAT(noted(6), Contains("DNS: three is nobody here"));
    let_pass(1h);
    EXPECT_THAT(hear(), testing::HasSubstr("one"));
    EXPECT_THAT(hear(), testing::HasSubstr("two"));
    EXPECT_THAT(hear(50), IsEmpty());
    lie(harness::NameLie{});
    EXPECT_THAT(ask(names_, question("four")), testing::HasSubstr("four")) << "there is room again";
}

TEST_F(BoardNetworkTest, answers_that_wait_when_it_goes_are_never_given) {
    const rig::UniqueFd names = udp_socket();
    const rig::UniqueFd time = udp_socket();
    std::unique_ptr<harness::BoardNetwork> short_lived;
    in_loop([&] {
        short_lived = std::make_unique<harness::BoardNetwork>(
            loop_, notes_,
            harness::BoardNetworkOptions{.name_socket = names.get(),
                                         .time_socket = time.get(),
                                         .names = {},
                                         .address = "198.51.100.3"});
        short_lived->set_name_lie({.late = 1h});
    });
    say(names, question("wwep"));
    noted(2);
    in_loop([&] { short_lived.reset(); });
    let_pass(1h);
    EXPECT_THAT(hear(50), IsEmpty());
}

TEST_F(BoardNetworkTest, the_time_server_tells_the_time_or_another) {
    const auto now_s = clock_.wall_ns() / rig::ns_per_s;
    EXPECT_EQ(seconds(ask(time_, time_request_)), now_s);
    lie(harness::TimeLie{.ahead = -24h});
    EXPECT_EQ(seconds(ask(time_, time_request_)), now_s - 86'400);
    lie(harness::TimeLie{.is_silent = true});
    EXPECT_THAT(ask(time_, time_request_, 100), IsEmpty());
    lie(harness::TimeLie{});
    EXPECT_EQ(seconds(ask(time_, time_request_)), now_s);
    EXPECT_THAT(notes_.texts(),
                testing::ElementsAre("SNTP: the board was told the time", "fault time-wrong",
                                     "fault time-silent", "SNTP: the board was told the time"));
}

TEST_F(BoardNetworkTest, nonsense_gets_no_answer_and_the_next_question_does) {
    EXPECT_THAT(ask(names_, "nonsense", 50), IsEmpty());
    EXPECT_THAT(ask(time_, "nonsense", 50), IsEmpty());
    EXPECT_THAT(ask(names_, question("wwep")), StartsWith("\x12\x34"));
    EXPECT_THROW(harness::BoardNetwork(loop_, notes_, {.address = "nowhere"}), rig::NoBench);
}

}  // namespace
