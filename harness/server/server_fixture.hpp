// What the tests of the server share: a peer with a plain socket, a sink whose room a test can take
// away, and a fixture that runs one server on a loop of its own thread. The peer is written without
// any of the rig's code. The fixture ends loop and server in TearDown().
#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "harness/event/timeline.hpp"
#include "harness/server/server.hpp"
#include "harness/tls/tls_library.hpp"
#include "rig/base/deadline.hpp"

namespace harness {

constexpr std::chrono::seconds patience{20};

/// Room that a test can take away.
class GatedSink final : public EventSink {
  public:
    explicit GatedSink(Timeline& timeline) : timeline_(timeline) {}
    void take(Event event) override { timeline_.take(std::move(event)); }
    [[nodiscard]] bool has_room() const override { return room; }
    std::atomic<bool> room = true;

  private:
    Timeline& timeline_;
};

/// A peer with a plain socket, written without any of the rig's code.
class Peer {
  public:
    /// How much it takes in without reading. Small: a few kilobytes, also of the server's memory
    /// for it.
    enum class Window : std::uint8_t { usual, small };

    explicit Peer(const std::string& endpoint, Window window = Window::usual) {
        const auto colon = endpoint.rfind(':');
        const std::string host = endpoint.substr(0, colon);
        const auto port = static_cast<std::uint16_t>(std::stoi(endpoint.substr(colon + 1)));
        if (host.front() == '[') {
            fd_.reset(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
            sockaddr_in6 address{};
            address.sin6_family = AF_INET6;
            address.sin6_port = htons(port);
            ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address.sin6_addr);
            connect(reinterpret_cast<const sockaddr*>(&address), sizeof address);
        } else {
            fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            if (window == Window::small) {
                set_option(SOL_SOCKET, SO_RCVBUF, 4096);
                set_option(IPPROTO_TCP, TCP_MAXSEG, 536);
            }
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(port);
            ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
            connect(reinterpret_cast<const sockaddr*>(&address), sizeof address);
        }
    }

    [[nodiscard]] int connect_error() const { return connect_error_; }
    void say(const std::string& bytes) const {
        ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    enum class Sent : std::uint8_t { some, none_for_now, closed };
    /// Sends what the kernel takes within 10 ms.
    [[nodiscard]] Sent send_some(const std::string& bytes, std::int64_t& total) const {
        pollfd ready{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
        if (::poll(&ready, 1, 10) == 0) {
            return Sent::none_for_now;
        }
        const auto sent =
            ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            return Sent::closed;
        }
        total += sent > 0 ? sent : 0;
        return Sent::some;
    }
    void half_close() const { ::shutdown(fd_.get(), SHUT_WR); }
    void reset() {
        const linger hard{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        fd_.reset();
    }
    void close() { fd_.reset(); }
    /// Reads until the server closes; "(timeout)" if it does not.
    [[nodiscard]] std::string hear_until_end() const { return hear(std::string::npos); }
    [[nodiscard]] std::string hear(std::size_t wanted) const {
        std::string heard;
        while (heard.size() < wanted) {
            pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, patience_max_ms) != 1) {
                return heard + "(timeout)";
            }
            std::array<char, 4096> buffer{};
            const auto got =
                ::recv(fd_.get(), buffer.data(), std::min(buffer.size(), wanted - heard.size()), 0);
            if (got < 0) {
                return heard + "(reset)";
            }
            if (got == 0) {
                return heard;
            }
            heard.append(buffer.data(), static_cast<std::size_t>(got));
        }
        return heard;
    }
    /// What is there now, at most 64 KiB; nothing if nothing is.
    [[nodiscard]] std::string hear_some() const {
        std::string buffer(64U * 1024, '\0');
        const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return buffer;
    }
    [[nodiscard]] bool hears_nothing(std::chrono::milliseconds for_ms) const {
        pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
        return ::poll(&ready, 1, static_cast<int>(for_ms.count())) == 0;
    }

  private:
    /// A server that answers at all does so by then, on however busy a machine.
    static constexpr int patience_max_ms = 20'000;

    void connect(const sockaddr* address, socklen_t size) {
        connect_error_ = ::connect(fd_.get(), address, size) == 0 ? 0 : errno;
        set_option(IPPROTO_TCP, TCP_NODELAY, 1);
    }
    void set_option(int level, int option, int value) const {
        EXPECT_EQ(::setsockopt(fd_.get(), level, option, &value, sizeof value), 0);
    }
    rig::UniqueFd fd_;
    int connect_error_ = 0;
};

class ServerTest : public ::testing::Test {
  protected:
    static ServerOptions plain_options() {
        ServerOptions options;
        options.plain_port = 0;
        return options;
    }

    void start(ServerOptions options = plain_options()) {
        server_ =
            std::make_unique<Server>(loop_, sink_, registers_, tls_library_, std::move(options));
        thread_ = std::thread([this] {
            loop_.run();
            release_tls_thread_memory();
        });
        if (!server_->plain_endpoints().empty()) {
            endpoint_ = server_->plain_endpoints().front();
        }
    }

    void TearDown() override {
        if (thread_.joinable()) {
            loop_.stop();
            thread_.join();
        }
        server_.reset();
    }

    template <class Work>
    auto in_loop(Work&& work) {
        std::promise<std::invoke_result_t<Work>> done;
        loop_.post([&] {
            if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
                work();
                done.set_value();
            } else {
                done.set_value(work());
            }
        });
        return done.get_future().get();
    }

    /// The first event of a kind from the beginning; fails the test if none comes.
    template <class Kind>
    Kind wait_for(const std::function<bool(const Kind&)>& condition = nullptr) {
        Kind found;
        const bool came = timeline_.wait(
            0, rig::Deadline::after(clock_, patience),
            [&](const Event& event) {
                const auto* const value = std::get_if<Kind>(&event);
                if (value == nullptr || (condition && !condition(*value))) {
                    return false;
                }
                found = *value;
                return true;
            },
            nullptr);
        EXPECT_TRUE(came) << "no such event";
        return found;
    }

    template <class Kind>
    std::vector<Kind> all() const {
        std::vector<Kind> result;
        for (const Event& event : timeline_.since(0, 100'000).events) {
            if (const auto* const value = std::get_if<Kind>(&event)) {
                result.push_back(*value);
            }
        }
        return result;
    }

    rig::SystemClock clock_;
    TlsLibrary tls_library_;
    Timeline timeline_{clock_, nullptr};
    GatedSink sink_{timeline_};
    Loop loop_{clock_};
    RegisterFile registers_;
    std::unique_ptr<Server> server_;
    std::thread thread_;
    std::string endpoint_;
};

}  // namespace harness
