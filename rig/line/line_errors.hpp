// What several kinds of lines have to say. Private to rig/line.
#pragma once

#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"
#include "rig/line/lines.hpp"

namespace rig {

/// What Lines::drive() throws for a line that the rig only watches.
[[nodiscard]] Remedied<RigError> input_is_not_driven(const LineSpec& spec);

}  // namespace rig
