// Lines is the seam between the rig and whatever carries its buttons and LEDs: simulated wires,
// the kernel's GPIO chips, an emulator's pins. One Lines object holds all lines of one bench, in
// the order in which the bench names them; a line is known by its index there.
//
// Thread rule: one thread at a time, the loop's. Nothing blocks. Whoever owns the loop watches
// descriptors() for readability and calls read_edges() until it returns false. The set of
// descriptors changes when a board is plugged in or goes: ask again after every read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rig/line/level.hpp"

namespace rig {

enum class Direction : std::uint8_t {
    output,  ///< the rig drives it: a button
    input,   ///< the rig watches it: an LED
};

/// How an output holds its inactive level. Open drain never drives high, so a rig and a board
/// that disagree cannot damage each other; it is the default for buttons.
enum class Drive : std::uint8_t { open_drain, open_source, push_pull };

enum class Bias : std::uint8_t { as_is, disabled, pull_up, pull_down };

/// One line as the bench file describes it.
struct LineSpec {
    std::string name;  ///< the name in the bench file: "button0"
    std::string chip;  ///< path, label or name of the chip; empty on the simulated bench
    std::string line;  ///< offset as a decimal number, or the line's name
    Direction direction = Direction::input;
    Active active = Active::high;
    Drive drive = Drive::open_drain;
    Bias bias = Bias::as_is;
    std::int64_t debounce_us = 0;  ///< kernel debounce period of an input; 0: none
};

class Lines {
  public:
    virtual ~Lines() = default;

    [[nodiscard]] virtual std::span<const LineSpec> specs() const = 0;

    /// Descriptors that become readable when there is something to read.
    [[nodiscard]] virtual std::vector<int> descriptors() const = 0;

    /// Appends edges that wait to `edges`, oldest first, at most a bounded number a call.
    /// Returns whether there may be more. Throws RigError when the mechanism has gone
    /// (a chip that was unplugged); a board that merely died is is_connected() == false.
    [[nodiscard]] virtual bool read_edges(std::vector<Edge>& edges) = 0;

    /// Sets an output line to an electrical level. High on an open-drain line lets go of it.
    /// Returns the edge it made, stamped right after the call that set the line, or, for a line
    /// that already had the level, an edge with seqno 0. Throws RigError if the line is an input.
    [[nodiscard]] virtual Edge drive(std::uint32_t line, Level level) = 0;

    /// Puts an output line to high impedance. Never throws: it is what clean-up calls.
    virtual void release(std::uint32_t line) noexcept = 0;

    /// The last known level of a line.
    [[nodiscard]] virtual Level level(std::uint32_t line) const = 0;

    /// Edges known to be lost so far: gaps in sequence numbers and overrun buffers.
    [[nodiscard]] virtual std::uint64_t edges_lost() const = 0;

    /// Whether a board is on the other end. Real chips cannot tell: they say true until one of them
    /// is unplugged.
    [[nodiscard]] virtual bool is_connected() const = 0;
};

}  // namespace rig
