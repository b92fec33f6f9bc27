#include "rig/line/line_errors.hpp"

#include <fmt/format.h>

namespace rig {

Remedied<RigError> input_is_not_driven(const LineSpec& spec) {
    return {
        fmt::format("line {} is an input: the rig does not drive it", spec.name),
        fmt::format("drive another line, or set lines.{}.direction = \"output\" in the bench file",
                    spec.name)};
}

}  // namespace rig
