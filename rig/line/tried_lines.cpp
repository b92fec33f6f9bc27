#include "rig/line/tried_lines.hpp"

#include <fmt/format.h>

#include <exception>
#include <fstream>
#include <gpiod.hpp>
#include <utility>

#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"
#include "rig/line/chip_places.hpp"
#include "rig/line/line_errors.hpp"
#include "rig/line/line_settings.hpp"

namespace rig {

std::vector<TriedLine> release_lines(std::span<const LineSpec> specs,
                                     const ChipLinesOptions& options) {
    std::vector<TriedLine> released;
    for (const LineSpec& spec : specs) {
        if (spec.direction != Direction::output || spec.chip.empty()) {
            continue;
        }
        TriedLine result{.name = spec.name};
        try {
            ChipPlaces found = find_places({&spec, 1}, options.device_folder);
            const OpenChip& chip = found.chips.front();
            const unsigned offset = found.places.front().offset;
            try {
                static_cast<void>(found.chips.front()
                                      .chip.prepare_request()
                                      .set_consumer(options.consumer)
                                      .add_line_settings(offset, floating_settings())
                                      .do_request());
            } catch (const std::exception& error) {
                throw request_trouble(errno_of(error), spec, chip, offset);
            }
        } catch (const NoBench& error) {
            const ErrorParts parts = parts_of(error);
            result.trouble = parts.trouble;
            result.remedy = parts.remedy;
        }
        released.push_back(std::move(result));
    }
    return released;
}

std::vector<TriedLine> probe_lines(std::span<const LineSpec> specs, const Clock& clock,
                                   const ChipLinesOptions& options) {
    std::vector<TriedLine> probed;
    for (const LineSpec& spec : specs) {
        if (spec.chip.empty()) {
            continue;
        }
        TriedLine result{.name = spec.name};
        try {
            const ChipLines lines({spec}, clock, options);
        } catch (const NoBench& error) {
            const ErrorParts parts = parts_of(error);
            result.trouble = parts.trouble;
            result.remedy = parts.remedy;
        }
        probed.push_back(std::move(result));
    }
    return probed;
}

bool keeps_outputs(const std::string& parameters_root) {
    for (const char* const driver : {"pinctrl_bcm2835", "pinctrl_rp1"}) {
        std::ifstream parameter(
            fmt::format("{}/{}/parameters/persist_gpio_outputs", parameters_root, driver));
        if (parameter.get() == 'Y') {
            return true;
        }
    }
    return false;
}

}  // namespace rig
