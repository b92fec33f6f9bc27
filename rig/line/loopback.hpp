// Loopback is the rig's measurement of itself: an output wired to an input (a jumper, or the
// kernel's gpio-sim) is set again and again, and each setting is compared with the edge that comes
// back. It says how long setting a line takes, how far the kernel's stamp is from it and how late
// the rig reads it: the accuracy of everything else that this rig measures.
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

/// A measurement under way, in slices, so that whoever owns the loop can do other things between
/// them. Holds on to the lines and the clock, which must outlive it; nobody else drives the output
/// until it goes, and lets go of it. The loop's thread only: a slice waits, and reads the lines.
class Loopback {
  public:
    /// So many settings unanswered, with none answered before, say that the wire is missing.
    static constexpr std::size_t unanswered_max = 3;

    Loopback(Lines& lines, const Clock& clock, const LoopbackPlan& plan);
    ~Loopback() { lines_.release(plan_.output); }
    Loopback(const Loopback&) = delete;
    Loopback& operator=(const Loopback&) = delete;

    /// Sets the output to the other level again and again, each time after the answer to the one
    /// before, until plan.samples are done or `slice` has passed; a setting that has begun is
    /// waited for. An edge counts if it shows the level that was set: a jumper inverts nothing.
    /// Throws RigError when the wire is missing, and whatever the lines throw.
    void measure_for(std::chrono::nanoseconds slice, const WaitReadable& wait);

    [[nodiscard]] std::size_t settings_done() const { return samples_.size() + missed_; }
    [[nodiscard]] bool is_done() const { return settings_done() >= plan_.samples; }
    [[nodiscard]] LoopbackReport report() const { return loopback_report(samples_, missed_); }

  private:
    void measure_one(const WaitReadable& wait);

    Lines& lines_;
    const Clock& clock_;
    const LoopbackPlan plan_;
    std::vector<LoopbackSample> samples_;
    std::size_t missed_ = 0;
};

}  // namespace rig
