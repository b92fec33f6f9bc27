#include "harness/bench/bench_lines.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <span>

#include "rig/base/errors.hpp"
#include "rig/line/chip_lines.hpp"
#include "rig/line/lost_edges.hpp"

namespace harness {

BenchLines::BenchLines(const rig::BenchFile& bench_file, const rig::Clock& clock, Loop& loop,
                       BenchEvents& events)
    : bench_file_(bench_file), clock_(clock), loop_(loop), events_(events), watches_(loop) {
    open_lines();
    for (std::uint32_t line = 0; line < bench_file.lines.size(); ++line) {
        if (bench_file.controls_target(bench_file.lines[line].name)) {
            continue;  // set_line() is for those
        }
        if (bench_file.lines[line].direction == rig::Direction::output) {
            buttons_.push_back({.button = std::make_unique<rig::Button>(*lines_, line)});
        } else {
            const rig::Active active = bench_file.lines[line].active;
            leds_.emplace(line, LedState{.led = rig::Led(active, lines_->level(line)),
                                         .history = rig::LedHistory(active, lines_->level(line))});
        }
    }
    watch();  // Chips are there before the target starts; a wire is plugged in with it.
}

void BenchLines::open_lines() {
    switch (bench_file_.kind) {
        case rig::BenchKind::sim: {
            auto wire = std::make_unique<rig::WireLines>(bench_file_.lines, clock_);
            wire_ = wire.get();
            lines_ = std::move(wire);
            break;
        }
        case rig::BenchKind::kernel:
        case rig::BenchKind::board:
            lines_ = std::make_unique<rig::ChipLines>(
                bench_file_.lines, clock_,
                rig::ChipLinesOptions{.consumer = "wwep-rig " + bench_file_.name});
            break;
        case rig::BenchKind::emulator: {
            auto qemu = std::make_unique<rig::QemuLines>(bench_file_.lines, clock_);
            qemu_ = qemu.get();
            lines_ = std::move(qemu);
            break;
        }
    }
}

void BenchLines::close() noexcept {
    loopback_.reset();
    watches_.end();
    buttons_.clear();
    wire_ = nullptr;
    qemu_ = nullptr;
    lines_.reset();
}

// Edges -------------------------------------------------------------------------------------------

void BenchLines::watch() {
    watches_.begin(lines_->descriptors(), [this] { look(); });
}

void BenchLines::look_at_rest() {
    if (lines_->is_connected()) {
        look();
    }
}

void BenchLines::unplug_wire() {
    if (wire_ != nullptr && wire_->is_connected()) {
        look();
        wire_->unplug();
        watches_.end();
    }
}

void BenchLines::look() {
    std::vector<rig::Edge> edges;
    const std::uint64_t hellos_before = hellos();
    std::string trouble;
    try {
        static_cast<void>(lines_->read_edges(edges));  // what is left wakes the loop again
    } catch (const rig::RigError& error) {
        trouble = error.what();  // A chip is gone; what was read before must not be lost with it.
    }
    for (const rig::Edge& edge : edges) {
        take_edge(edge);
    }
    look_for_lost_edges();
    if (!edges.empty() && wire_ == nullptr && qemu_ == nullptr) {
        // Always counted from the newest edge: one that went missing just now must be overdue then.
        loop_.cancel(overdue_timer_);
        overdue_timer_ = loop_.at(clock_.monotonic_ns() + rig::LostEdges::overdue_ns,
                                  [this] { look_for_overdue_edges(); });
    }
    if (hellos() > hellos_before) {
        take_hello();
    }
    if (!trouble.empty()) {
        watch();
        events_.note_error(trouble);
    }
    look_whether_cut();
}

void BenchLines::take_edge(const rig::Edge& edge) {
    if (edge.seqno == 0) {
        return;  // a line that was driven to the level it had
    }
    const auto led = leds_.find(edge.line);
    if (led != leds_.end()) {
        led->second.led.take(edge);
        led->second.history.take(edge);
    }
    events_.take(EdgeSeen{.at_ns = edge.at_ns,
                          .line = lines_->specs()[edge.line].name,
                          .level = edge.level,
                          .source = edge.source,
                          .seqno = edge.seqno});
}

void BenchLines::look_for_lost_edges() {
    if (lines_->edges_lost() > edges_lost_seen_) {
        events_.note_error(fmt::format("{} edges were lost between the board and the rig",
                                       lines_->edges_lost() - edges_lost_seen_));
        edges_lost_seen_ = lines_->edges_lost();
    }
}

void BenchLines::look_for_overdue_edges() {
    overdue_timer_ = 0;
    look_at_rest();  // the last of them may be there by now
    look_for_lost_edges();
}

void BenchLines::take_hello() {
    const TimestampNs now_ns = clock_.monotonic_ns();
    for (auto& [line, state] : leds_) {
        state.led.set(lines_->level(line));
        state.history.set(lines_->level(line), now_ns);
    }
    if (on_hello_) {
        on_hello_();
    }
}

std::uint64_t BenchLines::hellos() const {
    if (qemu_ != nullptr) {
        return qemu_->hellos();
    }
    return wire_ != nullptr && wire_->said_hello() ? 1 : 0;
}

void BenchLines::look_whether_cut() {
    if (qemu_ != nullptr && !watches_.are_of(qemu_->descriptors())) {
        watch();  // its log ends before it does
    }
    if (wire_ == nullptr || wire_->is_connected() || watches_.is_empty()) {
        return;
    }
    watches_.end();
    if (!wire_->trouble().empty()) {
        events_.note_error(fmt::format("the wire was cut: {}", wire_->trouble()));
    }
}

// Buttons -----------------------------------------------------------------------------------------

PressId BenchLines::press(const std::string& button, std::chrono::nanoseconds hold,
                          const std::string& profile) {
    const std::size_t index = button_index(button);
    ButtonState& state = buttons_[index];
    const rig::Button::Asserted asserted = [&] {
        try {
            return state.button->press(profile, hold, clock_);
        } catch (const rig::RigError&) {
            look_whether_cut();
            throw;
        }
    }();
    state.press = ++last_press_id_;
    events_.press_begins(state.press);
    events_.take(PressAsserted{.id = state.press,
                               .line = button,
                               .before_ns = asserted.before_ns,
                               .after_ns = asserted.after_ns,
                               .profile = profile});
    take_edge(asserted.edge);
    play(index);
    return state.press;
}

std::size_t BenchLines::button_index(const std::string& button) const {
    const auto found =
        std::find_if(buttons_.begin(), buttons_.end(),
                     [&](const ButtonState& state) { return state.button->name() == button; });
    if (found == buttons_.end()) {
        throw rig::NoBench(fmt::format("this bench has no button \"{}\"", button));
    }
    return static_cast<std::size_t>(found - buttons_.begin());
}

void BenchLines::play(std::size_t index) {
    ButtonState& state = buttons_[index];
    if (!state.button->is_pressing()) {
        return;
    }
    std::vector<rig::Edge> edges;
    std::string trouble;
    try {
        state.button->play_train(clock_, edges);
    } catch (const rig::RigError& error) {
        trouble = error.what();  // What was driven until then is recorded all the same.
        state.button->release();
    }
    for (const rig::Edge& edge : edges) {
        take_edge(edge);
    }
    if (!trouble.empty()) {
        events_.note_error(trouble);
    }
    if (const auto wake_ns = state.button->wake_ns()) {
        static_cast<void>(loop_.at(*wake_ns, [this, index] { play(index); }));
        return;
    }
    take_release(state);
}

void BenchLines::release_buttons() {
    loopback_.reset();
    for (ButtonState& state : buttons_) {
        release(state);
    }
}

void BenchLines::release_button(const std::string& button) {
    release(buttons_[button_index(button)]);
}

void BenchLines::release(ButtonState& state) {
    const bool was_pressing = state.button->is_pressing();
    state.button->release();
    if (was_pressing) {
        take_release(state);
    }
}

void BenchLines::take_release(const ButtonState& state) {
    events_.take(PressReleased{
        .id = state.press, .line = state.button->name(), .released_ns = clock_.monotonic_ns()});
}

void BenchLines::set_line(const std::string& line, bool active) {
    const auto index = bench_file_.find_line(line);
    if (!index || !bench_file_.controls_target(line)) {
        throw rig::NoBench(fmt::format("this bench has no line \"{}\" for reset or power", line));
    }
    take_edge(lines_->drive(*index, rig::level_when(active, bench_file_.lines[*index].active)));
}

// LEDs --------------------------------------------------------------------------------------------

std::uint32_t BenchLines::led_line(const std::string& led) const {
    for (const auto& [line, state] : leds_) {
        if (bench_file_.lines[line].name == led) {
            return line;
        }
    }
    throw rig::NoBench(fmt::format("this bench has no LED \"{}\"", led));
}

bool BenchLines::led_is_on(const std::string& led) const {
    return leds_.at(led_line(led)).led.is_on();
}

rig::Active BenchLines::led_active(const std::string& led) const {
    return bench_file_.lines[led_line(led)].active;
}

rig::LedWindow BenchLines::led_window(const std::string& led, TimestampNs from_ns,
                                      TimestampNs until_ns) const {
    return leds_.at(led_line(led)).history.window(led, from_ns, until_ns);
}

// Calibration -------------------------------------------------------------------------------------

void BenchLines::begin_loopback(const std::string& button, const std::string& led,
                                std::size_t samples) {
    if (loopback_) {
        throw rig::RigError("this bench measures itself already");
    }
    const rig::LoopbackPlan plan{
        .output = *bench_file_.find_line(buttons_[button_index(button)].button->name()),
        .input = led_line(led),
        .samples = samples};
    loopback_.emplace(*lines_, clock_, plan);
}

rig::Loopback& BenchLines::loopback() {
    if (!loopback_) {
        throw rig::RigError("the measurement was broken off: its button was released");
    }
    return *loopback_;
}

std::size_t BenchLines::go_on_with_loopback(std::chrono::nanoseconds slice) {
    const auto wait = [](std::span<const int> descriptors, std::chrono::nanoseconds left) {
        std::vector<pollfd> waited;
        for (const int fd : descriptors) {
            waited.push_back({.fd = fd, .events = POLLIN, .revents = 0});
        }
        // Rounded up: with 0 ms left of half a one it would not wait at all.
        const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        return ::poll(waited.data(), waited.size(), static_cast<int>(left_ms)) > 0;
    };
    try {
        loopback().measure_for(slice, wait);
    } catch (...) {
        loopback_.reset();
        throw;
    }
    return loopback().settings_done();
}

rig::LoopbackReport BenchLines::end_loopback() {
    rig::LoopbackReport report = loopback().report();
    loopback_.reset();
    return report;
}

}  // namespace harness
