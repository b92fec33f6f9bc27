// What hostile peers do to a server, for a test and a benchmark of what becomes of others
// meanwhile. Written with plain sockets and none of the rig's code. One thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rig/base/unique_fd.hpp"

namespace harness {

/// Connections to 127.0.0.1, each of which does its misdeed once a tick. One that the server has
/// closed is opened anew.
class Attack {
  public:
    enum class Kind : std::uint8_t {
        idle,             ///< says nothing
        slow_loris,       ///< a frame, one byte a tick
        half_handshake,   ///< half a ClientHello, and then silence
        handshake_flood,  ///< a ClientHello, and away before the answer
        never_reads,      ///< ever more requests, and reads no reply
    };

    /// `client_hello` is that of any client; only handshakes need it.
    Attack(Kind kind, std::uint16_t port, std::size_t connections, std::string client_hello = "")
        : kind_(kind), port_(port), hello_(std::move(client_hello)), peers_(connections) {}

    void tick() {
        for (Peer& peer : peers_) {
            if (peer.fd && kind_ != Kind::never_reads && is_closed(peer)) {
                peer = {};
            }
            if (!peer.fd) {
                open(peer);
            }
            misbehave(peer);
        }
    }

    /// How many connections the server has taken so far.
    [[nodiscard]] std::size_t opened() const { return opened_; }

  private:
    static constexpr std::size_t asked = 1024;
    static constexpr std::size_t asked_per_tick = 16 * asked;

    struct Peer {
        rig::UniqueFd fd;
        std::size_t said = 0;
    };

    void open(Peer& peer) {
        peer.said = 0;
        peer.fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const linger hard{.l_onoff = 1, .l_linger = 0};  // leaves no TIME_WAIT behind
        ::setsockopt(peer.fd.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        if (kind_ == Kind::never_reads) {  // the less it takes in, the sooner the server is stuck
            const int bytes = 4096;
            const int segment = 536;
            ::setsockopt(peer.fd.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
            ::setsockopt(peer.fd.get(), IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(peer.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0) {
            peer.fd.reset();
            return;
        }
        ++opened_;
    }

    static bool is_closed(const Peer& peer) {
        std::array<char, 4096> buffer{};
        ssize_t got = 0;
        do {
            got = ::recv(peer.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        } while (got > 0);
        return got == 0 || (errno != EAGAIN && errno != EINTR);
    }

    void misbehave(Peer& peer) const {
        constexpr std::string_view frame = "W0FAC0B1234";
        if (!peer.fd) {
            return;
        }
        switch (kind_) {
            case Kind::idle:
                return;
            case Kind::slow_loris:
                say(peer, frame.substr(peer.said % frame.size(), 1));
                return;
            case Kind::half_handshake:
                if (peer.said == 0) {
                    say(peer, std::string_view(hello_).substr(0, hello_.size() / 2));
                }
                return;
            case Kind::handshake_flood:
                if (peer.said != 0) {
                    peer.fd.reset();
                } else {
                    say(peer, hello_);
                }
                return;
            case Kind::never_reads:
                for (std::size_t at = 0; at < asked_per_tick && say(peer, questions_);
                     at += asked) {
                }
                return;
        }
    }

    static bool say(Peer& peer, std::string_view bytes) {
        const auto sent =
            ::send(peer.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        peer.said += sent > 0 ? static_cast<std::size_t>(sent) : 0U;
        return sent > 0;
    }

    const Kind kind_;
    const std::uint16_t port_;
    const std::string hello_;
    const std::string questions_ = [] {
        std::string many;
        while (many.size() < asked) {
            many += "R0FAC0B";
        }
        return many;
    }();
    std::vector<Peer> peers_;
    std::size_t opened_ = 0;
};

}  // namespace harness
