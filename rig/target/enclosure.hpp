// Enclosure is a network of an emulated board's own: a network namespace with nothing in it but the
// loopback interface, so that nothing which the board sends leaves this machine and its fixed ports
// are free. It needs no root. It owns the namespace (which lives as long as any descriptor or
// process in it) and the sockets that were bound there. Any thread; the constructor waits for its
// helper, some milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/base/unique_fd.hpp"

namespace rig {

/// Where a socket of the enclosure is bound. IPv4.
struct EnclosedPlace {
    std::string address;
    std::uint16_t port = 0;
    bool is_udp = false;  ///< else TCP, bound and not listening
};

class Enclosure {
  public:
    /// `helper` is the program wwep-enclosure; `address` is the interface's besides 127.0.0.1.
    /// Throws NoBench, with the remedy, when this machine grants no namespace or the helper is not
    /// there.
    Enclosure(const std::string& helper, const std::string& address,
              const std::vector<EnclosedPlace>& places, const Clock& clock);

    [[nodiscard]] int user_namespace() const { return user_.get(); }
    [[nodiscard]] int network_namespace() const { return network_.get(); }
    /// In the order of the places; non-blocking.
    [[nodiscard]] int socket(std::size_t place) const { return sockets_.at(place).get(); }

  private:
    UniqueFd user_;
    UniqueFd network_;
    std::vector<UniqueFd> sockets_;
};

/// Sends descriptors over a Unix-domain socket, in one message. Throws std::system_error.
void send_descriptors(int socket, const std::vector<int>& descriptors);

}  // namespace rig
