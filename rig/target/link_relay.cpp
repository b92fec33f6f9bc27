#include "rig/target/link_relay.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"

namespace rig {
namespace {

constexpr std::size_t read_bytes = 65'536;
constexpr std::size_t length_bytes = sizeof(std::uint32_t);
constexpr TimestampNs again_after_ns = ns_per_ms;

std::uint32_t length_of(const std::string& bytes) {
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data(), length_bytes);
    return ntohl(length);
}

std::string packed(const std::string& frame) {
    const std::uint32_t length = htonl(static_cast<std::uint32_t>(frame.size()));
    std::string bytes(length_bytes, '\0');
    std::memcpy(bytes.data(), &length, length_bytes);
    return bytes + frame;
}

}  // namespace

LinkRelay::LinkRelay()
    : directions_{Direction{.socket = {}, .received = {}, .unsent = {}, .link = {{}, 0}},
                  Direction{.socket = {}, .received = {}, .unsent = {}, .link = {{}, 1}}} {}

std::array<UniqueFd, 2> LinkRelay::plug_in() {
    std::array<UniqueFd, 2> its_ends;
    for (std::size_t i = 0; i < directions_.size(); ++i) {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) !=
            0) {
            throw_system_error(errno, "make a socket for the emulated board's frames");
        }
        directions_[i].socket.reset(ends[0]);
        its_ends[i].reset(ends[1]);
        directions_[i].received.clear();
        directions_[i].unsent.clear();
        static_cast<void>(directions_[i].link.take_all());  // frames of a board that has gone
    }
    is_plugged_in_ = true;
    again_at_ns_ = 0;
    return its_ends;
}

void LinkRelay::unplug() {
    is_plugged_in_ = false;
    again_at_ns_ = 0;
}

void LinkRelay::set_faults(const LinkFaults& faults, TimestampNs now_ns) {
    for (std::size_t i = 0; i < directions_.size(); ++i) {
        send(directions_[i], directions_[i].link.take_all(), now_ns);
        directions_[i].link = FaultyLink(faults, i);
    }
}

LinkCounts LinkRelay::counts() const {
    return directions_[0].link.counts() + directions_[1].link.counts();
}

std::vector<int> LinkRelay::descriptors() const {
    if (!is_plugged_in_) {
        return {};
    }
    return {directions_[0].socket.get(), directions_[1].socket.get()};
}

bool LinkRelay::pass_on(TimestampNs now_ns) {
    bool may_have_more = false;
    again_at_ns_ = 0;
    for (Direction& direction : directions_) {
        if (is_plugged_in_) {
            may_have_more = receive(direction, now_ns) || may_have_more;
            send(direction, direction.link.take(now_ns), now_ns);
        }
    }
    return may_have_more && is_plugged_in_;
}

TimestampNs LinkRelay::next_deadline_ns() const {
    if (!is_plugged_in_) {
        return again_at_ns_;
    }
    return earliest_ns(
        {again_at_ns_, directions_[0].link.next_ns(), directions_[1].link.next_ns()});
}

bool LinkRelay::receive(Direction& direction, TimestampNs now_ns) {
    std::array<char, read_bytes> buffer;
    const ssize_t got = ::recv(direction.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got <= 0) {
        const int error = errno;
        if (got == 0 || (error != EAGAIN && error != EINTR)) {
            unplug();
        }
        return false;
    }
    std::string& bytes = direction.received;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    while (bytes.size() >= length_bytes) {
        const std::size_t length = length_of(bytes);
        if (length > frame_bytes_max) {
            throw RigError(
                fmt::format("QEMU sent a frame of {} bytes on the emulated board's link", length));
        }
        if (bytes.size() < length_bytes + length) {
            break;
        }
        direction.link.put(bytes.substr(length_bytes, length), now_ns);
        bytes.erase(0, length_bytes + length);
    }
    return true;
}

void LinkRelay::send(Direction& direction, const std::vector<std::string>& frames,
                     TimestampNs now_ns) {
    std::string& bytes = direction.unsent;
    for (const std::string& frame : frames) {
        bytes += packed(frame);
    }
    while (is_plugged_in_ && !bytes.empty()) {
        const ssize_t sent =
            ::send(direction.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent <= 0) {
            again_at_ns_ = now_ns + again_after_ns;  // if QEMU has gone, that is about to be seen
            return;
        }
        bytes.erase(0, static_cast<std::size_t>(sent));
    }
}

}  // namespace rig
