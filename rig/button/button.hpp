// Button presses one output line: it plays the steps of a press on the line, each when its time has
// come. It has no timer of its own: the caller asks wake_ns() and calls play_train(). `lines` must
// outlive it; same thread rule as Lines. Destroying it lets go of the line.
//
// A timer is late by its slack and by what it takes to wake a thread, 0.1 ms and more, which is
// longer than a bounce. Steps less than train_gap_max after the one before are therefore waited for
// with the clock in hand: at most spin_max for each, and at most turn_max in one call.
//
// A step that comes more than late_max late, because the machine was busy, moves all that follow by
// as much: a rig that stumbles makes a press longer, never a train squeezed into one instant.
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
    static constexpr std::chrono::nanoseconds train_gap_max = std::chrono::milliseconds(1);
    static constexpr std::chrono::nanoseconds spin_max = std::chrono::microseconds(300);
    static constexpr std::chrono::nanoseconds late_max = std::chrono::milliseconds(1);
    static constexpr std::chrono::nanoseconds turn_max = std::chrono::milliseconds(2);

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
    /// When the next step is due; nothing between presses.
    [[nodiscard]] std::optional<TimestampNs> due_ns() const;
    /// When play_train() wants to be called: somewhat before a step that it waits for by itself.
    [[nodiscard]] std::optional<TimestampNs> wake_ns() const;
    /// Plays the steps that are due and returns the edges they made; empty if none was due.
    [[nodiscard]] std::vector<Edge> play(TimestampNs now_ns);
    /// As play(), and waits for what follows closely. Appends to `edges`, also those before a step
    /// that throws RigError. `clock` must move on by itself.
    void play_train(const Clock& clock, std::vector<Edge>& edges);

    /// Ends a press at once and puts the line to high impedance.
    void release() noexcept;

  private:
    [[nodiscard]] Edge set(bool closed);
    [[nodiscard]] Edge play_step(TimestampNs now_ns);
    [[nodiscard]] bool follows_closely() const;

    Lines& lines_;
    const std::uint32_t line_;
    std::vector<PressStep> steps_;
    std::size_t next_step_ = 0;
    TimestampNs began_ns_ = 0;  ///< what the steps' times count from
};

}  // namespace rig
