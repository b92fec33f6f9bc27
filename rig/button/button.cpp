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

std::optional<TimestampNs> Button::wake_ns() const {
    const auto due = due_ns();
    return due && follows_closely() ? *due - spin_max.count() : due;
}

std::vector<Edge> Button::play(TimestampNs now_ns) {
    std::vector<Edge> edges;
    while (is_pressing() && *due_ns() <= now_ns) {
        edges.push_back(play_step(now_ns));
    }
    return edges;
}

void Button::play_train(const Clock& clock, std::vector<Edge>& edges) {
    TimestampNs now_ns = clock.monotonic_ns();
    const TimestampNs turn_ends_ns = now_ns + turn_max.count();
    while (is_pressing()) {
        const TimestampNs left_ns = *due_ns() - now_ns;
        if (left_ns <= 0) {
            edges.push_back(play_step(now_ns));
        } else if (!follows_closely() || left_ns > spin_max.count() || *due_ns() > turn_ends_ns) {
            return;
        }
        now_ns = clock.monotonic_ns();
    }
}

bool Button::follows_closely() const {
    return steps_[next_step_].after_ns - steps_[next_step_ - 1].after_ns < train_gap_max.count();
}

Edge Button::play_step(TimestampNs now_ns) {
    const TimestampNs late_ns = now_ns - *due_ns();
    if (late_ns > late_max.count()) {
        began_ns_ += late_ns;
    }
    const bool closed = steps_[next_step_].closed;
    ++next_step_;  // first, so that a line that fails does not leave the press open for ever
    return set(closed);
}

void Button::release() noexcept {
    next_step_ = steps_.size();
    lines_.release(line_);
}

Edge Button::set(bool closed) {
    return lines_.drive(line_, level_when(closed, lines_.specs()[line_].active));
}

}  // namespace rig
