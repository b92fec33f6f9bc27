// BenchLines is a bench's lines with the buttons and LEDs on them: it plays presses, reads edges,
// and puts both among the bench's events. It owns lines, buttons and LEDs; the bench file, the
// clock, the loop and the events must outlive it.
//
// Thread rule: loop's thread only, or while the loop does not run.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/bench/bench_events.hpp"
#include "harness/bench/descriptor_watches.hpp"
#include "rig/bench_file/bench_file.hpp"
#include "rig/button/button.hpp"
#include "rig/led/led.hpp"
#include "rig/led/led_window.hpp"
#include "rig/line/loopback.hpp"
#include "rig/line/qemu_lines.hpp"
#include "rig/line/wire_lines.hpp"

namespace harness {

class BenchLines {
  public:
    /// Opens the lines and drives nothing. Throws rig::NoBench or rig::RigError.
    BenchLines(const rig::BenchFile& bench_file, const rig::Clock& clock, Loop& loop,
               BenchEvents& events);
    BenchLines(const BenchLines&) = delete;
    BenchLines& operator=(const BenchLines&) = delete;

    /// What to do when the board says hello on its wire, or an emulated one begins to run with its
    /// buttons released.
    void on_hello(std::function<void()> callback) { on_hello_ = std::move(callback); }

    /// Asserts a button and returns; the loop lets go after `hold`. Throws rig::NoBench for an
    /// unknown button, hold or profile, rig::RigError when the line cannot be driven or the button
    /// is pressed already.
    [[nodiscard]] PressId press(const std::string& button, std::chrono::nanoseconds hold,
                                const std::string& profile);
    /// Every button to high impedance, now.
    void release_buttons();
    /// One button, likewise. Throws rig::NoBench for an unknown one.
    void release_button(const std::string& button);

    /// As Bench::set_line().
    void set_line(const std::string& line, bool active);

    /// These three throw rig::NoBench for an unknown LED.
    [[nodiscard]] bool led_is_on(const std::string& led) const;
    [[nodiscard]] rig::Active led_active(const std::string& led) const;
    /// Throws rig::RigError for what is too long ago.
    [[nodiscard]] rig::LedWindow led_window(const std::string& led, TimestampNs from_ns,
                                            TimestampNs until_ns) const;

    /// Begins what Bench::measure_loopback() does. An exception and release_buttons() end it.
    void begin_loopback(const std::string& button, const std::string& led, std::size_t samples);
    /// Does a slice of it; how often the button was set by then.
    [[nodiscard]] std::size_t go_on_with_loopback(std::chrono::nanoseconds slice);
    /// Lets go of the button; what was measured.
    [[nodiscard]] rig::LoopbackReport end_loopback();

    /// Whether the lines are simulated ones, on a wire.
    [[nodiscard]] bool are_on_a_wire() const { return wire_ != nullptr; }
    /// A new wire: the board's end of it. Only where are_on_a_wire().
    [[nodiscard]] rig::UniqueFd plug_wire() { return wire_->plug(); }
    /// Likewise for an emulated board: QEMU's ends.
    [[nodiscard]] rig::QemuPlug plug_emulator() { return qemu_->plug(); }
    /// Reads what the board still said and cuts the wire, if there is one.
    void unplug_wire();

    /// Watches the lines, as they are now.
    void watch();
    void end_watch() { watches_.end(); }
    /// Reads the edges that wait, unless the lines are disconnected.
    void look_at_rest();
    /// Gives the lines back, which releases them. For when the loop has ended: nothing else may be
    /// called afterwards.
    void close() noexcept;

  private:
    struct ButtonState {
        std::unique_ptr<rig::Button> button;
        PressId press = 0;
    };
    struct LedState {
        rig::Led led;
        rig::LedHistory history;
    };

    void open_lines();
    void look();
    void look_for_lost_edges();
    void look_for_overdue_edges();
    void take_hello();
    void look_whether_cut();
    [[nodiscard]] std::uint64_t hellos() const;
    void take_edge(const rig::Edge& edge);
    void play(std::size_t button);
    void release(ButtonState& button);
    void take_release(const ButtonState& button);
    [[nodiscard]] rig::Loopback& loopback();
    [[nodiscard]] std::size_t button_index(const std::string& button) const;
    [[nodiscard]] std::uint32_t led_line(const std::string& led) const;

    const rig::BenchFile& bench_file_;
    const rig::Clock& clock_;
    Loop& loop_;
    BenchEvents& events_;
    std::function<void()> on_hello_;
    std::unique_ptr<rig::Lines> lines_;
    rig::WireLines* wire_ = nullptr;  // lines_ on a simulated bench
    rig::QemuLines* qemu_ = nullptr;  // lines_ on an emulated one
    std::vector<ButtonState> buttons_;
    std::map<std::uint32_t, LedState> leds_;  // by line
    std::optional<rig::Loopback> loopback_;   // after lines_: lets go of one
    std::uint64_t edges_lost_seen_ = 0;
    Loop::TimerId overdue_timer_ = 0;
    PressId last_press_id_ = 0;
    DescriptorWatches watches_;
};

}  // namespace harness
