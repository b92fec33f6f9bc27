// Listener is one bound, listening TCP socket, and Endpoint its address as text. It owns the
// socket. Not thread-safe. Everything accepted from it carries kernel receive timestamps, because
// the option is set on the listener: set later it would miss data that is there already.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rig/base/unique_fd.hpp"

namespace harness {

struct Accepted {
    rig::UniqueFd socket;
    std::string peer;  ///< "127.0.0.1:50311", "[::1]:50311"
    std::string local;
};

/// A TCP socket that somebody else has bound and keeps, in another network perhaps.
struct BoundSocket {
    int fd = -1;
    bool is_secure = false;  ///< what it is for: TLS, or in the clear
};

class Listener {
  public:
    static constexpr int backlog_max = 4096;

    /// Binds `address` (IPv4 or IPv6, no name) and listens. Port 0 takes a free one. Throws
    /// rig::NoBench when the port is taken or the address is none of this machine's, naming it.
    Listener(const std::string& address, std::uint16_t port);
    /// Listens on a socket that is bound already, and ceases when it goes; the socket stays bound.
    /// Throws std::system_error.
    explicit Listener(const BoundSocket& bound);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }

    /// The next connection that waits; nothing if none does. Throws std::system_error when the
    /// process or the machine is out of descriptors or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM).
    [[nodiscard]] std::optional<Accepted> accept();

  private:
    std::string address_;
    std::uint16_t port_;
    rig::UniqueFd socket_;
    bool is_borrowed_ = false;  // the socket outlives this: to close our copy is not enough
    std::string endpoint_;
};

/// "127.0.0.1:27708", IPv6 in brackets.
[[nodiscard]] std::string endpoint_text(const std::string& address, std::uint16_t port);

}  // namespace harness
