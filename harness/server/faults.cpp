#include "harness/server/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

using namespace std::chrono_literals;

constexpr std::array kinds{FaultKind::gone, FaultKind::late, FaultKind::answer_x};
constexpr std::chrono::nanoseconds delay_max = 10min;

}  // namespace

std::string_view to_string(FaultKind kind) {
    switch (kind) {
        case FaultKind::gone:
            return "gone";
        case FaultKind::late:
            return "late";
        case FaultKind::answer_x:
            return "answer_x";
    }
    return "late";
}

FaultKind fault_kind(std::string_view name) {
    std::string known;
    for (const FaultKind kind : kinds) {
        if (to_string(kind) == name) {
            return kind;
        }
        known += fmt::format("{}{}", known.empty() ? "" : ", ", to_string(kind));
    }
    throw rig::NoBench(fmt::format("no fault is called \"{}\"; there are: {}", name, known));
}

Faults::Id Faults::add(const FaultSpec& spec) {
    if (spec.delay < 0ns || spec.delay > delay_max) {
        throw rig::NoBench(fmt::format("fault {}: a delay is 0 to 600 s, not {} ns",
                                       to_string(spec.kind), spec.delay.count()));
    }
    if (!(spec.probability >= 0.0 && spec.probability <= 1.0)) {
        throw rig::NoBench(fmt::format("fault {}: a probability is 0 to 1, not {}",
                                       to_string(spec.kind), spec.probability));
    }
    if (spec.nth < 0) {
        throw rig::NoBench(fmt::format("fault {}: nth counts from 1 (0: each), not {}",
                                       to_string(spec.kind), spec.nth));
    }
    armed_.emplace(++last_id_, Armed{spec, std::mt19937_64(spec.seed)});
    return last_id_;
}

std::int64_t Faults::remove(Id id) {
    const auto found = armed_.find(id);
    if (found == armed_.end()) {
        return 0;
    }
    const std::int64_t fired = found->second.fired;
    armed_.erase(found);
    return fired;
}

bool Faults::is_gone() const {
    return std::any_of(armed_.begin(), armed_.end(),
                       [](const auto& entry) { return entry.second.spec.kind == FaultKind::gone; });
}

void Faults::mark_gone(const Fired& fired) {
    for (auto& [id, fault] : armed_) {
        if (fault.spec.kind == FaultKind::gone && fault.fired == 0) {
            fault.fired = 1;
            fired(fault.spec.kind);
        }
    }
}

FrameFault Faults::frame(std::optional<std::uint16_t> device, const Fired& fired) {
    FrameFault result;
    for (auto& [id, fault] : armed_) {
        if (fault.spec.kind == FaultKind::gone || !fires(fault, device)) {
            continue;
        }
        if (fault.spec.kind == FaultKind::late) {
            result.delay += fault.spec.delay;
        } else {
            result.answers_x = true;
        }
        ++fault.fired;
        fired(fault.spec.kind);
    }
    return result;
}

bool Faults::fires(Armed& fault, std::optional<std::uint16_t> device) {
    if (fault.spec.device && fault.spec.device != device) {
        return false;
    }
    ++fault.chances;
    if (fault.spec.nth != 0 && fault.spec.nth != fault.chances) {
        return false;
    }
    return fault.spec.probability >= 1.0 ||
           std::uniform_real_distribution<double>(0.0, 1.0)(fault.dice) < fault.spec.probability;
}

}  // namespace harness
