// Dialling makes the TCP connection of a client: looks the host up and tries its addresses in turn,
// until a deadline. Any thread; nothing is kept.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "rig/base/clock.hpp"
#include "rig/base/deadline.hpp"
#include "rig/base/unique_fd.hpp"

namespace harness {

/// No connection could be made, or its TLS handshake failed. "connect to localhost:27708:
/// Connection refused": what() names host, port and reason.
class NoConnection : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct Dialled {
    rig::UniqueFd socket;  ///< non-blocking; what is sent in pieces goes out in pieces
    std::string address;   ///< "127.0.0.1:27708", as connected to
};

/// Each address has an equal share of the time that is left. `receive_buffer_bytes` is SO_RCVBUF;
/// 0: the kernel's choice. Throws NoConnection. Host names are resolved by getaddrinfo, which does
/// not know of deadlines.
[[nodiscard]] Dialled dial(const std::string& host, std::uint16_t port, int receive_buffer_bytes,
                           const rig::Clock& clock, rig::Deadline deadline);

/// "localhost:27708"; an IPv6 address in brackets.
[[nodiscard]] std::string peer_text(const std::string& host, std::uint16_t port);

/// Whether one of the events of poll(), or an error, is there before the deadline.
[[nodiscard]] bool wait_for(int fd, short events, const rig::Clock& clock, rig::Deadline deadline);

}  // namespace harness
