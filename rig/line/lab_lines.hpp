// The lines of the lab's board on QEMU's lm3s6965evb, for tests. Only tests include this.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rig/line/lines.hpp"

namespace rig::testing {

// Where they stand in lab_lines().
constexpr std::uint32_t button0 = 0;
constexpr std::uint32_t button1 = 1;
constexpr std::uint32_t led0 = 2;
constexpr std::uint32_t led1 = 3;

inline LineSpec line_on_pin(std::string name, std::string pin, Direction direction) {
    return {.name = std::move(name),
            .chip = {},
            .line = std::move(pin),
            .direction = direction,
            .active = direction == Direction::output ? Active::low : Active::high};
}

inline std::vector<LineSpec> lab_lines() {
    return {line_on_pin("button0", "PF1", Direction::output),
            line_on_pin("button1", "PE0", Direction::output),
            line_on_pin("led0", "PF0", Direction::input),
            line_on_pin("led1", "PF2", Direction::input)};
}

}  // namespace rig::testing
