// The dual client as a process on its board: a wire to press its buttons, servers on an address of
// their own, and its console.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "testing/tls_peer.hpp"

namespace {

using testing_peer::Identity;
using testing_peer::Listener;
using testing_peer::make_identity;
using testing_peer::Peer;
using testing_peer::TlsPeer;

constexpr std::uint16_t kPort = 27708;
constexpr std::uint16_t kTlsPort = 40508;

using Record = std::array<std::uint8_t, 24>;

class DualClient : public testing::Test {
  protected:
    void SetUp() override {
        // The client's ports are fixed, so each test looks for a loopback address of its own.
        for (std::uint32_t host = 1; host < 200 && !plain_; ++host) {
            const auto process = static_cast<std::uint32_t>(::getpid()) & 0xFFFFu;
            address_ = 0x7F000000u | (process << 8) | host;
            auto plain = std::make_unique<Listener>(address_, kPort);
            auto secure = std::make_unique<Listener>(address_, kTlsPort);
            if (plain->is_bound() && secure->is_bound()) {
                plain_ = std::move(plain);
                secure_ = std::move(secure);
            }
        }
        ASSERT_TRUE(plain_);
    }

    void TearDown() override {
        if (process_ > 0) {
            ::kill(process_, SIGKILL);
            (void)wait_for_exit();
        }
        for (const int fd : {wire_, console_}) {
            if (fd >= 0) {
                ::close(fd);
            }
        }
        if (!certificate_.empty()) {
            std::filesystem::remove(certificate_);
        }
    }

    void trust(const Identity& ca) {
        certificate_ = std::filesystem::temp_directory_path() /
                       ("wwep_root_" + std::to_string(::getpid()) + ".pem");
        std::ofstream(certificate_) << ca.certificate_pem();
    }

    [[nodiscard]] std::string quad() const {
        return std::to_string(address_ >> 24) + "." + std::to_string((address_ >> 16) & 255u) +
               "." + std::to_string((address_ >> 8) & 255u) + "." + std::to_string(address_ & 255u);
    }

    void start(const std::string& routes, std::string program = WWEP_DUAL_CLIENT) {
        std::array<int, 2> wire{};
        std::array<int, 2> console{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wire.data()), 0);
        ASSERT_EQ(::pipe2(console.data(), O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, console[1], 1);
        posix_spawn_file_actions_adddup2(&actions, wire[1], 20);
        std::vector<std::string> environment{"WWEP_WIRE_FD=20", "WWEP_ROUTES=" + routes,
                                             "WWEP_MAC=02:00:00:00:ff:04"};
        if (!certificate_.empty()) {
            environment.push_back("WWEP_DCT_CERTIFICATE=" + certificate_.string());
        }
        std::vector<char*> pointers;
        for (auto& variable : environment) {
            pointers.push_back(variable.data());
        }
        pointers.push_back(nullptr);
        std::array<char*, 2> arguments{program.data(), nullptr};
        ASSERT_EQ(::posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments.data(),
                                pointers.data()),
                  0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(wire[1]);
        ::close(console[1]);
        wire_ = wire[0];
        console_ = console[0];
    }

    void start_and_wait(const std::string& program = WWEP_DUAL_CLIENT) {
        start("wwep.ww101.cypress.com=" + quad(), program);
        ASSERT_NE(console_until("ready"), "");
    }

    /// Reads the console up to a line that is text, and returns that line; "" without one.
    std::string console_until(const std::string& text) {
        while (testing_peer::wait_readable(console_, testing_peer::kWaitMs)) {
            char letter = 0;
            if (::read(console_, &letter, 1) != 1) {
                break;
            }
            if (letter != '\n') {
                line_ += letter;
                continue;
            }
            seen_ += line_ + "\n";
            if (std::exchange(line_, "") == text) {
                return text;
            }
        }
        ADD_FAILURE() << "no line \"" << text << "\" in:\n" << seen_;
        return "";
    }

    void drive(std::uint8_t pin, std::uint8_t level) const {
        const Record record{3, pin, level, 1};
        ASSERT_EQ(::send(wire_, record.data(), record.size(), 0), 24);
    }

    void press(std::uint8_t pin) const {
        drive(pin, 0);
        drive(pin, 2);
    }

