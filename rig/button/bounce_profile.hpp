// BounceProfile is the train of edges that a contact makes when it closes and opens. A press is
// played from it: times are nanoseconds from the moment of the first edge. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rig {

/// One step of a press: at `after_ns` the contact becomes closed (pressed) or open.
struct PressStep {
    std::int64_t after_ns = 0;
    bool closed = false;
    bool operator==(const PressStep&) const = default;
};

/// The whole train of a press that is held for `hold`: begins closed at 0, ends open.
/// `profile` is a name: "ideal" makes exactly two edges. Throws NoBench for an unknown name, and
/// for a hold below 1 us or above 10 minutes.
[[nodiscard]] std::vector<PressStep> press_steps(std::string_view profile,
                                                 std::chrono::nanoseconds hold);

/// The names that press_steps() knows.
[[nodiscard]] std::vector<std::string> bounce_profiles();

}  // namespace rig
