// BounceProfile is the train of edges that a contact makes when it closes and opens. A press is
// played from it: times are nanoseconds from the moment of the first edge. A profile is named by a
// text that says everything about it, its seed included: the same text gives the same train on
// every machine, so that a press can be played again from a recording. Plain values.
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

/// The whole train of a press that is held for `hold`: begins closed at 0, ends open, and every
/// step changes the contact. `profile` is one of
///   ideal                     two edges
///   tactile, tactile:seed=7   a good key: one to four short bounces as it closes, up to 1.6 ms,
///   and
///                             one to three as it opens, up to 0.9 ms
///   worn, worn:seed=3         a key at its end: eight to twenty bounces as it closes, up to 20 ms,
///                             and six to fourteen as it opens, up to 14 ms
///   glitch, glitch:200us      closed for that long only (500us if it is not said; 1us to 100ms):
///                             `hold` does not count
/// A bounce is the contact going the other way and back. Without a seed it is 1. The contact begins
/// to open at `hold`. Throws NoBench, with what it knows, for any other text, for a hold below 1 us
/// or above 10 minutes, and for one that ends before the contact has stopped bouncing.
[[nodiscard]] std::vector<PressStep> press_steps(std::string_view profile,
                                                 std::chrono::nanoseconds hold);

/// The names that press_steps() knows, without what may follow them.
[[nodiscard]] std::vector<std::string> bounce_profiles();

}  // namespace rig
