#include "rig/target/board_target.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include "rig/base/errors.hpp"

namespace rig {
namespace {

constexpr std::size_t read_bytes = 16384;

}  // namespace

BoardTarget::BoardTarget(const Clock& clock, std::optional<SerialPort> console)
    : clock_(clock), port_(std::move(console)) {}

void BoardTarget::start() {
    if (!is_running_) {
        reset();
    }
}

void BoardTarget::reset() {
    retired_console_.reset();
    open_console();
    static_cast<void>(read_console());  // what the old run still said
    lines_.flush(clock_.monotonic_ns(), waiting_);
    lines_.clear();
    flush_at_ns_ = 0;
    is_running_ = true;
    waiting_.emplace_back(TargetStarted{clock_.monotonic_ns(), 0});
}

void BoardTarget::stop() {
    retired_console_.reset();
    if (is_running_) {
        is_running_ = false;
        waiting_.emplace_back(TargetEnded{clock_.monotonic_ns(), "switched off", true});
    }
}

void BoardTarget::stop_now() noexcept {
    retired_console_ = std::move(console_);
    reopen_at_ns_ = 0;
    flush_at_ns_ = 0;
    is_running_ = false;
}

std::vector<int> BoardTarget::descriptors() const {
    return console_ ? std::vector<int>{console_.get()} : std::vector<int>{};
}

TimestampNs BoardTarget::next_deadline_ns() const {
    if (reopen_at_ns_ == 0 || flush_at_ns_ == 0) {
        return std::max(reopen_at_ns_, flush_at_ns_);
    }
    return std::min(reopen_at_ns_, flush_at_ns_);
}

bool BoardTarget::read(std::vector<TargetEvent>& events) {
    retired_console_.reset();
    const bool may_have_more = read_console();
    do_what_is_due(clock_.monotonic_ns());
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(events));
    waiting_.clear();
    return may_have_more;
}

void BoardTarget::open_console() {
    if (!port_ || console_ || reopen_at_ns_ != 0) {
        return;
    }
    console_ = open_serial_port(*port_);
}

bool BoardTarget::read_console() {
    std::array<char, read_bytes> buffer;
    std::size_t total = 0;
    while (console_ && total < read_bytes_max) {
        const ssize_t length = ::read(console_.get(), buffer.data(), buffer.size());
        const int error_number = errno;
        if (length > 0) {
            const TimestampNs now_ns = clock_.monotonic_ns();
            total += static_cast<std::size_t>(length);
            lines_.take({buffer.data(), static_cast<std::size_t>(length)}, now_ns, waiting_);
            flush_at_ns_ = lines_.has_unfinished() ? now_ns + ConsoleLines::unfinished_ns_max : 0;
        } else if (length == 0) {
            lose_console("it was unplugged");
        } else if (error_number == EAGAIN) {
            return false;
        } else if (error_number != EINTR) {
            lose_console(std::generic_category().message(error_number));
        }
    }
    return static_cast<bool>(console_);
}

void BoardTarget::lose_console(const std::string& why) {
    const TimestampNs now_ns = clock_.monotonic_ns();
    lines_.flush(now_ns, waiting_);
    flush_at_ns_ = 0;
    waiting_.emplace_back(ConsoleChanged{
        .at_ns = now_ns,
        .what = fmt::format("console {} has gone: {}{}", port_->path, why,
                            is_running_ ? "; plug it in again, or look at its cable" : ""),
        .is_trouble = is_running_});
    retired_console_ = std::move(console_);
    reopen_at_ns_ = now_ns + reopen_every_ns;
}

void BoardTarget::do_what_is_due(TimestampNs now_ns) {
    if (flush_at_ns_ != 0 && now_ns >= flush_at_ns_) {
        flush_at_ns_ = 0;
        lines_.flush(now_ns, waiting_);
    }
    if (reopen_at_ns_ == 0 || now_ns < reopen_at_ns_) {
        return;
    }
    try {
        console_ = open_serial_port(*port_);
        reopen_at_ns_ = 0;
        waiting_.emplace_back(
            ConsoleChanged{now_ns, fmt::format("console {} is back", port_->path), false});
    } catch (const NoBench&) {
        reopen_at_ns_ = now_ns + reopen_every_ns;  // still away; that has been said
    }
}

}  // namespace rig
