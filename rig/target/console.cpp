#include "rig/target/console.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace rig {
namespace {

constexpr std::size_t read_bytes = 16'384;

}  // namespace

void Console::retire() {
    if (descriptor_) {
        retired_ = std::move(descriptor_);
    }
}

Console::ReadResult Console::read(std::size_t bytes_max, std::vector<TargetEvent>& events) {
    std::array<char, read_bytes> buffer;
    std::size_t total = 0;
    while (is_open() && total < bytes_max) {
        const ssize_t length =
            ::read(descriptor_.get(), buffer.data(), std::min(buffer.size(), bytes_max - total));
        const int error_number = errno;
        if (length > 0) {
            const TimestampNs now_ns = clock_.monotonic_ns();
            total += static_cast<std::size_t>(length);
            lines_.take({buffer.data(), static_cast<std::size_t>(length)}, now_ns, events);
            flush_at_ns_ = lines_.has_unfinished() ? now_ns + ConsoleLines::unfinished_ns_max : 0;
        } else if (length == 0) {
            return {.end = 0};
        } else if (error_number == EAGAIN) {
            return {};
        } else if (error_number != EINTR) {
            return {.end = error_number};
        }
    }
    return {.may_have_more = is_open()};
}

void Console::flush(std::vector<TargetEvent>& events) {
    flush_at_ns_ = 0;
    lines_.flush(clock_.monotonic_ns(), events);
}

void Console::flush_if_due(std::vector<TargetEvent>& events) {
    if (flush_at_ns_ != 0 && clock_.monotonic_ns() >= flush_at_ns_) {
        flush(events);
    }
}

void Console::forget() {
    flush_at_ns_ = 0;
    lines_.clear();
}

}  // namespace rig
