// What travels on a line: levels and edges. Levels are electrical: low is 0 V. Whether low means
// pressed or lit is the button's or the LED's business, never the line's. Plain values.
#pragma once

#include <cstdint>

#include "rig/base/clock.hpp"

namespace rig {

enum class Level : std::uint8_t { low = 0, high = 1 };

/// Which end of a line is the active one: pressed for a button, lit for an LED.
enum class Active : std::uint8_t { low = 0, high = 1 };

[[nodiscard]] constexpr Level opposite(Level level) {
    return level == Level::low ? Level::high : Level::low;
}
[[nodiscard]] constexpr bool is_active(Level level, Active active) {
    return static_cast<int>(level) == static_cast<int>(active);
}
[[nodiscard]] constexpr Level level_when(bool is_on, Active active) {
    return is_on == (active == Active::high) ? Level::high : Level::low;
}

/// Whose clock reading an edge's timestamp is.
enum class EdgeSource : std::uint8_t {
    kernel,  ///< the kernel's, at the interrupt
    board,   ///< the simulated board's, right after it set the pin
    rig,     ///< ours, right after we set the line
};

/// A change of level on one line. `seqno` counts this line's edges from 1 as its source saw them;
/// a gap means that edges were lost.
struct Edge {
    TimestampNs at_ns = 0;
    std::uint64_t seqno = 0;
    std::uint32_t line = 0;  ///< index in the bench's list of lines
    Level level = Level::low;
    EdgeSource source = EdgeSource::kernel;
};

}  // namespace rig
