#include "harness/server/connection.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

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

Connection::Connection(ConnectionContext& context, ConnectionId id, Accepted accepted,
                       const TlsContext* tls)
    : context_(context),
      id_(id),
      socket_(std::move(accepted.socket)),
      peer_(std::move(accepted.peer)),
      opened_ns_(context.clock.monotonic_ns()),
      handshake_until_ns_(opened_ns_ + context.limits.handshake_timeout.count()),
      state_(tls != nullptr ? State::handshaking : State::talking),
      mischief_(context.faults, context.sink, context.clock, id,
                tls != nullptr ? FaultPort::secure : FaultPort::clear) {
    const bool is_secure_port = tls != nullptr;
    tls = mischief_.context(tls);
    state_ = tls != nullptr ? State::handshaking : State::talking;
    context_.sink.take(ConnectionOpened{.id = id_,
                                        .at_ns = opened_ns_,
                                        .peer = peer_,
                                        .local = std::move(accepted.local),
                                        .secure = is_secure_port});
    if (tls != nullptr) {
        try {
            tls_ = std::make_unique<TlsSession>(*tls);
            mischief_.dress(*tls_);
        } catch (const std::exception& error) {
            end(fmt::format("the rig failed: {}", error.what()));
            throw;
        }
    } else {
        begin_conversation();
    }
    obey(mischief_.at_accept());
}

Connection::~Connection() = default;

void Connection::on_readable() {
    if (state_ != State::over && !is_deaf_) {
        read_available();
    }
    advance();
}

