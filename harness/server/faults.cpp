#include "harness/server/faults.hpp"

#include <algorithm>
#include <utility>

namespace harness {

using namespace std::chrono_literals;

Faults::Id Faults::add(FaultSpec spec, TlsContextSource context) {
    spec = completed(std::move(spec));
    std::mt19937_64 dice(spec.seed);
    armed_.emplace(++last_id_,
                   Armed{.spec = std::move(spec), .context = std::move(context), .dice = dice});
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

std::vector<Faults::Struck> Faults::strike(FaultPoint point, FaultPort port,
                                           std::optional<std::uint16_t> device) {
    std::vector<Struck> result;
    for (auto& [id, fault] : armed_) {
        const FaultSpec& spec = fault.spec;
        const bool is_chance = info_of(spec.kind).point == point &&
                               (spec.port == FaultPort::any || spec.port == port) &&
                               (!spec.device || spec.device == device);
        if (is_chance && fires(fault)) {
            result.push_back(
                {.id = id, .spec = spec, .context = fault.context, .salt = fault.chances});
        }
    }
    return result;
}

void Faults::count_fired(Id id) {
    const auto found = armed_.find(id);
    if (found != armed_.end()) {
        ++found->second.fired;
    }
}

bool Faults::fires(Armed& fault) {
    ++fault.chances;
    if (fault.spec.nth != 0 && fault.spec.nth != fault.chances) {
        return false;
    }
    return fault.spec.probability >= 1.0 ||
           std::uniform_real_distribution<double>(0.0, 1.0)(fault.dice) < fault.spec.probability;
}

bool Faults::keeps_gone(const Armed& fault, std::int64_t now_ns) {
    return fault.spec.kind == FaultKind::gone &&
           (fault.over_at_ns == 0 || now_ns < fault.over_at_ns);
}

bool Faults::is_gone(std::int64_t now_ns) const {
    return std::any_of(armed_.begin(), armed_.end(),
                       [now_ns](const auto& entry) { return keeps_gone(entry.second, now_ns); });
}

std::optional<std::int64_t> Faults::gone_until_ns(std::int64_t now_ns) const {
    std::optional<std::int64_t> earliest;
    for (const auto& [id, fault] : armed_) {
        if (keeps_gone(fault, now_ns) && fault.over_at_ns != 0) {
            earliest = std::min(earliest.value_or(fault.over_at_ns), fault.over_at_ns);
        }
    }
    return earliest;
}

std::vector<FaultSpec> Faults::mark_gone(std::int64_t now_ns) {
    std::vector<FaultSpec> result;
    for (auto& [id, fault] : armed_) {
        if (fault.spec.kind != FaultKind::gone || fault.fired != 0) {
            continue;
        }
        fault.fired = 1;
        if (*fault.spec.delay > 0ns) {
            fault.over_at_ns = now_ns + fault.spec.delay->count();
        }
        result.push_back(fault.spec);
    }
    return result;
}

}  // namespace harness
