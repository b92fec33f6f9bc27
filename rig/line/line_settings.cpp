#include "rig/line/line_settings.hpp"

#include <chrono>

namespace rig {
namespace {

gpiod::line::drive to_gpiod(Drive drive) {
    switch (drive) {
        case Drive::open_drain:
            return gpiod::line::drive::OPEN_DRAIN;
        case Drive::open_source:
            return gpiod::line::drive::OPEN_SOURCE;
        case Drive::push_pull:
            break;
    }
    return gpiod::line::drive::PUSH_PULL;
}

gpiod::line::bias to_gpiod(Bias bias) {
    switch (bias) {
        case Bias::disabled:
            return gpiod::line::bias::DISABLED;
        case Bias::pull_up:
            return gpiod::line::bias::PULL_UP;
        case Bias::pull_down:
            return gpiod::line::bias::PULL_DOWN;
        case Bias::as_is:
            break;
    }
    return gpiod::line::bias::AS_IS;
}

}  // namespace

gpiod::line::value to_gpiod(Level level) {
    return level == Level::high ? gpiod::line::value::ACTIVE : gpiod::line::value::INACTIVE;
}

Level from_gpiod(gpiod::line::value value) {
    return value == gpiod::line::value::ACTIVE ? Level::high : Level::low;
}

Level idle_level(const LineSpec& spec) {
    return level_when(false, spec.active);
}

gpiod::line_settings output_settings(const LineSpec& spec, Level level) {
    gpiod::line_settings settings;
    settings.set_direction(gpiod::line::direction::OUTPUT)
        .set_drive(to_gpiod(spec.drive))
        .set_bias(to_gpiod(spec.bias))
        .set_output_value(to_gpiod(level));
    return settings;
}

gpiod::line_settings floating_settings() {
    gpiod::line_settings settings;
    settings.set_direction(gpiod::line::direction::INPUT).set_bias(gpiod::line::bias::AS_IS);
    return settings;
}

gpiod::line_settings input_settings(const LineSpec& spec) {
    gpiod::line_settings settings;
    settings.set_direction(gpiod::line::direction::INPUT)
        .set_bias(to_gpiod(spec.bias))
        .set_edge_detection(gpiod::line::edge::BOTH)
        .set_event_clock(gpiod::line::clock::MONOTONIC)
        .set_debounce_period(std::chrono::microseconds(spec.debounce_us));
    return settings;
}

}  // namespace rig