    /// The next edge of any LED as pin * 10 + level; -1 when none comes.
    [[nodiscard]] int next_edge(int timeout_ms = testing_peer::kWaitMs) const {
        Record record{};
        do {
            if (!testing_peer::wait_readable(wire_, timeout_ms) ||
                ::recv(wire_, record.data(), record.size(), MSG_WAITALL) != 24) {
                return -1;
            }
        } while (record[0] != 2);
        return record[1] * 10 + record[2];
    }

    int wait_for_exit() {
        int status = 0;
        ::waitpid(std::exchange(process_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    std::uint32_t address_ = 0;
    std::unique_ptr<Listener> plain_;
    std::unique_ptr<Listener> secure_;
    std::filesystem::path certificate_;
    pid_t process_ = -1;
    int wire_ = -1;
    int console_ = -1;
    std::string line_;
    std::string seen_;
    const Identity ca_ = make_identity("Bench CA", nullptr);
    const Identity server_ = make_identity("wwep.ww101.cypress.com", &ca_);
};

TEST_F(DualClient, APressFlipsTheLedAndWritesItsStateInTheClear) {
    start_and_wait();
    for (const std::string value : {"0001", "0000"}) {
        press(0);
        EXPECT_EQ(next_edge(), value == "0001" ? 21 : 20);
        Peer peer = plain_->accept();
        EXPECT_EQ(peer.read(11), "W010505" + value);
        peer.send_text("A010505" + value);
        console_until("button 0: LED 0 " + std::string(value == "0001" ? "on" : "off") +
                      ", sent W010505" + value + " in the clear");
        console_until("button 0: reply A010505" + value);
        EXPECT_TRUE(peer.sees_end());
    }
    EXPECT_FALSE(plain_->accept(50).is_open());
}

TEST_F(DualClient, AnXIsReportedAsTheReply) {
    start_and_wait();
    press(0);
    Peer peer = plain_->accept();
    EXPECT_EQ(peer.read(11), "W0105050001");
    peer.send_text("X");
    peer.close_now();
    console_until("button 0: reply X");
}

TEST_F(DualClient, SilenceIsReportedAfterTheReplysTime) {
    start_and_wait();
    press(0);
    const Peer peer = plain_->accept();
    console_until("button 0: no reply: 2");
}

TEST_F(DualClient, ButtonOneGoesOverTls) {
    trust(ca_);
    start_and_wait();
    EXPECT_NE(seen_.find("root certificate: loaded, the server is verified\n"), std::string::npos);
    press(1);
    TlsPeer peer(secure_->accept(), TlsPeer::Role::server, &server_);
    ASSERT_TRUE(peer.handshake());
    EXPECT_EQ(peer.read(11), "W0105050001");
    EXPECT_EQ(next_edge(), 31);
    peer.send_text("A0105050001");
    console_until("button 1: LED 1 on, sent W0105050001 over TLS");
    console_until("button 1: reply A0105050001");
}

TEST_F(DualClient, AServerThatIsNotTrustedGetsNothing) {
    trust(make_identity("Other CA", nullptr));
    start_and_wait();
    press(1);
    TlsPeer peer(secure_->accept(), TlsPeer::Role::server, &server_);
    EXPECT_FALSE(peer.handshake());
    peer.close_now();
    console_until("button 1: TLS connect failed: 5035");
}

TEST_F(DualClient, WithoutARootItDoesNotVerifyAndSaysSo) {
    start_and_wait();
    EXPECT_NE(seen_.find("root certificate: none, the server is not verified\n"),
              std::string::npos);
    press(1);
    const Identity stranger = make_identity("stranger.test", nullptr);
    TlsPeer peer(secure_->accept(), TlsPeer::Role::server, &stranger);
    EXPECT_TRUE(peer.handshake());
    EXPECT_EQ(peer.read(11), "W0105050001");
}

TEST_F(DualClient, ARootThatIsNoCertificateStopsTlsOnly) {
    certificate_ = std::filesystem::temp_directory_path() /
                   ("wwep_root_" + std::to_string(::getpid()) + ".pem");
    std::ofstream(certificate_) << "nonsense";
    start_and_wait();
    EXPECT_NE(seen_.find("root certificate: not usable: 4\n"), std::string::npos);
    press(1);
    console_until("button 1: not sent, the root certificate is not usable");
    EXPECT_FALSE(secure_->accept(50).is_open());
}

TEST_F(DualClient, BothButtonsAtOnceAreBothServed) {
    start_and_wait();
    press(1);
    press(0);
    const Peer plain = plain_->accept();
    EXPECT_EQ(plain.read(11), "W0105050001");
    TlsPeer secure(secure_->accept(), TlsPeer::Role::server, &server_);
    ASSERT_TRUE(secure.handshake());
    EXPECT_EQ(secure.read(11), "W0105050001");
}

TEST_F(DualClient, PressesDuringARoundTripWaitAndNeitherVanishNorMerge) {
    start_and_wait();
    press(0);
    Peer first = plain_->accept();
    EXPECT_EQ(first.read(11), "W0105050001");
    press(0);
    press(0);
    EXPECT_FALSE(plain_->accept(50).is_open());
    first.send_text("A0105050001");
    first.close_now();
    for (const char* message : {"W0105050000", "W0105050001"}) {
        Peer peer = plain_->accept();
        EXPECT_EQ(peer.read(11), message);
        peer.send_text("X");
        peer.close_now();
    }
    EXPECT_FALSE(plain_->accept(50).is_open());
}

TEST_F(DualClient, ABouncingContactMakesAsManyPressesAsItCloses) {
    start_and_wait();
    press(0);
    press(0);
    press(0);
    EXPECT_EQ(next_edge(), 21);
    for (const char* message : {"W0105050001", "W0105050000", "W0105050001"}) {
        Peer peer = plain_->accept();
        EXPECT_EQ(peer.read(11), message);
        peer.send_text("X");
        peer.close_now();
    }
}

TEST_F(DualClient, WithADebounceTimeABouncingContactMakesOnePress) {
    start_and_wait(WWEP_DUAL_CLIENT_DEBOUNCED);
    for (int bounce = 0; bounce < 10; ++bounce) {
        press(0);
    }
    drive(0, 0);
    EXPECT_EQ(next_edge(), 21);
    Peer peer = plain_->accept();
    EXPECT_EQ(peer.read(11), "W0105050001");
    peer.send_text("A0105050001");
    // Opening bounces too, and is no press.
    press(0);
    press(0);
    drive(0, 2);
    EXPECT_EQ(next_edge(200), -1);
    EXPECT_FALSE(plain_->accept(50).is_open());
}

TEST_F(DualClient, WithADebounceTimeAGlitchMakesNoPress) {
    start_and_wait(WWEP_DUAL_CLIENT_DEBOUNCED);
    press(0);
    EXPECT_EQ(next_edge(200), -1);
    EXPECT_FALSE(plain_->accept(50).is_open());
    drive(0, 0);
    EXPECT_EQ(next_edge(), 21);
}

TEST_F(DualClient, WithADebounceTimeAPressDuringARoundTripIsNotMissed) {
    start_and_wait(WWEP_DUAL_CLIENT_DEBOUNCED);
    drive(0, 0);
    Peer first = plain_->accept();
    EXPECT_EQ(first.read(11), "W0105050001");
    drive(0, 2);
    EXPECT_FALSE(plain_->accept(60).is_open());  // long enough for the contact to rest
    drive(0, 0);
    EXPECT_FALSE(plain_->accept(60).is_open());
    drive(0, 2);
    first.send_text("A0105050001");
    first.close_now();
    const Peer second = plain_->accept();
    EXPECT_EQ(second.read(11), "W0105050000");
}

TEST_F(DualClient, FallsBackToTheFixedAddressWithoutDns) {
    start("198.51.100.3=" + quad());
    console_until("ready");
    press(0);
    const Peer peer = plain_->accept();
    EXPECT_EQ(peer.read(11), "W0105050001");
    console_until("button 0: DNS failed: 4, trying 198.51.100.3");
}

TEST_F(DualClient, ARefusalIsReportedAs7014) {
    plain_.reset();
    start_and_wait();
    press(0);
    console_until("button 0: connect failed: 7014");
    EXPECT_EQ(next_edge(), 21);
}

TEST_F(DualClient, EndsWellWhenTheWireIsCut) {
    start_and_wait();
    drive(0, 0);
    ::close(std::exchange(wire_, -1));
    EXPECT_EQ(wait_for_exit(), 0);
}

TEST_F(DualClient, ABadWorldEndsItWith2) {
    start("nonsense");
    EXPECT_EQ(wait_for_exit(), 2);
}

}  // namespace
