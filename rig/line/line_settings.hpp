// What the kernel is asked of a line of the bench file, in libgpiod's words. Levels are electrical:
// no line is asked for as active low. Private to rig/line.
#pragma once

#include <gpiod.hpp>

#include "rig/line/lines.hpp"

namespace rig {

[[nodiscard]] gpiod::line::value to_gpiod(Level level);
[[nodiscard]] Level from_gpiod(gpiod::line::value value);

/// The level of a line at rest.
[[nodiscard]] Level idle_level(const LineSpec& spec);
[[nodiscard]] gpiod::line_settings output_settings(const LineSpec& spec, Level level);
/// High impedance, with whatever pull the line has.
[[nodiscard]] gpiod::line_settings floating_settings();
[[nodiscard]] gpiod::line_settings input_settings(const LineSpec& spec);

}  // namespace rig
