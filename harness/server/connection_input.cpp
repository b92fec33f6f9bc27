// What comes in: from the socket through TLS to the conversation, and the exchanges that it yields.
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "harness/server/connection.hpp"

namespace harness {
namespace {

constexpr std::size_t read_size = Connection::received_per_call_max;

std::int64_t kernel_stamp_ns(msghdr& message) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
         control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            timespec stamp{};
            std::memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
            return std::int64_t{stamp.tv_sec} * rig::ns_per_s + stamp.tv_nsec;
        }
    }
    return 0;
}

}  // namespace

void Connection::begin_conversation() {
    const TimestampNs now_ns = context_.clock.monotonic_ns();
    conversation_ = std::make_unique<Conversation>(context_.registers, context_.limits.mode,
                                                   context_.limits.conversation, now_ns);
    if (std::string early = mischief_.early_reply(); !early.empty()) {
        outbox_.add(std::move(early));
    }
}

bool Connection::read_available() {
    std::size_t taken = 0;
    while (taken < received_per_call_max && !peer_has_ended_ && context_.sink.has_room()) {
        if (read_once(taken) != ReadOutcome::may_have_more) {
            return true;
        }
    }
    return peer_has_ended_;
}

Connection::ReadOutcome Connection::read_once(std::size_t& taken) {
    std::array<std::uint8_t, read_size> buffer;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control;
    iovec data{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();

    const ssize_t got = ::recvmsg(socket_.get(), &message, 0);
    const int error = errno;
    if (got < 0) {
        if (error == EAGAIN) {
            return ReadOutcome::drained;
        }
        if (error == EINTR) {
            return ReadOutcome::may_have_more;
        }
        if (tls_ != nullptr && state_ == State::handshaking) {
            tls_->receive_end();
            record_handshake(
                fmt::format("the peer reset the connection: {}", std::strerror(error)));
        }
        end(has_spoken_ ? "peer reset the connection after its frame"
                        : "peer reset the connection");
        return ReadOutcome::over;
    }
    if (got == 0) {
        take_end();
        return ReadOutcome::drained;
    }
    const auto size = static_cast<std::size_t>(got);
    taken += size;
    bytes_received_ += size;
    if (drops_input_) {
        bytes_dropped_ += got;
        return size == buffer.size() ? ReadOutcome::may_have_more : ReadOutcome::drained;
    }
    const std::int64_t kernel_ns = kernel_stamp_ns(message);
    const ReceiveStamp stamp = context_.stamps.convert(kernel_ns, last_kernel_ns_);
    last_kernel_ns_ = kernel_ns;
    const std::span<const std::uint8_t> bytes(buffer.data(), size);
    if (tls_ != nullptr) {
        take_ciphertext(bytes, stamp);
    } else {
        take_plaintext(bytes, stamp);
    }
    is_behind_ = size == buffer.size();
    obey(mischief_.after_received(bytes_received_));
    if (state_ == State::over) {
        return ReadOutcome::over;
    }
    return size == buffer.size() ? ReadOutcome::may_have_more : ReadOutcome::drained;
}

void Connection::take_ciphertext(std::span<const std::uint8_t> bytes, ReceiveStamp stamp) {
    std::array<std::uint8_t, read_size> plaintext;
    bool says_something = false;
    while (!bytes.empty()) {
        bytes = bytes.subspan(tls_->receive(bytes));
        look_at_session();
        while (const std::size_t size = tls_->read(plaintext)) {
            take_plaintext({plaintext.data(), size}, stamp);
            says_something = true;
        }
    }
    look_at_session();
    if (!says_something && conversation_ != nullptr && stamp.source == StampSource::kernel) {
        // Records without content, or a part of a long one: a peer that always has more of them
        // under way is as late as one that is silent.
        conversation_->time_passed(stamp.at_ns);
        collect_exchanges();
    }
}

void Connection::take_plaintext(std::span<const std::uint8_t> bytes, ReceiveStamp stamp) {
    if (conversation_ != nullptr) {
        if (is_behind_) {
            conversation_->next_has_waited(context_.clock.monotonic_ns());
        }
        conversation_->bytes(bytes, stamp.at_ns, stamp.source);
        collect_exchanges();
    }
}

void Connection::take_end() {
    peer_has_ended_ = true;
    if (drops_input_) {
        return;
    }
    if (tls_ != nullptr) {
        tls_->receive_end();
        look_at_session();
    }
    if (conversation_ != nullptr) {
        conversation_->peer_finished(context_.clock.monotonic_ns());
        collect_exchanges();
    }
}

void Connection::look_at_session() {
    const TlsSession::State session = tls_->state();
    if (state_ == State::handshaking && session != TlsSession::State::handshaking) {
        mischief_.after_handshake(*tls_);
        if (session == TlsSession::State::failed) {
            record_handshake(tls_->failure());
            finish("TLS handshake failed");
            return;
        }
        record_handshake("");
        state_ = State::talking;
        begin_conversation();
    }
    if (session == TlsSession::State::failed && state_ == State::talking) {
        finish(tls_->failure());
    } else if (session == TlsSession::State::closed_by_peer ||
               session == TlsSession::State::truncated) {
        if (session == TlsSession::State::truncated && reason_.empty() && !has_spoken_) {
            reason_ = tls_->failure();
        }
        conversation_->peer_finished(context_.clock.monotonic_ns());
        collect_exchanges();
    }
}

void Connection::record_handshake(const std::string& failure) {
    const TimestampNs now_ns = context_.clock.monotonic_ns();
    const TlsFacts& facts = tls_->facts();
    const ClientHello* const hello = tls_->client_hello();
    context_.sink.take(HandshakeEnded{.id = id_,
                                      .at_ns = now_ns,
                                      .tls_version = facts.version,
                                      .cipher = facts.cipher,
                                      .handshake_ns = now_ns - opened_ns_,
                                      .offered = hello != nullptr ? to_json(*hello) : "",
                                      .failure = failure});
}

void Connection::collect_exchanges() {
    const TimestampNs now_ns = context_.clock.monotonic_ns();
    for (Exchange& exchange : conversation_->take()) {
        has_spoken_ = true;
        const FrameId frame_id = ++context_.last_frame_id;
        const auto device = exchange.device;
        context_.sink.take(FrameReceived{.id = frame_id,
                                         .connection_id = id_,
                                         .received_ns = exchange.received_ns,
                                         .stamp = exchange.stamp,
                                         .verdict = exchange.verdict,
                                         .device = device,
                                         .reg = exchange.reg,
                                         .value = exchange.value,
                                         .raw = std::move(exchange.raw),
                                         .reason = std::move(exchange.reason)});
        if (device) {
            for (const auto& collision : context_.device_ids.frame_seen(*device, peer_, now_ns)) {
                context_.sink.take(
                    RigNote{.at_ns = now_ns, .what = describe(collision), .is_error = false});
            }
        }
        queue_reply(frame_id, mischief_.plan(device, std::move(exchange.reply)));
    }
}

void Connection::queue_reply(FrameId frame_id, const ReplyPlan& plan) {
    Order then;
    if (plan.end == ReplyPlan::End::close) {
        then = {.what = Order::What::close, .reason = "closed in the reply, on purpose"};
    } else if (plan.end == ReplyPlan::End::silent &&
               conversation_->state() == Conversation::State::finished) {
        then = {.what = Order::What::mute,
                .length = plan.silence,
                .reason = "not answered, on purpose"};
    }
    outbox_.add(frame_id, plan, then);
}

}  // namespace harness
