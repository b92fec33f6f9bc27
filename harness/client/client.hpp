// Client is the rig as a WWEP client: one connection, in the clear or over TLS, blocking until a
// deadline. It owns its socket and its TLS session; the clock must outlive it. One thread at a
// time. Its primitives send any bytes whatever, half-close and reset, so that a conformance suite
// can misbehave with them; transact() is the polite way. It keeps at most `received_max` bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/client/dial.hpp"
#include "harness/tls/tls_config.hpp"
#include "harness/tls/tls_session.hpp"
#include "rig/base/clock.hpp"
#include "rig/base/deadline.hpp"
#include "rig/base/unique_fd.hpp"

namespace harness {

/// Where a client connects to, and how.
struct ClientTarget {
    std::string host;  ///< a name, an IPv4 or an IPv6 address (without brackets)
    std::uint16_t port = 0;
    std::optional<TlsClientConfig>
        tls;  ///< absent: in the clear. Its server_name, if empty, is host
    /// SO_RCVBUF, for a client that means to be slow; 0: the kernel's choice.
    int receive_buffer_bytes = 0;
};

/// How the peer's side of the connection stands.
enum class PeerEnd : std::uint8_t {
    none,       ///< still open, as far as is known
    closed,     ///< FIN; over TLS: close_notify
    truncated,  ///< over TLS: FIN without close_notify
    reset,      ///< RST, or another error of the socket
    failed,     ///< TLS broke down: alert, bad record
};

/// What came back.
struct Received {
    std::string bytes;  ///< decrypted, if over TLS
    rig::TimestampNs first_byte_ns =
        0;                              ///< when the read returned that brought it; 0: nothing came
    rig::TimestampNs last_byte_ns = 0;  ///< likewise
    PeerEnd end = PeerEnd::none;
    rig::TimestampNs end_ns = 0;
    std::string end_reason;  ///< for people; empty while end is none
};

/// The answer to a request.
struct Answer {
    enum class Kind : std::uint8_t {
        accepted,  ///< `A` and ten hex digits
        failed,    ///< `X`
        none,      ///< nothing came in time, or the peer closed without an answer
        other,     ///< bytes that are no WWEP reply
    };
    Kind kind = Kind::none;
    std::string bytes;  ///< the reply itself: 11 bytes, "X", or what came
    std::string note;   ///< what followed an `X` ("Not Found"): some servers do that
    std::string
        problem;  ///< for people, of kinds none and other: "no answer from ... within 500 ms"
    rig::TimestampNs sent_ns = 0;      ///< just before the request was handed to the kernel
    rig::TimestampNs received_ns = 0;  ///< when the read returned that brought its last byte
};

class Client {
  public:
    /// What it keeps of received bytes; receive_until_end() returns when there are so many.
    static constexpr std::size_t received_max = 64U * 1024;
    /// After `X`: how long more text may take to arrive.
    static constexpr std::chrono::milliseconds note_wait{50};

    /// Connects, trying each address of the host in turn, and ends the TLS handshake. Throws
    /// NoConnection; rig::RigError for files of the TLS configuration. Host names are resolved by
    /// getaddrinfo, which does not know of deadlines.
    Client(const TlsLibrary& library, const rig::Clock& clock, const ClientTarget& target,
           rig::Deadline deadline);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    /// Sends the bytes and waits for a reply.
    [[nodiscard]] Answer transact(std::string_view request, rig::Deadline deadline);

    /// Sends all bytes. Returns the time just before the first went to the kernel. Throws
    /// std::system_error ("send to localhost:27708: Broken pipe") when the peer is gone or the
    /// deadline passes, and std::logic_error after half_close().
    rig::TimestampNs send(std::string_view bytes, rig::Deadline deadline);
    /// Over TLS: bytes that are no TLS record, past the session. In the clear the same as send().
    rig::TimestampNs send_raw(std::string_view bytes, rig::Deadline deadline);

    /// Reads until `bytes_wanted` are there, the peer ends, or the deadline passes. What was
    /// received beyond stays for the next call.
    [[nodiscard]] Received receive(std::size_t bytes_wanted, rig::Deadline deadline);
    /// Reads until the peer ends or the deadline passes.
    [[nodiscard]] Received receive_until_end(rig::Deadline deadline);

    /// Ends our side: over TLS close_notify, then FIN. Receiving goes on.
    void half_close(rig::Deadline deadline);
    /// FIN without close_notify. In the clear the same as half_close().
    void half_close_raw();
    /// Closes the socket with RST. Afterwards nothing may be called but the destructor.
    void reset();

    [[nodiscard]] bool is_secure() const { return session_ != nullptr; }
    /// Of the TLS session; empty facts in the clear.
    [[nodiscard]] const TlsFacts& tls_facts() const;
    /// "localhost:27708", as asked for.
    [[nodiscard]] const std::string& peer_name() const { return peer_name_; }
    /// "127.0.0.1:27708", as connected to.
    [[nodiscard]] const std::string& peer_address() const { return peer_address_; }
    [[nodiscard]] rig::TimestampNs connected_ns() const { return connected_ns_; }
    /// From the TCP connection to the end of the handshake; 0 in the clear.
    [[nodiscard]] rig::TimestampNs handshake_ns() const { return handshake_ns_; }

  private:
    struct Arrival {
        std::string bytes;
        rig::TimestampNs at_ns = 0;
    };

    void shake_hands(rig::Deadline deadline);
    [[nodiscard]] int send_plain(std::span<const std::uint8_t> bytes, rig::Deadline deadline);
    [[nodiscard]] int send_secure(std::span<const std::uint8_t> bytes, rig::Deadline deadline);
    [[nodiscard]] int flush_session(rig::Deadline deadline);
    void receive_once(rig::Deadline deadline);
    void take_ciphertext(std::span<const std::uint8_t> bytes, rig::TimestampNs at_ns);
    void take_plaintext(rig::TimestampNs at_ns);
    void note_end(PeerEnd end, std::string reason);
    [[nodiscard]] std::size_t bytes_waiting() const;
    [[nodiscard]] Received take(std::size_t bytes_max);
    void take_reply(Answer& reply, rig::Deadline deadline);
    [[nodiscard]] std::string no_answer(rig::TimestampNs sent_ns) const;

    const rig::Clock& clock_;
    std::string peer_name_;
    std::string peer_address_;
    std::unique_ptr<TlsContext> context_;
    std::unique_ptr<TlsSession> session_;
    rig::UniqueFd socket_;
    rig::TimestampNs connected_ns_ = 0;
    rig::TimestampNs handshake_ns_ = 0;
    bool has_half_closed_ = false;
    std::deque<Arrival> arrivals_;
    PeerEnd end_ = PeerEnd::none;
    rig::TimestampNs end_ns_ = 0;
    std::string end_reason_;
    TlsFacts no_facts_;
};

}  // namespace harness
