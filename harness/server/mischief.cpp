#include "harness/server/mischief.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace harness {

Mischief::Mischief(Faults& faults, EventSink& sink, const rig::Clock& clock, ConnectionId id,
                   FaultPort port)
    : faults_(faults), sink_(sink), clock_(clock), id_(id), port_(port) {
    if (!faults_.are_armed()) {
        return;
    }
    for (Faults::Struck& fault : faults_.strike(FaultPoint::connection, port_)) {
        begun_.push_back({.fault = std::move(fault)});
    }
}

Mischief::Begun* Mischief::find(FaultKind kind) {
    const auto found = std::find_if(begun_.begin(), begun_.end(), [kind](const Begun& each) {
        return each.fault.spec.kind == kind;
    });
    return found != begun_.end() ? &*found : nullptr;
}

void Mischief::fire(const Faults::Struck& fault) {
    faults_.count_fired(fault.id);
    sink_.take(FaultFired{
        .at_ns = clock_.monotonic_ns(), .connection_id = id_, .name = describe(fault.spec)});
}

void Mischief::fire(Begun& begun) {
    if (!std::exchange(begun.has_fired, true)) {
        fire(begun.fault);
    }
}

Order Mischief::at_accept() {
    if (Begun* const fault = find(FaultKind::closed_at_accept)) {
        fire(*fault);
        return {.what = Order::What::close, .reason = "closed at accept, on purpose"};
    }
    if (Begun* const fault = find(FaultKind::never_read)) {
        fire(*fault);
        return {.what = Order::What::deaf,
                .length = *fault->fault.spec.delay,
                .reason = "never read from, on purpose"};
    }
    if (Order order = reset_after("received", 0)) {
        return order;
    }
    return reset_after("sent", 0);
}

Order Mischief::reset_after(std::string_view what, std::uint64_t bytes) {
    Begun* const fault = find(FaultKind::reset);
    if (fault == nullptr || *fault->fault.spec.text != what ||
        bytes < static_cast<std::uint64_t>(*fault->fault.spec.number)) {
        return {};
    }
    fire(*fault);
    return {.what = Order::What::reset,
            .reason = fmt::format("reset on purpose, {} bytes {}", bytes, what)};
}

Order Mischief::after_received(std::uint64_t bytes) {
    return begun_.empty() ? Order{} : reset_after("received", bytes);
}

Order Mischief::after_sent(std::uint64_t bytes) {
    return begun_.empty() ? Order{} : reset_after("sent", bytes);
}

std::size_t Mischief::may_send(std::uint64_t sent, std::size_t bytes) const {
    for (const Begun& each : begun_) {
        if (each.fault.spec.kind == FaultKind::reset && *each.fault.spec.text == "sent") {
            const auto limit = static_cast<std::uint64_t>(*each.fault.spec.number);
            return std::min<std::uint64_t>(bytes, limit - std::min(limit, sent));
        }
    }
    return bytes;
}

std::string Mischief::early_reply() {
    Begun* const fault = begun_.empty() ? nullptr : find(FaultKind::early_reply);
    if (fault == nullptr) {
        return {};
    }
    fire(*fault);
    has_replied_early_ = true;
    return *fault->fault.spec.text;
}

ReplyPlan Mischief::plan(std::optional<std::uint16_t> device, std::string reply) {
    ReplyPlan plan{.bytes = std::move(reply)};
    if (std::exchange(has_replied_early_, false)) {
        plan.bytes.clear();
        return plan;
    }
    if (!faults_.are_armed()) {
        return plan;
    }
    for (const Faults::Struck& fault : faults_.strike(FaultPoint::frame, port_, device)) {
        if (spoil(plan, fault.spec, fault.salt)) {
            fire(fault);
        }
    }
    return plan;
}

}  // namespace harness
