// What QEMU's log says of a board's GPIO pins, one line a change: the trace event pl061_set_output,
// with QEMU's own time (-msg timestamp=on). Pure functions on text, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "rig/line/level.hpp"

namespace rig {

/// A pin of the emulated board. Ports are 'A' to 'G', pins 0 to 7.
struct Pin {
    char port = 'A';
    unsigned number = 0;
    auto operator<=>(const Pin&) const = default;
};

/// "PF1"; nothing for any other text.
[[nodiscard]] std::optional<Pin> pin_from(std::string_view text);

/// A change of a pin's output, as the log has it.
struct PinChange {
    std::int64_t wall_ns = 0;  ///< CLOCK_REALTIME, to the microsecond, rounded down
    std::string chip;          ///< "/machine/unattached/device[13]"
    unsigned number = 0;       ///< of the pin on its chip
    Level level = Level::low;
};

/// What a line of the log says, without its line end. Nothing: it is about something else.
/// `is_damaged` becomes true when it is about a pin but cannot be read.
[[nodiscard]] std::optional<PinChange> parse_pin_change(std::string_view line, bool& is_damaged);

/// The port of each GPIO chip, by its path, from QEMU's answer to qom-list of /machine/unattached:
/// the chips are made in the order of their ports, and numbered. Empty when they are not seven.
[[nodiscard]] std::map<std::string, char> ports_from_qom_list(std::string_view answer_json);

}  // namespace rig
