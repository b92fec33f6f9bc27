// Where the lines of a bench file are: which chips, opened, and which offsets on them. It knows the
// kernel's GPIO chips by path, by name ("gpiochip0") and by label, and turns everything that can be
// wrong with them into a text that names the remedy. Private to rig/line, with chip_lines.cpp the
// only user of libgpiod. What it opens is owned by what it returns.
#pragma once

#include <cerrno>
#include <cstddef>
#include <gpiod.hpp>
#include <span>
#include <string>
#include <vector>

#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"
#include "rig/line/lines.hpp"

namespace rig {

struct OpenChip {
    gpiod::chip chip;
    std::string path;
    std::string name;  ///< the kernel's: unique among the chips that are plugged in
    std::string label;
    unsigned lines_count = 0;
};

struct LinePlace {
    std::size_t chip = 0;  ///< index among the open chips
    unsigned offset = 0;
};

struct ChipPlaces {
    std::vector<OpenChip> chips;    ///< each chip once, however the bench file spells it
    std::vector<LinePlace> places;  ///< one a line, in the order of the bench file
};

/// Opens the chips that the lines are on and looks the lines up. `device_folder` is where the
/// chips' devices are: "/dev". Throws NoBench: no such chip, no such line, two entries on one line,
/// no permission, a kernel without the second version of the GPIO interface.
[[nodiscard]] ChipPlaces find_places(std::span<const LineSpec> specs,
                                     const std::string& device_folder);

/// `line button0 (line 17 of gpiochip0 "pinctrl-bcm2835")`
[[nodiscard]] std::string describe_line(const LineSpec& spec, const OpenChip& chip,
                                        unsigned offset);

/// Why the kernel did not hand out a line, and what to do; `error_number` is its errno.
[[nodiscard]] Remedied<NoBench> request_trouble(int error_number, const LineSpec& spec,
                                                const OpenChip& chip, unsigned offset);

/// What to do about a device that may not be opened, from its group and mode.
[[nodiscard]] std::string permission_remedy(const std::string& path);

/// The errno that a call of libgpiod failed with: it throws std::invalid_argument for EINVAL and
/// std::system_error for everything else.
[[nodiscard]] int errno_of(const std::exception& error) noexcept;

}  // namespace rig
