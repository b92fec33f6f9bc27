#include "harness/server/connection.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace harness {

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
                tls != nullptr ? FaultPort::secure : FaultPort::clear),
      outbox_(context.clock, context.sink, id) {
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
            outbox_.use(*tls_);
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

void Connection::make_bytes() {
    if (tls_ != nullptr && (tls_->state() == TlsSession::State::failed ||
                            tls_->state() == TlsSession::State::handshaking)) {
        outbox_.drop_replies();
        return;
    }
    obey(outbox_.make_bytes());
}

void Connection::flush() {
    const auto [order, error] = outbox_.flush(socket_.get(), mischief_);
    obey(order);
    if (error == 0) {
        return;
    }
    if (state_ == State::handshaking) {
        record_handshake(fmt::format("the peer went before it ended: {}", std::strerror(error)));
        end("peer went during the TLS handshake");
        return;
    }
    end(fmt::format("peer went without taking the reply: {}", std::strerror(error)));
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
    if (const auto stalled_ns = outbox_.stalled_since_ns();
        stalled_ns && now_ns >= *stalled_ns + limits.conversation.idle_timeout.count()) {
        end("peer does not read its replies");
        return;
    }
    if ((state_ == State::draining && now_ns >= drain_until_ns_) ||
        (state_ == State::held && now_ns >= held_until_ns_)) {
        end(end_reason());
        return;
    }
    if (state_ == State::talking && hears() && !outbox_.is_full()) {
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
    outbox_.drop_replies();
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
        if (state_ != State::over && !drops_input_ && !outbox_.has_bytes()) {
            obey(mischief_.after_records());
        }
    };
    make_bytes();
    flush();
    obey_records();
    if (state_ == State::over) {
        return;
    }
    const bool is_full = outbox_.is_full();
    if (outbox_was_full_ && !is_full && conversation_ != nullptr) {
        conversation_->heard_again(context_.clock.monotonic_ns());
    }
    outbox_was_full_ = is_full;
    if (state_ == State::talking && conversation_->state() == Conversation::State::finished) {
        state_ = State::finishing;
    }
    if (state_ == State::finishing && !outbox_.has_replies() && !outbox_.has_bytes()) {
        if (tls_ != nullptr && !mischief_.omits_close_notify()) {
            tls_->close();
        }
        state_ = State::draining;
        drain_until_ns_ = context_.clock.monotonic_ns() + context_.limits.drain_timeout.count();
        flush();
        obey_records();
    }
    if (state_ == State::draining && !outbox_.has_bytes() && !is_half_closed_) {
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
    return {.readable = state_ != State::over && !peer_has_ended_ && !outbox_.is_full() &&
                        !context_.is_held_back && !is_deaf_,
            .writable = state_ != State::over && outbox_.has_bytes()};
}

std::optional<TimestampNs> Connection::deadline_ns() const {
    std::optional<TimestampNs> earliest;
    const auto consider = [&earliest](TimestampNs at_ns) {
        earliest = earliest ? std::min(*earliest, at_ns) : at_ns;
    };
    // While peers are not read from these deadlines rest: acting on them is not possible, so a
    // timer for one that has passed would fire for ever.
    if (state_ == State::handshaking && !context_.is_held_back) {
        consider(handshake_until_ns_);
    }
    if (state_ == State::talking && !context_.is_held_back && !outbox_.is_full()) {
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
    if (const auto due_ns = outbox_.due_ns()) {
        consider(*due_ns);
    }
    if (const auto stalled_ns = outbox_.stalled_since_ns()) {
        consider(*stalled_ns + context_.limits.conversation.idle_timeout.count());
    }
    return earliest;
}

}  // namespace harness
