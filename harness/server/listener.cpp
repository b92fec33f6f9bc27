#include "harness/server/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

SocketAddress to_socket_address(const std::string& address, std::uint16_t port) {
    SocketAddress result;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
    if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        result.size = sizeof(sockaddr_in);
        return result;
    }
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        result.size = sizeof(sockaddr_in6);
        return result;
    }
    throw rig::NoBench(fmt::format(
        "\"{}\" is no IPv4 or IPv6 address: the server binds addresses, not names", address));
}

std::uint16_t port_of(const SocketAddress& address) {
    return address.storage.ss_family == AF_INET
               ? ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port)
               : ntohs(reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
}

std::string text_of(const SocketAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* const bytes =
        address.storage.ss_family == AF_INET
            ? static_cast<const void*>(
                  &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr)
            : static_cast<const void*>(
                  &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr);
    ::inet_ntop(address.storage.ss_family, bytes, text.data(), text.size());
    return endpoint_text(text.data(), port_of(address));
}

SocketAddress bound_address(int fd) {
    SocketAddress bound;
    if (::getsockname(fd, bound.get(), &bound.size) != 0) {
        rig::throw_system_error(errno, "ask for the address of a listener");
    }
    return bound;
}

void set_option(int fd, int level, int option, const char* what) {
    const int on = 1;
    if (::setsockopt(fd, level, option, &on, sizeof on) != 0) {
        rig::throw_system_error(errno, what);
    }
}

/// What is accepted inherits them.
void set_options_of_connections(int fd) {
    set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, "ask for kernel receive timestamps");
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, "set TCP_NODELAY");
}

rig::UniqueFd open_listener(const std::string& address, std::uint16_t port) {
    const SocketAddress where = to_socket_address(address, port);
    rig::UniqueFd socket(
        ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!socket) {
        rig::throw_system_error(errno, "make a socket for " + endpoint_text(address, port));
    }
    set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, "set SO_REUSEADDR");
    set_options_of_connections(socket.get());
    if (where.storage.ss_family == AF_INET6) {
        set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, "set IPV6_V6ONLY");
    }
    if (::bind(socket.get(), where.get(), where.size) != 0 ||
        ::listen(socket.get(), Listener::backlog_max) != 0) {
        const int error = errno;
        throw rig::NoBench(fmt::format(
            "listen on {}: {}{}", endpoint_text(address, port), std::strerror(error),
            error == EADDRINUSE      ? "; another program has this port: end it or take another"
            : error == EADDRNOTAVAIL ? "; this machine does not have that address"
            : error == EACCES        ? "; ports below 1024 are root's: take another"
                                     : ""));
    }
    return socket;
}

}  // namespace

std::string endpoint_text(const std::string& address, std::uint16_t port) {
    return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                  : fmt::format("[{}]:{}", address, port);
}

Listener::Listener(const std::string& address, std::uint16_t port)
    : address_(address), port_(port), socket_(open_listener(address, port)) {
    port_ = port_of(bound_address(socket_.get()));
    endpoint_ = endpoint_text(address_, port_);
}

Listener::Listener(const BoundSocket& bound)
    : socket_(::fcntl(bound.fd, F_DUPFD_CLOEXEC, 0)), is_borrowed_(true) {
    const SocketAddress where = bound_address(bound.fd);
    endpoint_ = text_of(where);
    port_ = port_of(where);
    address_ = endpoint_.substr(0, endpoint_.rfind(':'));
    set_options_of_connections(socket_.get());
    if (::listen(socket_.get(), backlog_max) != 0) {
        rig::throw_system_error(errno, "listen on " + endpoint_);
    }
}

Listener::~Listener() {
    if (is_borrowed_) {
        // It ceases to listen and stays bound, so that listen() will do again.
        static_cast<void>(::shutdown(socket_.get(), SHUT_RDWR));
    }
}

std::optional<Accepted> Listener::accept() {
    SocketAddress peer;
    rig::UniqueFd socket(
        ::accept4(socket_.get(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
        const int error = errno;
        switch (error) {
            case EMFILE:
            case ENFILE:
            case ENOBUFS:
            case ENOMEM:
                rig::throw_system_error(error, "accept a connection on " + endpoint_);
            default:
                return std::nullopt;  // EAGAIN, or a peer that has gone already
        }
    }
    SocketAddress local;
    if (::getsockname(socket.get(), local.get(), &local.size) != 0) {
        return std::nullopt;  // the peer has gone already
    }
    return Accepted{std::move(socket), text_of(peer), text_of(local)};
}

}  // namespace harness
