#include "harness/client/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "harness/tls/tls_library.hpp"
#include "rig/base/errors.hpp"

namespace harness {

namespace {

constexpr std::size_t accepted_bytes = 11;
// Of a reply that is none, enough is shown to recognise what it was.
constexpr std::size_t other_bytes_max = 64;
// Below TlsSession::bytes_queued_max with room for what TLS adds.
constexpr std::size_t secure_piece_bytes = 64U * 1024;

bool is_hex(std::string_view text) {
    return std::ranges::all_of(text, [](char character) {
        return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
               (character >= 'A' && character <= 'F');
    });
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return "";
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

Client::Client(const TlsLibrary& library, const rig::Clock& clock, const ClientTarget& target,
               rig::Deadline deadline)
    : clock_(clock), peer_name_(peer_text(target.host, target.port)) {
    // Files that are wrong are told before anything is connected.
    if (target.tls) {
        TlsClientConfig config = *target.tls;
        if (config.server_name.empty())
            config.server_name = target.host;
        context_ = std::make_unique<TlsContext>(library, config);
    }
    Dialled dialled = dial(target.host, target.port, target.receive_buffer_bytes, clock, deadline);
    socket_ = std::move(dialled.socket);
    peer_address_ = std::move(dialled.address);
    connected_ns_ = clock_.monotonic_ns();
    if (context_)
        shake_hands(deadline);
}

// A server over TLS would take a FIN alone for truncation, so the last thing sent is close_notify.
Client::~Client() {
    if (!session_ || !socket_ || has_half_closed_)
        return;
    session_->close();
    const auto goodbye = session_->to_send();
    (void)::send(socket_.get(), goodbye.data(), goodbye.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Client::shake_hands(rig::Deadline deadline) {
    session_ = std::make_unique<TlsSession>(*context_);
    while (session_->state() == TlsSession::State::handshaking) {
        const int error_number = flush_session(deadline);
        if (error_number == ETIMEDOUT || deadline.has_passed(clock_)) {
            throw NoConnection(fmt::format(
                "connect to {} over TLS: the handshake did not end in time", peer_name_));
        }
        // A server that refuses may close before it has read all: what it said still counts.
        receive_once(deadline);
        if (end_ == PeerEnd::reset) {
            throw NoConnection(fmt::format("connect to {} over TLS: {}", peer_name_, end_reason_));
        }
    }
    (void)flush_session(deadline);
    if (session_->state() == TlsSession::State::failed) {
        throw NoConnection(
            fmt::format("connect to {} over TLS: {}", peer_name_, session_->failure()));
    }
    handshake_ns_ = clock_.monotonic_ns() - connected_ns_;
}

int Client::send_plain(std::span<const std::uint8_t> bytes, rig::Deadline deadline) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        const int error_number = errno;
        if (sent >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        } else if (error_number == EAGAIN) {
            if (!wait_for(socket_.get(), POLLOUT, clock_, deadline))
                return ETIMEDOUT;
        } else if (error_number != EINTR) {
            return error_number;
        }
    }
    return 0;
}

int Client::send_secure(std::span<const std::uint8_t> bytes, rig::Deadline deadline) {
    while (!bytes.empty()) {
        if (session_->state() == TlsSession::State::failed)
            return EPROTO;
        const auto piece = bytes.first(std::min(bytes.size(), secure_piece_bytes));
        session_->write(piece);
        if (const int error_number = flush_session(deadline))
            return error_number;
        bytes = bytes.subspan(piece.size());
    }
    return 0;
}

int Client::flush_session(rig::Deadline deadline) {
    const auto waiting = session_->to_send();
    const int error_number = send_plain(waiting, deadline);
    session_->sent(waiting.size());
    return error_number;
}

rig::TimestampNs Client::send(std::string_view bytes, rig::Deadline deadline) {
    if (has_half_closed_)
        throw std::logic_error("send after half_close()");
    const rig::TimestampNs at_ns = clock_.monotonic_ns();
    const int error_number =
        session_ ? send_secure(bytes_of(bytes), deadline) : send_plain(bytes_of(bytes), deadline);
    if (error_number != 0)
        rig::throw_system_error(error_number, "send to " + peer_name_);
    return at_ns;
}

rig::TimestampNs Client::send_raw(std::string_view bytes, rig::Deadline deadline) {
    if (has_half_closed_)
        throw std::logic_error("send after half_close()");
    const rig::TimestampNs at_ns = clock_.monotonic_ns();
    const int error_number = send_plain(bytes_of(bytes), deadline);
    if (error_number != 0)
        rig::throw_system_error(error_number, "send to " + peer_name_);
    return at_ns;
}

// Waits for more and takes it; returns without any when the deadline passes.
void Client::receive_once(rig::Deadline deadline) {
    if (end_ != PeerEnd::none)
        return;
    if (!wait_for(socket_.get(), POLLIN, clock_, deadline))
        return;
    std::array<std::uint8_t, 16384> buffer;
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    const int error_number = errno;
    const rig::TimestampNs at_ns = clock_.monotonic_ns();
    if (count > 0) {
        const std::span received(buffer.data(), static_cast<std::size_t>(count));
        if (session_) {
            take_ciphertext(received, at_ns);
        } else {
            arrivals_.push_back({std::string(received.begin(), received.end()), at_ns});
        }
    } else if (count == 0 && session_) {
        session_->receive_end();
        take_plaintext(at_ns);
    } else if (count == 0) {
        note_end(PeerEnd::closed, peer_name_ + " closed the connection");
    } else if (error_number != EAGAIN && error_number != EINTR) {
        note_end(PeerEnd::reset, fmt::format("{}: {}", peer_name_, std::strerror(error_number)));
    }
}

void Client::take_ciphertext(std::span<const std::uint8_t> bytes, rig::TimestampNs at_ns) {
    while (!bytes.empty()) {
        bytes = bytes.subspan(session_->receive(bytes));
        take_plaintext(at_ns);
    }
    // Alerts and key updates go out when there is room; nobody waits for them.
    const auto waiting = session_->to_send();
    if (waiting.empty() || session_->state() == TlsSession::State::handshaking)
        return;
    const ssize_t sent =
        ::send(socket_.get(), waiting.data(), waiting.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
        session_->sent(static_cast<std::size_t>(sent));
}

void Client::take_plaintext(rig::TimestampNs at_ns) {
    std::array<std::uint8_t, 4096> buffer;
    while (const std::size_t count = session_->read(buffer)) {
        arrivals_.push_back({std::string(buffer.begin(), buffer.begin() + count), at_ns});
    }
    switch (session_->state()) {
        case TlsSession::State::handshaking:
        case TlsSession::State::open:
            return;
        case TlsSession::State::closed_by_peer:
            return note_end(PeerEnd::closed, peer_name_ + " closed the connection");
        case TlsSession::State::truncated:
            return note_end(PeerEnd::truncated,
                            fmt::format("{}: {}", peer_name_, session_->failure()));
        case TlsSession::State::failed:
            return note_end(PeerEnd::failed,
                            fmt::format("{}: {}", peer_name_, session_->failure()));
    }
}

void Client::note_end(PeerEnd end, std::string reason) {
    if (end_ != PeerEnd::none)
        return;
    end_ = end;
    end_ns_ = clock_.monotonic_ns();
    end_reason_ = std::move(reason);
}

std::size_t Client::bytes_waiting() const {
    std::size_t count = 0;
    for (const Arrival& arrival : arrivals_)
        count += arrival.bytes.size();
    return count;
}

Received Client::take(std::size_t bytes_max) {
    Received taken;
    while (!arrivals_.empty() && taken.bytes.size() < bytes_max) {
        Arrival& arrival = arrivals_.front();
        const std::size_t count = std::min(arrival.bytes.size(), bytes_max - taken.bytes.size());
        if (taken.bytes.empty())
            taken.first_byte_ns = arrival.at_ns;
        taken.last_byte_ns = arrival.at_ns;
        taken.bytes.append(arrival.bytes, 0, count);
        arrival.bytes.erase(0, count);
        if (arrival.bytes.empty())
            arrivals_.pop_front();
    }
    if (arrivals_.empty()) {
        taken.end = end_;
        taken.end_ns = end_ns_;
        taken.end_reason = end_reason_;
    }
    return taken;
}

Received Client::receive(std::size_t bytes_wanted, rig::Deadline deadline) {
    do {
        if (bytes_waiting() >= std::min(bytes_wanted, received_max))
            break;
        receive_once(deadline);
    } while (end_ == PeerEnd::none && !deadline.has_passed(clock_));
    return take(bytes_wanted);
}

Received Client::receive_until_end(rig::Deadline deadline) {
    return receive(std::numeric_limits<std::size_t>::max(), deadline);
}

Answer Client::transact(std::string_view request, rig::Deadline deadline) {
    if (has_half_closed_)
        throw std::logic_error("transact after half_close()");
    Answer reply;
    reply.sent_ns = clock_.monotonic_ns();
    const int error_number = session_ ? send_secure(bytes_of(request), deadline)
                                      : send_plain(bytes_of(request), deadline);
    // A server that refuses early may have answered already: the error only counts if it has not.
    take_reply(reply, deadline);
    if (reply.kind == Answer::Kind::none && error_number != 0) {
        reply.problem = fmt::format("send to {}: {}", peer_name_, std::strerror(error_number));
        if (end_ != PeerEnd::none)
            reply.problem += "; " + end_reason_;
    }
    return reply;
}

void Client::take_reply(Answer& reply, rig::Deadline deadline) {
    const Received first = receive(1, deadline);
    reply.bytes = first.bytes;
    reply.received_ns = first.last_byte_ns;
    if (first.bytes.empty()) {
        reply.problem = no_answer(reply.sent_ns);
        return;
    }
    const auto note_deadline = [&] {
        const auto wait = std::min<std::chrono::nanoseconds>(note_wait, deadline.left(clock_));
        return rig::Deadline::after(clock_, wait);
    };
    if (first.bytes == "X") {
        reply.kind = Answer::Kind::failed;
        reply.note = trim(receive(other_bytes_max, note_deadline()).bytes);
        return;
    }
    const bool may_be_accepted = first.bytes == "A";
    const Received rest = may_be_accepted ? receive(accepted_bytes - 1, deadline)
                                          : receive(other_bytes_max, note_deadline());
    reply.bytes += rest.bytes;
    if (rest.last_byte_ns != 0)
        reply.received_ns = rest.last_byte_ns;
    if (may_be_accepted && rest.bytes.size() == accepted_bytes - 1 && is_hex(rest.bytes)) {
        reply.kind = Answer::Kind::accepted;
        return;
    }
    reply.kind = Answer::Kind::other;
    const bool broke_off = may_be_accepted && rest.bytes.size() < accepted_bytes - 1;
    reply.problem = fmt::format("{} {} {}", peer_name_,
                                broke_off ? "broke off its reply:" : "answered what is no reply:",
                                show_bytes(bytes_of(reply.bytes)));
}

std::string Client::no_answer(rig::TimestampNs sent_ns) const {
    if (end_ == PeerEnd::closed) {
        return fmt::format("{} closed the connection without an answer", peer_name_);
    }
    if (end_ != PeerEnd::none)
        return "no answer: " + end_reason_;
    const double waited_ms =
        static_cast<double>(clock_.monotonic_ns() - sent_ns) / static_cast<double>(rig::ns_per_ms);
    return fmt::format("no answer from {} within {:.0f} ms", peer_name_, waited_ms);
}

void Client::half_close(rig::Deadline deadline) {
    if (session_ && !has_half_closed_) {
        session_->close();
        const int error_number = flush_session(deadline);
        if (error_number != 0)
            rig::throw_system_error(error_number, "send to " + peer_name_);
    }
    half_close_raw();
}

void Client::half_close_raw() {
    if (std::exchange(has_half_closed_, true))
        return;
    if (::shutdown(socket_.get(), SHUT_WR) != 0) {
        const int error_number = errno;
        rig::throw_system_error(error_number, "half-close the connection to " + peer_name_);
    }
}

void Client::reset() {
    const linger discard{1, 0};
    if (setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &discard, sizeof discard) != 0) {
        const int error_number = errno;
        rig::throw_system_error(error_number, "reset the connection to " + peer_name_);
    }
    socket_.reset();
}

const TlsFacts& Client::tls_facts() const {
    return session_ ? session_->facts() : no_facts_;
}

}  // namespace harness
