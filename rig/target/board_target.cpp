#include "rig/target/board_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"

namespace rig {

BoardTarget::BoardTarget(const Clock& clock, std::optional<SerialPort> console)
    : clock_(clock), port_(std::move(console)), console_(clock) {}

void BoardTarget::start() {
    if (!is_running_) {
        reset();
    }
}

void BoardTarget::reset() {
    console_.close_retired();
    open_console();
    static_cast<void>(read_console());  // what the old run still said
    console_.flush(waiting_);
    console_.forget();
    is_running_ = true;
    waiting_.emplace_back(TargetStarted{clock_.monotonic_ns(), 0});
}

void BoardTarget::stop() {
    console_.close_retired();
    if (is_running_) {
        is_running_ = false;
        waiting_.emplace_back(TargetEnded{clock_.monotonic_ns(), "switched off", true});
    }
}

void BoardTarget::stop_now() noexcept {
    console_.retire();
    console_.forget();
    reopen_at_ns_ = 0;
    is_running_ = false;
}

std::vector<int> BoardTarget::descriptors() const {
    return console_.is_open() ? std::vector<int>{console_.fd()} : std::vector<int>{};
}

TimestampNs BoardTarget::next_deadline_ns() const {
    return earliest_ns({reopen_at_ns_, console_.flush_at_ns()});
}

bool BoardTarget::read(std::vector<TargetEvent>& events) {
    console_.close_retired();
    const bool may_have_more = read_console();
    do_what_is_due(clock_.monotonic_ns());
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(events));
    waiting_.clear();
    return may_have_more;
}

void BoardTarget::open_console() {
    if (!port_ || console_.is_open() || reopen_at_ns_ != 0) {
        return;
    }
    console_.open(open_serial_port(*port_));
}

bool BoardTarget::read_console() {
    const Console::ReadResult result = console_.read(read_bytes_max, waiting_);
    if (result.end) {
        lose_console(*result.end == 0 ? "it was unplugged"
                                      : std::generic_category().message(*result.end));
    }
    return result.may_have_more;
}

void BoardTarget::lose_console(const std::string& why) {
    const TimestampNs now_ns = clock_.monotonic_ns();
    console_.flush(waiting_);
    waiting_.emplace_back(ConsoleChanged{
        .at_ns = now_ns,
        .what = fmt::format("console {} has gone: {}{}", port_->path, why,
                            is_running_ ? "; plug it in again, or look at its cable" : ""),
        .is_trouble = is_running_});
    console_.retire();
    reopen_at_ns_ = now_ns + reopen_every_ns;
}

void BoardTarget::do_what_is_due(TimestampNs now_ns) {
    console_.flush_if_due(waiting_);
    if (reopen_at_ns_ == 0 || now_ns < reopen_at_ns_) {
        return;
    }
    try {
        console_.open(open_serial_port(*port_));
        reopen_at_ns_ = 0;
        waiting_.emplace_back(
            ConsoleChanged{now_ns, fmt::format("console {} is back", port_->path), false});
    } catch (const NoBench&) {
        reopen_at_ns_ = now_ns + reopen_every_ns;  // still away; that has been said
    }
}

}  // namespace rig
