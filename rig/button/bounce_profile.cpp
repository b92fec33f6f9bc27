#include "rig/button/bounce_profile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rig/base/errors.hpp"

namespace rig {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds hold_min = 1us;
constexpr std::chrono::nanoseconds hold_max = 10min;

}  // namespace

std::vector<PressStep> press_steps(std::string_view profile, std::chrono::nanoseconds hold) {
    if (profile != "ideal") {
        throw NoBench(fmt::format("no bounce profile is called \"{}\"; there are: {}", profile,
                                  fmt::join(bounce_profiles(), ", ")));
    }
    if (hold < hold_min || hold > hold_max) {
        throw NoBench(
            fmt::format("a press is held for 1 us to 10 minutes, not {} ns", hold.count()));
    }
    return {{.after_ns = 0, .closed = true}, {.after_ns = hold.count(), .closed = false}};
}

std::vector<std::string> bounce_profiles() {
    return {"ideal"};
}

}  // namespace rig
