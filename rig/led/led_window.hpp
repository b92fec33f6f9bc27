// LedWindow is what an LED did between two moments, and the questions that a scenario asks about
// it: does it stay on, does it blink, how often did it change. Pure functions on the timestamps of
// the edges, never on when somebody looked. Plain values; any thread.
//
// Whoever asks must wait until the window is over and the edges of its end have been read: an edge
// comes out of the kernel up to some milliseconds after it happened (later with debounce_us).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "rig/line/level.hpp"

namespace rig {

/// The LED became on or off. `lost_before`: edges known to have been lost since the one before.
struct LedEdge {
    TimestampNs at_ns = 0;
    bool is_on = false;
    std::uint64_t lost_before = 0;
    bool operator==(const LedEdge&) const = default;
};

/// From `from_ns` up to, not including, `until_ns`; edges oldest first, all of them within.
struct LedWindow {
    std::string led;  ///< its name, for texts
    TimestampNs from_ns = 0;
    TimestampNs until_ns = 0;
    bool was_on = false;  ///< just before from_ns
    std::vector<LedEdge> edges;
    std::uint64_t lost_after = 0;  ///< edges lost after the last one of these: perhaps within
};

/// The LED edges among a line's edges, oldest first; gaps in `seqno` become `lost_before`.
[[nodiscard]] std::vector<LedEdge> led_edges(std::span<const Edge> edges, Active active);

/// Cuts a window out of an LED's edges, oldest first. `was_on` is its state before the first of
/// them. Throws std::invalid_argument for a window that ends before it begins.
[[nodiscard]] LedWindow led_window(std::string led, std::span<const LedEdge> edges, bool was_on,
                                   TimestampNs from_ns, TimestampNs until_ns);

/// The last edges of one LED, to cut windows out of while it goes on. Not thread-safe.
class LedHistory {
  public:
    static constexpr std::size_t edges_kept_max = 10'000;

    LedHistory(Active active, Level level) : active_(active), is_on_(is_active(level, active)) {}

    void take(const Edge& edge);
    /// Says what the line is now, seen without an edge, as after a restart of the board.
    void set(Level level, TimestampNs now_ns);
    /// Throws std::invalid_argument for a window that ends before it begins, RigError for one that
    /// begins before the oldest edge that is still kept.
    [[nodiscard]] LedWindow window(std::string led, TimestampNs from_ns,
                                   TimestampNs until_ns) const;

  private:
    Active active_;
    bool is_on_;            // now
    bool was_on_ = is_on_;  // before the oldest edge
    TimestampNs forgotten_until_ns_ = 0;
    std::uint64_t seqno_ = 0;
    std::deque<LedEdge> edges_;
};

/// Whether the LED is on at a moment of the window; an edge counts from its own timestamp on.
[[nodiscard]] bool is_on_at(const LedWindow& window, TimestampNs at_ns);

/// For how much of the window the LED is on, 0 to 1; 0 for an empty window.
[[nodiscard]] double on_share(const LedWindow& window);

enum class LedAnswer : std::uint8_t {
    yes,
    no,           ///< a verdict on the target
    cannot_tell,  ///< edges were lost in the window, or it is too short: nothing about the target
};

/// `text` says what was expected, and what was seen instead with the edges and their times; it
/// is empty for yes.
struct LedVerdict {
    LedAnswer answer = LedAnswer::yes;
    std::string text;
};

/// Whether the LED is on (or off) for the whole of the window.
[[nodiscard]] LedVerdict stays(const LedWindow& window, bool on);

/// `period` from one switching on to the next; `duty` the share of it that the LED is on;
/// `tolerance` a share of the period by which each period, and each time on, may differ.
struct Blinking {
    std::chrono::nanoseconds period{};
    double duty = 0.5;
    double tolerance = 0.1;
};

/// Whether the LED blinks like that for the whole of the window: every complete time on and every
/// complete time off is right, and neither at the beginning nor at the end does it stand still for
/// longer than it may. cannot_tell unless the window holds two periods. Throws
/// std::invalid_argument for a period of 0 or less, a duty outside 0 to 1 (neither included), and a
/// tolerance outside 0 to 0.5.
[[nodiscard]] LedVerdict blinks(const LedWindow& window, const Blinking& expected);

/// "off; on at 12.031 ms, off at 512.104 ms", times from the window's beginning; at most
/// edges_shown_max of them.
constexpr std::size_t edges_shown_max = 20;
[[nodiscard]] std::string describe(const LedWindow& window);

}  // namespace rig
