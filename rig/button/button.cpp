#include "rig/button/button.hpp"

#include <fmt/format.h>

#include "rig/base/errors.hpp"

namespace rig {

Button::Button(Lines& lines, std::uint32_t line) : lines_(lines), line_(line) {}

Button::~Button() {
    release();
}

const std::string& Button::name() const {
    return lines_.specs()[line_].name;
}

Button::Asserted Button::press(std::string_view profile, std::chrono::nanoseconds hold,
                               const Clock& clock) {
    if (is_pressing()) {
        throw RigError(fmt::format("{} is pressed already: wait until it is released", name()));
    }
    auto steps = press_steps(profile, hold);
    Asserted asserted;
    asserted.before_ns = clock.monotonic_ns();
    asserted.edge = set(steps.front().closed);
    asserted.after_ns = clock.monotonic_ns();
    steps_ = std::move(steps);
    next_step_ = 1;
    began_ns_ = asserted.after_ns;
    return asserted;
}

std::optional<TimestampNs> Button::due_ns() const {
    if (!is_pressing()) {
        return std::nullopt;
    }
    return began_ns_ + steps_[next_step_].after_ns;
}

std::vector<Edge> Button::play(TimestampNs now_ns) {
    std::vector<Edge> edges;
    while (is_pressing() && began_ns_ + steps_[next_step_].after_ns <= now_ns) {
        const bool closed = steps_[next_step_].closed;
        ++next_step_;  // first, so that a line that fails does not leave the press open for ever
        edges.push_back(set(closed));
    }
    return edges;
}

void Button::release() noexcept {
    next_step_ = steps_.size();
    lines_.release(line_);
}

Edge Button::set(bool closed) {
    return lines_.drive(line_, level_when(closed, lines_.specs()[line_].active));
}

}  // namespace rig
