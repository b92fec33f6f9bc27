// DeviceIdWatch notices two source addresses that use one device ID within 60 s: a device ID is
// the sum of six bytes, so boards do collide, and both then share their registers. Owns what it
// remembers, which is bounded: the newest `uses_max` uses and the newest `reports_max` reports;
// a pair that fell out of the latter may be reported again. Used from one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "rig/base/clock.hpp"

namespace harness {

using rig::TimestampNs;

struct DeviceIdCollision {
    std::uint16_t device = 0;
    std::string earlier;  ///< source address, without port
    std::string later;    ///< likewise: the one that was seen just now
    bool operator==(const DeviceIdCollision&) const = default;
};

/// One line for people: "device ID 0FAC is used by 10.0.0.2 and 10.0.0.3 within 60 s: ...".
[[nodiscard]] std::string describe(const DeviceIdCollision& collision);

class DeviceIdWatch {
  public:
    static constexpr TimestampNs window_ns = 60 * rig::ns_per_s;
    static constexpr std::size_t uses_max = 1'024;
    static constexpr std::size_t reports_max = 1'024;

    /// A legal frame for `device` came from `peer`, spelt as in ConnectionOpened
    /// ("127.0.0.1:50311",
    /// "[::1]:50311"); its port is left out of account. Returns the collisions that this reveals,
    /// each pair of addresses once for a device; nearly always none. `at_ns` must not go back.
    [[nodiscard]] std::vector<DeviceIdCollision> frame_seen(std::uint16_t device,
                                                            std::string_view peer,
                                                            TimestampNs at_ns);

  private:
    struct Use {
        std::uint16_t device = 0;
        std::string address;
        TimestampNs at_ns = 0;
    };

    [[nodiscard]] bool was_reported(const DeviceIdCollision& collision) const;

    std::deque<Use> uses_;  // oldest first, one for each device and address
    std::deque<DeviceIdCollision> reported_;
};

}  // namespace harness
