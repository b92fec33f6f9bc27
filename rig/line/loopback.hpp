// Loopback is the rig's measurement of itself: an output wired to an input (a jumper, or the
// kernel's gpio-sim) is set again and again, and each setting is compared with the edge that comes
// back. It says how long setting a line takes, how far the kernel's stamp is from it and how late
// the rig reads it: the accuracy of everything else that this rig measures. Plain values and one
// function that drives lines; whoever owns the loop must not read them meanwhile.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "rig/line/lines.hpp"

namespace rig {

/// One setting of the output and the edge that it made on the input.
struct LoopbackSample {
    TimestampNs before_ns = 0;  ///< right before the call that set the line
    TimestampNs after_ns = 0;   ///< right after it
    TimestampNs edge_ns = 0;    ///< the input's stamp
    TimestampNs read_ns = 0;    ///< when the edge was in the rig's hands
};

/// How a duration spreads over the samples, nanoseconds. `jitter_ns` is the longest less the
/// shortest. Percentiles are nearest-rank: values that occurred.
struct Spread {
    std::int64_t p50_ns = 0;
    std::int64_t p99_ns = 0;
    std::int64_t max_ns = 0;
    std::int64_t jitter_ns = 0;
    bool operator==(const Spread&) const = default;
};

struct LoopbackReport {
    std::size_t samples = 0;
    std::size_t missed = 0;  ///< settings that no edge answered in time
    Spread set_call;         ///< before_ns to after_ns: what a press is uncertain by
    Spread set_to_edge;      ///< before_ns to edge_ns: an upper bound of the stamp's error
    Spread edge_to_read;     ///< edge_ns to read_ns
};

/// The spread of some durations; all 0 for none.
[[nodiscard]] Spread spread_of(std::vector<std::int64_t> durations_ns);

[[nodiscard]] LoopbackReport loopback_report(std::span<const LoopbackSample> samples,
                                             std::size_t missed);

/// Waits until one of the descriptors is readable; false: not within the timeout.
using WaitReadable = std::function<bool(std::span<const int>, std::chrono::nanoseconds)>;

struct LoopbackPlan {
    std::uint32_t output = 0;
    std::uint32_t input = 0;
    std::size_t samples = 1000;
    std::chrono::nanoseconds answer_timeout = std::chrono::milliseconds(200);
};

/// Sets the output to the other level plan.samples times, each after the answer to the one before,
/// and lets go of it at the end. An edge counts if it shows the level that was set: a jumper
/// inverts nothing. Throws RigError when the first unanswered_max settings all go unanswered, which
/// says that the wire is missing, and whatever `lines` throws.
constexpr std::size_t unanswered_max = 3;
[[nodiscard]] LoopbackReport measure_loopback(Lines& lines, const Clock& clock,
                                              const LoopbackPlan& plan, const WaitReadable& wait);

}  // namespace rig
