#include "harness/names/board_network.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <variant>

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
        sockaddr_in where{};
        socklen_t size = sizeof where;
        EXPECT_EQ(::getsockname(to.get(), reinterpret_cast<sockaddr*>(&where), &size), 0);
        EXPECT_EQ(::sendto(board_.get(), text.data(), text.size(), 0,
                           reinterpret_cast<const sockaddr*>(&where), size),
                  static_cast<ssize_t>(text.size()));
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
    void in_loop(const std::function<void()>& work) {
        std::promise<void> done;
        loop_.post([&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }

    rig::SystemClock clock_;
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
                                    .address = "198.51.100.3"}};
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
    lie(harness::NameLie{.late = 200ms});
    const auto asked_ns = clock_.monotonic_ns();
    EXPECT_THAT(ask(names_, question("wwep")), EndsWith("\xC6\x33\x64\x03"));
    EXPECT_GE(clock_.monotonic_ns() - asked_ns, 200 * rig::ns_per_ms);
    EXPECT_THAT(
        notes_.texts(),
        testing::ElementsAre("fault dns-wrong-address", "fault dns-no-such-name",
                             "fault dns-silent", "fault dns-late", "DNS: wwep is 198.51.100.3"));
}

TEST_F(BoardNetworkTest, the_time_server_tells_the_time_or_another) {
    const auto seconds = [](const std::string& answer) {
        std::int64_t value = 0;
        for (const char c : answer.substr(40, 4)) {
            value = value << 8 | static_cast<unsigned char>(c);
        }
        return value - 2'208'988'800;
    };
    const auto now_s = [this] { return clock_.wall_ns() / rig::ns_per_s; };
    EXPECT_NEAR(static_cast<double>(seconds(ask(time_, time_request_))),
                static_cast<double>(now_s()), 30);
    lie(harness::TimeLie{.ahead = -24h});
    EXPECT_NEAR(static_cast<double>(seconds(ask(time_, time_request_))),
                static_cast<double>(now_s() - 86'400), 30);
    lie(harness::TimeLie{.is_silent = true});
    EXPECT_THAT(ask(time_, time_request_, 100), IsEmpty());
    lie(harness::TimeLie{});
    EXPECT_NEAR(static_cast<double>(seconds(ask(time_, time_request_))),
                static_cast<double>(now_s()), 30);
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
