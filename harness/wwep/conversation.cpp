#include "harness/wwep/conversation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

namespace harness {
namespace {

/// "200 ms", "30 s", "1500 ms": a whole number of the largest unit that fits.
std::string spell(std::chrono::nanoseconds duration) {
    const auto ns = duration.count();
    if (ns % rig::ns_per_s == 0) {
        return fmt::format("{} s", ns / rig::ns_per_s);
    }
    if (ns % rig::ns_per_ms == 0) {
        return fmt::format("{} ms", ns / rig::ns_per_ms);
    }
    return fmt::format("{} us", ns / rig::ns_per_us);
}

/// base + timeout, without running over for a timeout that stands for "never".
TimestampNs later(TimestampNs base_ns, std::chrono::nanoseconds timeout) {
    constexpr TimestampNs last = std::numeric_limits<TimestampNs>::max();
    return timeout.count() > last - base_ns ? last : base_ns + timeout.count();
}

}  // namespace

Conversation::Conversation(RegisterFile& registers, ConversationMode mode,
                           ConversationLimits limits, TimestampNs opened_ns)
    : registers_(registers), mode_(mode), limits_(limits), last_received_ns_(opened_ns) {}

void Conversation::bytes(std::string_view received, TimestampNs received_ns, StampSource stamp) {
    if (received.empty()) {
        return;
    }
    if (!frame_.empty() && stamp == StampSource::kernel) {
        time_passed(received_ns);
    }
    last_received_ns_ = std::max({last_received_ns_, received_ns, heard_since_ns_});
    while (!received.empty()) {
        if (frame_.empty()) {
            received.remove_prefix(swallow_line_end(received));
        }
        if (state_ == State::finished) {
            ignored_bytes_ += static_cast<std::int64_t>(received.size());
            return;
        }
        received.remove_prefix(add_to_frame(received, received_ns, stamp));
    }
}

void Conversation::bytes(std::span<const std::uint8_t> received, TimestampNs received_ns,
                         StampSource stamp) {
    bytes(std::string_view(reinterpret_cast<const char*>(received.data()), received.size()),
          received_ns, stamp);
}

std::size_t Conversation::swallow_line_end(std::string_view received) {
    std::size_t swallowed = 0;
    if (line_end_ == LineEnd::any && received.front() == '\r') {
        swallowed = 1;
        line_end_ = LineEnd::line_feed;
    }
    if (swallowed == received.size()) {
        return swallowed;  // The line feed may come with the next read.
    }
    if (line_end_ != LineEnd::none && received[swallowed] == '\n') {
        ++swallowed;
    }
    line_end_ = LineEnd::none;
    return swallowed;
}

std::size_t Conversation::add_to_frame(std::string_view received, TimestampNs received_ns,
                                       StampSource stamp) {
    if (received.empty()) {
        return 0;
    }
    if (frame_.empty()) {
        frame_began_ns_ = std::max(received_ns, heard_since_ns_);
    }
    const std::size_t before = frame_.size();
    const std::size_t size = frame_size(before == 0 ? received.front() : frame_.front());
    frame_ += received.substr(0, std::max<std::size_t>(size, 1) - before);
    frame_stamp_ = stamp;
    frame_received_ns_ = received_ns;

    const FrameParse parse = parse_frame(frame_);
    frame_.resize(parse.size);
    if (parse.outcome != ParseOutcome::incomplete) {
        answer(parse);
    }
    return parse.size - before;
}

Exchange Conversation::end_frame(FrameVerdict verdict) {
    Exchange exchange;
    exchange.verdict = verdict;
    exchange.raw = std::exchange(frame_, {});
    exchange.received_ns = frame_received_ns_;
    exchange.stamp = frame_stamp_;
    exchange.reply = format_failed();
    return exchange;
}

void Conversation::answer(const FrameParse& parse) {
    if (parse.outcome == ParseOutcome::illegal) {
        Exchange exchange = end_frame(FrameVerdict::illegal);
        exchange.reason = parse.reason;
        exchanges_.push_back(std::move(exchange));
        finish(parse.reason);
        return;
    }
    const bool is_read = parse.frame.command == Command::read;
    Exchange exchange = end_frame(is_read ? FrameVerdict::read : FrameVerdict::write);
    exchange.device = parse.frame.device;
    exchange.reg = parse.frame.reg;
    if (is_read) {
        answer_read(parse.frame, exchange);
    } else {
        answer_write(parse.frame, exchange);
    }
    exchanges_.push_back(std::move(exchange));
    line_end_ = LineEnd::any;
    if (mode_ == ConversationMode::one_transaction) {
        finish("answered");
    }
}

void Conversation::answer_read(const Frame& frame, Exchange& exchange) const {
    exchange.value = registers_.read(frame.device, frame.reg);
    if (exchange.value) {
        exchange.reply = format_accepted(frame.device, frame.reg, *exchange.value);
    }
}

void Conversation::answer_write(const Frame& frame, Exchange& exchange) {
    exchange.value = frame.value;
    try {
        registers_.write(frame.device, frame.reg, frame.value);
        exchange.reply = echo_accepted(exchange.raw);
    } catch (const std::system_error& error) {
        // A value that cannot be kept (disk full) is a failed write, and `X` says so; ending the
        // connection without a reply or a row would hide it.
        exchange.reason = error.what();
    }
}

void Conversation::peer_finished(TimestampNs now_ns) {
    if (!frame_.empty()) {
        time_passed(now_ns);
    }
    if (state_ == State::finished) {
        return;
    }
    if (frame_.empty()) {
        finish("peer closed");
    } else {
        truncate("frame incomplete when the peer finished");
    }
}

void Conversation::time_passed(TimestampNs now_ns) {
    const auto deadline = deadline_ns();
    if (!deadline || now_ns < *deadline) {
        return;
    }
    if (frame_.empty()) {
        finish("idle for " + spell(limits_.idle_timeout));
    } else {
        truncate("frame incomplete after " + spell(limits_.frame_timeout));
    }
}

void Conversation::heard_again(TimestampNs now_ns) {
    heard_since_ns_ = now_ns;
    frame_began_ns_ = std::max(frame_began_ns_, now_ns);
    last_received_ns_ = std::max(last_received_ns_, now_ns);
}

void Conversation::next_has_waited(TimestampNs now_ns) {
    heard_since_ns_ = now_ns;
}

void Conversation::truncate(std::string reason) {
    Exchange exchange = end_frame(FrameVerdict::truncated);
    exchange.reason = reason;
    exchanges_.push_back(std::move(exchange));
    finish(std::move(reason));
}

void Conversation::finish(std::string reason) {
    state_ = State::finished;
    end_reason_ = std::move(reason);
}

std::optional<TimestampNs> Conversation::deadline_ns() const {
    if (state_ == State::finished) {
        return std::nullopt;
    }
    return frame_.empty() ? later(last_received_ns_, limits_.idle_timeout)
                          : later(frame_began_ns_, limits_.frame_timeout);
}

std::vector<Exchange> Conversation::take() {
    return std::exchange(exchanges_, {});
}

}  // namespace harness
