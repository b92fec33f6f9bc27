#include "rig/line/loopback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"

namespace rig {
namespace {

std::int64_t nearest_rank(const std::vector<std::int64_t>& sorted, std::size_t percent) {
    const std::size_t rank = (sorted.size() * percent + 99) / 100;
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

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

Loopback::Loopback(Lines& lines, const Clock& clock, const LoopbackPlan& plan)
    : lines_(lines), clock_(clock), plan_(plan) {
    std::vector<Edge> old;
    while (lines_.read_edges(old)) {
        old.clear();  // from before the measurement
    }
}

void Loopback::measure_for(std::chrono::nanoseconds slice, const WaitReadable& wait) {
    const Deadline end = Deadline::after(clock_, slice);
    while (!is_done()) {
        measure_one(wait);
        if (end.has_passed(clock_)) {
            return;
        }
    }
}

void Loopback::measure_one(const WaitReadable& wait) {
    const Level level = opposite(lines_.level(plan_.output));
    LoopbackSample sample;
    sample.before_ns = clock_.monotonic_ns();
    sample.after_ns = lines_.drive(plan_.output, level).at_ns;
    if (const auto edge = answer(lines_, clock_, plan_, level, wait)) {
        sample.read_ns = clock_.monotonic_ns();
        sample.edge_ns = edge->at_ns;
        samples_.push_back(sample);
    } else if (++missed_ >= unanswered_max && samples_.empty()) {
        const auto specs = lines_.specs();
        throw Remedied<RigError>(
            fmt::format("{} does not follow {}", specs[plan_.input].name, specs[plan_.output].name),
            fmt::format("wire them together, and pull the wire up if {} is open-drain",
                        specs[plan_.output].name));
    }
}

}  // namespace rig
