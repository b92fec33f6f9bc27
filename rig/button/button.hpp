// Button presses one output line: it plays the steps of a press on the line, each when its time has
// come. It has no timer of its own: the caller asks due_ns() and calls play(). `lines` must outlive
// it; same thread rule as Lines. Destroying it lets go of the line.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rig/button/bounce_profile.hpp"
#include "rig/line/lines.hpp"

namespace rig {

class Button {
  public:
    /// `line` is an output of `lines`.
    Button(Lines& lines, std::uint32_t line);
    ~Button();
    Button(const Button&) = delete;
    Button& operator=(const Button&) = delete;

    [[nodiscard]] const std::string& name() const;

    /// The line was set somewhere between before_ns and after_ns.
    struct Asserted {
        TimestampNs before_ns = 0;
        TimestampNs after_ns = 0;
        Edge edge;
    };
    /// Begins a press with its first edge, now. Throws RigError if the last press still goes on or
    /// the line cannot be driven, NoBench for an unknown profile.
    [[nodiscard]] Asserted press(std::string_view profile, std::chrono::nanoseconds hold,
                                 const Clock& clock);

    [[nodiscard]] bool is_pressing() const { return next_step_ < steps_.size(); }
    /// When play() wants to be called; nothing between presses.
    [[nodiscard]] std::optional<TimestampNs> due_ns() const;
    /// Plays the steps that are due and returns the edges they made; empty if none was due.
    [[nodiscard]] std::vector<Edge> play(TimestampNs now_ns);

    /// Ends a press at once and puts the line to high impedance.
    void release() noexcept;

  private:
    [[nodiscard]] Edge set(bool closed);

    Lines& lines_;
    const std::uint32_t line_;
    std::vector<PressStep> steps_;
    std::size_t next_step_ = 0;
    TimestampNs began_ns_ = 0;
};

}  // namespace rig
