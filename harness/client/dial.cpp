#include "harness/client/dial.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "rig/base/errors.hpp"

namespace harness {

namespace {

struct AddressListReleaser {
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListReleaser>;

std::string address_text(const addrinfo& address, std::uint16_t port) {
    std::array<char, NI_MAXHOST> host{};
    const int error = getnameinfo(address.ai_addr, address.ai_addrlen, host.data(), host.size(),
                                  nullptr, 0, NI_NUMERICHOST);
    return error == 0 ? peer_text(host.data(), port) : "?";
}

AddressList resolve(const std::string& host, std::uint16_t port, const std::string& name) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
    if (error != 0) {
        throw NoConnection(
            fmt::format("connect to {}: look up {}: {}", name, host,
                        error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error)));
    }
    return AddressList(list);
}

// 0, or an errno value.
int connect_one(const addrinfo& address, int receive_buffer_bytes, rig::UniqueFd& socket,
                const rig::Clock& clock, rig::Deadline deadline) {
    rig::UniqueFd candidate(
        ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!candidate)
        return errno;
    // Before the connection is made: the window that the peer is told follows from it.
    if (receive_buffer_bytes > 0 &&
        setsockopt(candidate.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                   sizeof receive_buffer_bytes) != 0) {
        return errno;
    }
    if (::connect(candidate.get(), address.ai_addr, address.ai_addrlen) != 0) {
        const int error_number = errno;
        if (error_number != EINPROGRESS)
            return error_number;
        if (!wait_for(candidate.get(), POLLOUT, clock, deadline))
            return ETIMEDOUT;
        int outcome = 0;
        socklen_t size = sizeof outcome;
        if (getsockopt(candidate.get(), SOL_SOCKET, SO_ERROR, &outcome, &size) != 0)
            return errno;
        if (outcome != 0)
            return outcome;
    }
    // What is sent in pieces goes out in pieces.
    const int on = 1;
    if (setsockopt(candidate.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return errno;
    socket = std::move(candidate);
    return 0;
}

}  // namespace

std::string peer_text(const std::string& host, std::uint16_t port) {
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool wait_for(int fd, short events, const rig::Clock& clock, rig::Deadline deadline) {
    for (;;) {
        const auto left = deadline.left(clock);
        // Longer waits than a day are cut, so that no deadline overflows a timespec.
        const auto wait = std::min<std::chrono::nanoseconds>(left, std::chrono::hours(24));
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
        const timespec timeout{seconds.count(), (wait - seconds).count()};
        pollfd poll{fd, events, 0};
        const int ready = ppoll(&poll, 1, &timeout, nullptr);
        const int error_number = errno;
        if (ready > 0)
            return true;
        if (ready < 0 && error_number != EINTR) {
            rig::throw_system_error(error_number, "wait for a socket");
        }
        if (deadline.has_passed(clock))
            return false;
    }
}

Dialled dial(const std::string& host, std::uint16_t port, int receive_buffer_bytes,
             const rig::Clock& clock, rig::Deadline deadline) {
    const std::string name = peer_text(host, port);
    const AddressList list = resolve(host, port, name);
    std::chrono::nanoseconds::rep addresses_left = 0;
    for (const addrinfo* address = list.get(); address != nullptr; address = address->ai_next) {
        ++addresses_left;
    }
    const bool is_one_of_several = addresses_left > 1;
    std::string reasons;
    for (const addrinfo* address = list.get(); address != nullptr; address = address->ai_next) {
        // An address that does not answer leaves the others their share of the time.
        const auto share = deadline.left(clock) / addresses_left--;
        Dialled dialled{.socket = {}, .address = address_text(*address, port)};
        const int error_number = connect_one(*address, receive_buffer_bytes, dialled.socket, clock,
                                             rig::Deadline::after(clock, share));
        if (error_number == 0) {
            return dialled;
        }
        const std::string_view separator = reasons.empty() ? "" : "; ";
        const std::string subject = is_one_of_several ? dialled.address + ": " : "";
        reasons += fmt::format("{}{}{}", separator, subject, std::strerror(error_number));
    }
    throw NoConnection(fmt::format("connect to {}: {}", name, reasons));
}

}  // namespace harness
