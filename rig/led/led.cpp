#include "rig/led/led.hpp"

namespace rig {

Led::Led(Active active, Level level) : active_(active), level_(level) {}

void Led::take(const Edge& edge) {
    level_ = edge.level;
    changed_ns_ = edge.at_ns;
    ++changes_;
}

void Led::set(Level level) {
    level_ = level;
}

}  // namespace rig
