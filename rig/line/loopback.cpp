#include "rig/line/loopback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"

namespace rig {
namespace {

std::int64_t nearest_rank(const std::vector<std::int64_t>& sorted, std::size_t percent) {
    const std::size_t rank = (sorted.size() * percent + 99) / 100;
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

/// Lets go of a line however the measurement ends.
class LetGo {
  public:
    LetGo(Lines& lines, std::uint32_t line) : lines_(lines), line_(line) {}
    ~LetGo() { lines_.release(line_); }
    LetGo(const LetGo&) = delete;
    LetGo& operator=(const LetGo&) = delete;

  private:
    Lines& lines_;
    const std::uint32_t line_;
};

/// The edge that shows `level` on the input, if one comes in time.
std::optional<Edge> answer(Lines& lines, const Clock& clock, const LoopbackPlan& plan, Level level,
                           const WaitReadable& wait) {
    const Deadline deadline = Deadline::after(clock, plan.answer_timeout);
    std::vector<Edge> edges;
    for (;;) {
        edges.clear();
        static_cast<void>(lines.read_edges(edges));
        for (const Edge& edge : edges) {
            if (edge.line == plan.input && edge.level == level) {
                return edge;
            }
        }
        const std::vector<int> descriptors = lines.descriptors();
        if (deadline.has_passed(clock) || !wait(descriptors, deadline.left(clock))) {
            return std::nullopt;
        }
    }
}

}  // namespace

Spread spread_of(std::vector<std::int64_t> durations_ns) {
    if (durations_ns.empty()) {
        return {};
    }
    std::sort(durations_ns.begin(), durations_ns.end());
    return {.p50_ns = nearest_rank(durations_ns, 50),
            .p99_ns = nearest_rank(durations_ns, 99),
            .max_ns = durations_ns.back(),
            .jitter_ns = durations_ns.back() - durations_ns.front()};
}

LoopbackReport loopback_report(std::span<const LoopbackSample> samples, std::size_t missed) {
    std::vector<std::int64_t> set_call;
    std::vector<std::int64_t> set_to_edge;
    std::vector<std::int64_t> edge_to_read;
    for (const LoopbackSample& sample : samples) {
        set_call.push_back(sample.after_ns - sample.before_ns);
        set_to_edge.push_back(sample.edge_ns - sample.before_ns);
        edge_to_read.push_back(sample.read_ns - sample.edge_ns);
    }
    return {.samples = samples.size(),
            .missed = missed,
            .set_call = spread_of(std::move(set_call)),
            .set_to_edge = spread_of(std::move(set_to_edge)),
            .edge_to_read = spread_of(std::move(edge_to_read))};
}

LoopbackReport measure_loopback(Lines& lines, const Clock& clock, const LoopbackPlan& plan,
                                const WaitReadable& wait) {
    const LetGo let_go(lines, plan.output);
    std::vector<LoopbackSample> samples;
    std::size_t missed = 0;
    std::vector<Edge> old;
    while (lines.read_edges(old)) {
        old.clear();  // from before the measurement
    }
    for (std::size_t i = 0; i < plan.samples; ++i) {
        const Level level = opposite(lines.level(plan.output));
        LoopbackSample sample;
        sample.before_ns = clock.monotonic_ns();
        sample.after_ns = lines.drive(plan.output, level).at_ns;
        if (const auto edge = answer(lines, clock, plan, level, wait)) {
            sample.read_ns = clock.monotonic_ns();
            sample.edge_ns = edge->at_ns;
            samples.push_back(sample);
        } else if (++missed >= unanswered_max && samples.empty()) {
            const auto specs = lines.specs();
            throw RigError(fmt::format(
                "{} does not follow {}: wire them together, and pull the wire up if {} is "
                "open-drain",
                specs[plan.input].name, specs[plan.output].name, specs[plan.output].name));
        }
    }
    return loopback_report(samples, missed);
}

}  // namespace rig
