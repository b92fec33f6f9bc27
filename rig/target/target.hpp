// Target is the seam between the rig and whatever the board under test is: a process, an emulator,
// a board on a bench. What it does comes out of read() as plain values, oldest first.
//
// Thread rule: one thread at a time, the loop's. Whoever owns the loop watches descriptors() for
// readability and calls read() when one is readable, when next_deadline_ns() has come, and after
// start(), reset() and stop_now(), whose events no descriptor announces; it calls read() again
// while that returns true. The set of descriptors changes: ask again after every call. One that is
// left out stays open until the next call, so that it can be unwatched, and its number is not used
// again before.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "rig/base/clock.hpp"

namespace rig {

/// A line of the target's console, or a piece of one: see console_lines.hpp for what is cut and
/// what is made printable. `at_ns` is the time of the read that brought its last byte.
struct ConsoleText {
    TimestampNs at_ns = 0;
    std::string text;
    bool ends_line = true;  ///< false: the next text of this target goes on in the same line
    bool operator==(const ConsoleText&) const = default;
};

struct TargetStarted {
    TimestampNs at_ns = 0;
    std::int64_t pid = 0;  ///< 0: the target is no process
    bool operator==(const TargetStarted&) const = default;
};

struct TargetEnded {
    TimestampNs at_ns = 0;
    std::string how;         ///< "exited with status 3", "killed by signal 11 (SIGSEGV)"
    bool was_asked = false;  ///< the rig asked for it and the target did not crash on the way
    bool operator==(const TargetEnded&) const = default;
};

/// The console went away or came back, which says nothing about the target itself.
struct ConsoleChanged {
    TimestampNs at_ns = 0;
    std::string what;         ///< for people, with the remedy
    bool is_trouble = false;  ///< nobody asked for it
    bool operator==(const ConsoleChanged&) const = default;
};

/// What carries the target has failed: the rig has erred, and nothing is said about the target.
struct CarrierFailed {
    TimestampNs at_ns = 0;
    std::string what;  ///< for people
    bool operator==(const CarrierFailed&) const = default;
};

using TargetEvent =
    std::variant<ConsoleText, TargetStarted, TargetEnded, ConsoleChanged, CarrierFailed>;

class Target {
  public:
    virtual ~Target() = default;

    /// Starts the target; nothing happens if it runs. Throws NoBench, with the remedy, when there
    /// is nothing to start, and std::system_error when the machine cannot.
    virtual void start() = 0;

    /// Asks the target to end and returns at once; TargetEnded comes out of read(). A target that
    /// does not end within its grace period is ended by force. Nothing happens if it is stopped.
    virtual void stop() = 0;

    /// Ends the target by force and waits until it is gone. It is what clean-up calls.
    virtual void stop_now() noexcept = 0;

    /// Ends the target as abruptly as a reset pin does, and starts it anew. Throws like start().
    virtual void reset() = 0;

    /// Whether it was started and has not been seen to end.
    [[nodiscard]] virtual bool is_running() const = 0;

    /// Whether it can begin anew without read() saying so, as a board does that crashes.
    [[nodiscard]] virtual bool may_restart_unseen() const = 0;

    /// Descriptors that become readable when there is something to read.
    [[nodiscard]] virtual std::vector<int> descriptors() const = 0;

    /// Appends what happened to `events`, a bounded amount a call, and does what the time asks
    /// for. Returns whether there may be more. Throws std::system_error.
    [[nodiscard]] virtual bool read(std::vector<TargetEvent>& events) = 0;

    /// When read() must be called even if no descriptor is readable. 0: never.
    [[nodiscard]] virtual TimestampNs next_deadline_ns() const = 0;
};

/// One line for people: "started as process 4711", "killed by signal 11 (SIGSEGV)", or the text.
[[nodiscard]] std::string describe(const TargetEvent& event);

}  // namespace rig
