// The other end of the board's sockets, made of plain system calls. A Listener owns a listening
// descriptor on 127.0.0.1, a Peer one connection; both close in their destructors. Every wait has a
// limit of five seconds, after which the calls report nothing rather than hang.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace testing_peer {

constexpr int kWaitMs = 5000;

inline bool wait_readable(int fd, int timeout_ms) {
    pollfd descriptor{fd, POLLIN, 0};
    return poll(&descriptor, 1, timeout_ms) > 0;
}

class Peer {
  public:
    Peer() = default;
    explicit Peer(int fd) : fd_(fd) {}
    Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Peer& operator=(Peer&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Peer() { close_now(); }

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

    void send_text(std::string_view text) const {
        (void)!::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    }
    /// What arrives until there are size bytes, the end, or a pause of timeout_ms.
    [[nodiscard]] std::string read(std::size_t size, int timeout_ms = kWaitMs) const {
        std::string text;
        while (text.size() < size && wait_readable(fd_, timeout_ms)) {
            char buffer[4096];
            const std::size_t wanted = std::min(sizeof(buffer), size - text.size());
            const ssize_t got = ::recv(fd_, buffer, wanted, 0);
            if (got <= 0) {
                break;
            }
            text.append(buffer, static_cast<std::size_t>(got));
        }
        return text;
    }
    /// True once the board has closed its side.
    [[nodiscard]] bool sees_end(int timeout_ms = kWaitMs) const {
        char byte = 0;
        return wait_readable(fd_, timeout_ms) && ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
    }
    void half_close() const { ::shutdown(fd_, SHUT_WR); }
    void close_now() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

  private:
    int fd_ = -1;
};

inline sockaddr_in loopback(std::uint16_t port, std::uint32_t address = INADDR_LOOPBACK) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(address);
    in.sin_port = htons(port);
    return in;
}

class Listener {
  public:
    explicit Listener(std::uint32_t address = INADDR_LOOPBACK, std::uint16_t port = 0)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int one = 1;
        (void)::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        sockaddr_in in = loopback(port, address);
        const auto* generic = reinterpret_cast<const sockaddr*>(&in);
        is_bound_ = ::bind(fd_, generic, sizeof(in)) == 0 && ::listen(fd_, 16) == 0;
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { ::close(fd_); }

    [[nodiscard]] bool is_bound() const { return is_bound_; }
    [[nodiscard]] std::uint16_t port() const {
        sockaddr_in in{};
        socklen_t size = sizeof(in);
        (void)::getsockname(fd_, reinterpret_cast<sockaddr*>(&in), &size);
        return ntohs(in.sin_port);
    }
    [[nodiscard]] Peer accept(int timeout_ms = kWaitMs) const {
        return wait_readable(fd_, timeout_ms) ? Peer(::accept(fd_, nullptr, nullptr)) : Peer();
    }

  private:
    int fd_;
    bool is_bound_ = false;
};

inline Peer connect_to(std::uint16_t port) {
    Peer peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in in = loopback(port);
    if (::connect(peer.fd(), reinterpret_cast<const sockaddr*>(&in), sizeof(in)) != 0) {
        peer.close_now();
    }
    return peer;
}

/// A port that nothing listens on at the moment.
inline std::uint16_t unused_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    sockaddr_in in = loopback(0);
    socklen_t size = sizeof(in);
    (void)::bind(fd, reinterpret_cast<const sockaddr*>(&in), size);
    (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
    ::close(fd);
    return ntohs(in.sin_port);
}

}  // namespace testing_peer
