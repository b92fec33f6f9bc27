// Lines of the kernel's GPIO chips that are requested for a moment and given back: to see whether
// they can be had, and to free what a rig that was killed may have left driven. Nothing is owned or
// kept; any thread; errors are values, for people.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/line/chip_lines.hpp"
#include "rig/line/lines.hpp"

namespace rig {

/// What became of one line in release_lines() or probe_lines(), for people.
struct TriedLine {
    std::string name;
    std::string trouble = {};  ///< empty: all is well
    std::string remedy = {};   ///< what to do about the trouble
};

/// Takes every output among `specs` as an input once and gives it back: for what a rig that was
/// killed may have left behind. Goes on after a line that cannot be released, which is one that is
/// gone or that a running program holds. Inputs, and lines without a chip, are left out.
[[nodiscard]] std::vector<TriedLine> release_lines(std::span<const LineSpec> specs,
                                                   const ChipLinesOptions& options = {});

/// Requests each line as a bench would and gives it back, which drives nothing. For each in turn,
/// so that one that cannot be had says nothing of the others. Lines without a chip are left out.
[[nodiscard]] std::vector<TriedLine> probe_lines(std::span<const LineSpec> specs,
                                                 const Clock& clock,
                                                 const ChipLinesOptions& options = {});

/// Whether this machine's GPIO driver keeps driving an output after its program has ended, as the
/// Raspberry Pi's do with persist_gpio_outputs set: then a rig that was killed while it pressed
/// goes on pressing until release_lines(). `parameters_root` is "/sys/module".
[[nodiscard]] bool keeps_outputs(const std::string& parameters_root = "/sys/module");

}  // namespace rig
