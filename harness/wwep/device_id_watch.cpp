#include "harness/wwep/device_id_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace harness {
namespace {

/// "127.0.0.1:50311" -> "127.0.0.1", "[::1]:50311" -> "::1".
std::string_view without_port(std::string_view peer) {
    const auto colon = peer.rfind(':');
    auto address = colon == std::string_view::npos ? peer : peer.substr(0, colon);
    if (address.size() >= 2 && address.front() == '[' && address.back() == ']') {
        address = address.substr(1, address.size() - 2);
    }
    return address;
}

}  // namespace

std::string describe(const DeviceIdCollision& collision) {
    return fmt::format(
        "device ID {:04X} is used by {} and {} within {} s: they share their registers",
        collision.device, collision.earlier, collision.later,
        DeviceIdWatch::window_ns / rig::ns_per_s);
}

std::vector<DeviceIdCollision> DeviceIdWatch::frame_seen(std::uint16_t device,
                                                         std::string_view peer, TimestampNs at_ns) {
    while (!uses_.empty() && at_ns - uses_.front().at_ns > window_ns) {
        uses_.pop_front();
    }
    if (!uses_.empty() && uses_.back().device == device &&
        uses_.back().address == without_port(peer)) {
        uses_.back().at_ns = at_ns;  // as nearly always: whom it collides with is known already
        return {};
    }
    const std::string address(without_port(peer));
    std::erase_if(uses_,
                  [&](const Use& use) { return use.device == device && use.address == address; });

    std::vector<DeviceIdCollision> revealed;
    for (const Use& use : uses_) {
        if (use.device != device) {
            continue;
        }
        DeviceIdCollision collision{device, use.address, address};
        if (was_reported(collision)) {
            continue;
        }
        reported_.push_back(collision);
        if (reported_.size() > reports_max) {
            reported_.pop_front();
        }
        revealed.push_back(std::move(collision));
    }
    uses_.push_back({device, address, at_ns});
    if (uses_.size() > uses_max) {
        uses_.pop_front();
    }
    return revealed;
}

bool DeviceIdWatch::was_reported(const DeviceIdCollision& collision) const {
    const DeviceIdCollision swapped{collision.device, collision.later, collision.earlier};
    return std::any_of(reported_.begin(), reported_.end(), [&](const DeviceIdCollision& each) {
        return each == collision || each == swapped;
    });
}

}  // namespace harness
