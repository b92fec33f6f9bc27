#include "harness/server/outbox.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "harness/wwep/frame.hpp"

namespace harness {

Outbox::Outbox(const rig::Clock& clock, EventSink& sink, ConnectionId id)
    : clock_(clock), sink_(sink), id_(id) {}

void Outbox::add(FrameId frame_id, const ReplyPlan& plan, const Order& then) {
    const std::size_t piece_size =
        plan.is_bytewise ? 1 : std::max<std::size_t>(1, plan.bytes.size());
    TimestampNs due_ns = clock_.monotonic_ns() + plan.delay.count();
    for (std::size_t at = 0; at < plan.bytes.size(); at += piece_size) {
        const bool is_last = at + piece_size >= plan.bytes.size();
        replies_.push_back({.frame_id = is_last ? frame_id : 0,
                            .due_ns = due_ns,
                            .bytes = plan.bytes.substr(at, piece_size),
                            .whole = is_last ? plan.bytes : "",
                            .then = is_last ? then : Order{}});
        due_ns += plan.gap.count();
    }
    if (plan.bytes.empty() && then) {
        replies_.push_back({.due_ns = due_ns, .then = then});
    }
}

void Outbox::add(std::string bytes) {
    replies_.push_back({.due_ns = clock_.monotonic_ns(), .bytes = std::move(bytes)});
}

Order Outbox::make_bytes() {
    const TimestampNs now_ns = replies_.empty() ? 0 : clock_.monotonic_ns();
    Order order;
    while (!order && !replies_.empty() && replies_.front().due_ns <= now_ns &&
           bytes().size() < bytes_max) {
        Reply& reply = replies_.front();
        const auto* const first = reinterpret_cast<const std::uint8_t*>(reply.bytes.data());
        const std::span<const std::uint8_t> piece(first, reply.bytes.size());
        if (tls_ != nullptr) {
            tls_->write(piece);
        } else {
            clear_bytes_.insert(clear_bytes_.end(), piece.begin(), piece.end());
        }
        if (reply.frame_id != 0) {
            marks_.push_back({.frame_id = reply.frame_id,
                              .after_bytes = bytes_sent_ + bytes().size(),
                              .bytes = std::move(reply.whole)});
        }
        order = std::move(reply.then);
        replies_.pop_front();
    }
    return order;
}

std::span<const std::uint8_t> Outbox::bytes() const {
    return tls_ != nullptr ? tls_->to_send() : std::span<const std::uint8_t>(clear_bytes_);
}

Outbox::Flushed Outbox::flush(int socket, Mischief& mischief) {
    while (has_bytes()) {
        const ssize_t sent =
            ::send(socket, bytes().data(), mischief.may_send(bytes_sent_, bytes().size()),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
        const int error = errno;
        if (sent >= 0) {
            note_sent(static_cast<std::size_t>(sent));
            if (Order order = mischief.after_sent(bytes_sent_)) {
                return {.order = std::move(order)};
            }
        } else if (error == EAGAIN) {
            stalled_since_ns_ = stalled_since_ns_.value_or(clock_.monotonic_ns());
            break;
        } else if (error != EINTR) {
            return {.order = {}, .error = error};
        }
    }
    return {};
}

void Outbox::note_sent(std::size_t count) {
    stalled_since_ns_.reset();
    bytes_sent_ += count;
    if (tls_ != nullptr) {
        tls_->sent(count);
    } else {
        clear_bytes_.erase(clear_bytes_.begin(),
                           clear_bytes_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    while (!marks_.empty() && marks_.front().after_bytes <= bytes_sent_) {
        sink_.take(ReplySent{.frame_id = marks_.front().frame_id,
                             .connection_id = id_,
                             .replied_ns = clock_.monotonic_ns(),
                             .reply = std::move(marks_.front().bytes)});
        marks_.pop_front();
    }
}

bool Outbox::is_full() const {
    return bytes().size() + replies_.size() * accepted_reply_size >= bytes_max;
}

std::optional<TimestampNs> Outbox::due_ns() const {
    return !replies_.empty() && bytes().size() < bytes_max ? std::optional(replies_.front().due_ns)
                                                           : std::nullopt;
}

}  // namespace harness