void Connection::begin_conversation() {
    const TimestampNs now_ns = context_.clock.monotonic_ns();
    conversation_ = std::make_unique<Conversation>(context_.registers, context_.limits.mode,
                                                   context_.limits.conversation, now_ns);
    if (std::string early = mischief_.early_reply(); !early.empty()) {
        pending_.push_back({.due_ns = now_ns, .bytes = std::move(early)});
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
    const std::size_t piece_size =
        plan.is_bytewise ? 1 : std::max<std::size_t>(1, plan.bytes.size());
    TimestampNs due_ns = context_.clock.monotonic_ns() + plan.delay.count();
    for (std::size_t at = 0; at < plan.bytes.size(); at += piece_size) {
        const bool is_last = at + piece_size >= plan.bytes.size();
        pending_.push_back({.frame_id = is_last ? frame_id : 0,
                            .due_ns = due_ns,
                            .bytes = plan.bytes.substr(at, piece_size),
                            .whole = is_last ? plan.bytes : "",
                            .then = is_last ? then : Order{}});
        due_ns += plan.gap.count();
    }
    if (plan.bytes.empty() && then) {
        pending_.push_back({.due_ns = due_ns, .then = then});
    }
}

void Connection::queue_due_replies() {
    const bool can_write = tls_ == nullptr || (tls_->state() != TlsSession::State::failed &&
                                               tls_->state() != TlsSession::State::handshaking);
    const TimestampNs now_ns = pending_.empty() ? 0 : context_.clock.monotonic_ns();
    Order order;
    while (!order && !pending_.empty() && can_write && pending_.front().due_ns <= now_ns &&
           unsent().size() < bytes_unsent_max) {
        PendingReply& reply = pending_.front();
        const auto* const first = reinterpret_cast<const std::uint8_t*>(reply.bytes.data());
        const std::span<const std::uint8_t> bytes(first, reply.bytes.size());
        if (tls_ != nullptr) {
            tls_->write(bytes);
        } else {
            clear_output_.insert(clear_output_.end(), bytes.begin(), bytes.end());
        }
        if (reply.frame_id != 0) {
            marks_.push_back({.frame_id = reply.frame_id,
                              .after_bytes = bytes_sent_ + unsent().size(),
                              .bytes = std::move(reply.whole)});
        }
        order = std::move(reply.then);
        pending_.pop_front();
    }
    if (!can_write) {
        pending_.clear();
    }
    obey(order);
}

std::span<const std::uint8_t> Connection::unsent() const {
    return tls_ != nullptr ? tls_->to_send() : std::span<const std::uint8_t>(clear_output_);
}

void Connection::flush() {
    while (!unsent().empty()) {
        const ssize_t sent =
            ::send(socket_.get(), unsent().data(), mischief_.may_send(bytes_sent_, unsent().size()),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
        const int error = errno;
        if (sent >= 0) {
            mark_sent(static_cast<std::size_t>(sent));
            if (const Order order = mischief_.after_sent(bytes_sent_)) {
                obey(order);
                return;
            }
            continue;
        }
        if (error == EINTR) {
            continue;
        }
        if (error == EAGAIN) {
            if (stalled_since_ns_ == 0) {
                stalled_since_ns_ = context_.clock.monotonic_ns();
            }
            return;
        }
        if (state_ == State::handshaking) {
            record_handshake(
                fmt::format("the peer went before it ended: {}", std::strerror(error)));
            end("peer went during the TLS handshake");
            return;
        }
        end(fmt::format("peer went without taking the reply: {}", std::strerror(error)));
        return;
    }
}

void Connection::mark_sent(std::size_t bytes) {
    stalled_since_ns_ = 0;
    bytes_sent_ += bytes;
    if (tls_ != nullptr) {
        tls_->sent(bytes);
    } else {
        clear_output_.erase(clear_output_.begin(),
                            clear_output_.begin() + static_cast<std::ptrdiff_t>(bytes));
    }
    while (!marks_.empty() && marks_.front().after_bytes <= bytes_sent_) {
        context_.sink.take(ReplySent{.frame_id = marks_.front().frame_id,
                                     .connection_id = id_,
                                     .replied_ns = context_.clock.monotonic_ns(),
                                     .reply = std::move(marks_.front().bytes)});
        marks_.pop_front();
    }
}

void Connection::on_writable() {
    advance();
}

void Connection::on_time() {
    const TimestampNs now_ns = context_.clock.monotonic_ns();
    const ConnectionLimits& limits = context_.limits;
    if (state_ == State::handshaking && hears()) {
        on_readable();  // what has arrived in time must not be taken for late
    }
    if (state_ == State::handshaking && hears() && now_ns >= handshake_until_ns_) {
        const std::string failure =
            fmt::format("no handshake within {} s",
                        static_cast<double>(limits.handshake_timeout.count()) / 1e9);
        record_handshake(failure);
        end("TLS handshake failed");
        return;
    }
    if (stalled_since_ns_ != 0 &&
        now_ns >= stalled_since_ns_ + limits.conversation.idle_timeout.count()) {
        end("peer does not read its replies");
        return;
    }
    if ((state_ == State::draining && now_ns >= drain_until_ns_) ||
        (state_ == State::held && now_ns >= held_until_ns_)) {
        end(end_reason());
        return;
    }
    if (state_ == State::talking && hears() && !owes_too_much()) {
        const bool heard_all = read_available();  // likewise
        if (heard_all && state_ == State::talking && hears()) {
            conversation_->time_passed(context_.clock.monotonic_ns());
            collect_exchanges();
        }
    }
    if (state_ != State::over) {
        advance();
    }
}

void Connection::on_heard_again() {
    const TimestampNs now_ns = context_.clock.monotonic_ns();
    handshake_until_ns_ = now_ns + context_.limits.handshake_timeout.count();
    if (conversation_ != nullptr) {
        conversation_->heard_again(now_ns);
    }
    on_readable();
}

void Connection::shut_down() {
    if (state_ == State::handshaking) {
        record_handshake("the server was shut down");
        end("server shut down");
        return;
    }
    if (state_ == State::held) {
        end(end_reason());
        return;
    }
    on_readable();
    if (state_ == State::talking) {
        conversation_->peer_finished(context_.clock.monotonic_ns());
        collect_exchanges();
        finish("server shut down");
        advance();
    }
}

void Connection::abandon(const std::string& reason) {
    if (state_ == State::handshaking) {
        record_handshake(reason);
    }
    end(reason);
}

void Connection::obey(const Order& order) {
    if (!order || state_ == State::over) {
        return;
    }
    if (state_ == State::handshaking) {
        record_handshake(order.reason);
    }
    pending_.clear();
    drops_input_ = true;
    switch (order.what) {
        case Order::What::go_on:
            return;
        case Order::What::close:
            if (state_ != State::draining) {
                finish(order.reason);
            }
            return;
        case Order::What::reset: {
            const linger hard{.l_onoff = 1, .l_linger = 0};
            ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            end(order.reason);
            return;
        }
        case Order::What::mute:
        case Order::What::deaf:
            state_ = State::held;
            reason_ = order.reason;
            is_deaf_ = order.what == Order::What::deaf;
            held_until_ns_ = context_.clock.monotonic_ns() + order.length.count();
            return;
    }
}

void Connection::finish(std::string reason) {
    state_ = State::finishing;
    reason_ = std::move(reason);
}

void Connection::advance() {
    if (state_ == State::over) {
        return;
    }
    // What a fault of TLS's records wants, once they are out.
    const auto obey_records = [this] {
        if (state_ != State::over && !drops_input_ && unsent().empty()) {
            obey(mischief_.after_records());
        }
    };
    queue_due_replies();
    flush();
    obey_records();
    if (state_ == State::over) {
        return;
    }
    const bool owes = owes_too_much();
    if (owed_too_much_ && !owes && conversation_ != nullptr) {
        conversation_->heard_again(context_.clock.monotonic_ns());
    }
    owed_too_much_ = owes;
    if (state_ == State::talking && conversation_->state() == Conversation::State::finished) {
        state_ = State::finishing;
    }
    if (state_ == State::finishing && pending_.empty() && unsent().empty()) {
        if (tls_ != nullptr && !mischief_.omits_close_notify()) {
            tls_->close();
        }
        state_ = State::draining;
        drain_until_ns_ = context_.clock.monotonic_ns() + context_.limits.drain_timeout.count();
        flush();
        obey_records();
    }
    if (state_ == State::draining && unsent().empty() && !is_half_closed_) {
        ::shutdown(socket_.get(), SHUT_WR);  // fails only if the peer has gone, which is fine
        is_half_closed_ = true;
    }
    if (peer_has_ended_ &&
        (state_ == State::held || (state_ == State::draining && is_half_closed_))) {
        end(end_reason());
    }
}

bool Connection::hears() const {
    return !context_.is_held_back && context_.sink.has_room();
}

bool Connection::owes_too_much() const {
    return unsent().size() + pending_.size() * accepted_reply_size >= bytes_unsent_max;
}

std::string Connection::end_reason() const {
    if (!reason_.empty()) {
        return reason_;
    }
    return conversation_ != nullptr ? conversation_->end_reason() : "peer closed";
}

void Connection::end(std::string reason) {
    if (state_ == State::over) {
        return;
    }
    state_ = State::over;
    context_.sink.take(ConnectionClosed{
        .id = id_,
        .at_ns = context_.clock.monotonic_ns(),
        .end_reason = std::move(reason),
        .ignored_bytes =
            bytes_dropped_ + (conversation_ != nullptr ? conversation_->ignored_bytes() : 0)});
}

Interest Connection::interest() const {
    return {.readable = state_ != State::over && !peer_has_ended_ && !owes_too_much() &&
                        !context_.is_held_back && !is_deaf_,
            .writable = state_ != State::over && !unsent().empty()};
}

std::optional<TimestampNs> Connection::deadline_ns() const {
    std::optional<TimestampNs> earliest;
    const auto consider = [&earliest](TimestampNs at_ns) {
        earliest = earliest ? std::min(*earliest, at_ns) : at_ns;
    };
    const ConnectionLimits& limits = context_.limits;
    // While peers are not read from these deadlines rest: acting on them is not possible, so a
    // timer for one that has passed would fire for ever.
    if (state_ == State::handshaking && !context_.is_held_back) {
        consider(handshake_until_ns_);
    }
    if (state_ == State::talking && !context_.is_held_back && !owes_too_much()) {
        if (const auto deadline = conversation_->deadline_ns()) {
            consider(*deadline);
        }
    }
    if (state_ == State::draining) {
        consider(drain_until_ns_);
    }
    if (state_ == State::held) {
        consider(held_until_ns_);
    }
    if (!pending_.empty() && unsent().size() < bytes_unsent_max) {
        consider(pending_.front().due_ns);
    }
    if (stalled_since_ns_ != 0) {
        consider(stalled_since_ns_ + limits.conversation.idle_timeout.count());
    }
    return earliest;
}

}  // namespace harness
