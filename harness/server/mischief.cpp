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

const TlsContext* Mischief::context(const TlsContext* usual) {
    for (const Begun& each : begun_) {
        if (each.fault.spec.kind == FaultKind::plain_on_secure) {
            return nullptr;
        }
        if (each.fault.context) {
            context_ = each.fault.context();
        }
    }
    return context_ != nullptr ? context_.get() : usual;
}

std::vector<ShimFault> Mischief::shim_faults() {
    using Act = ShimFault::Act;
    const auto act_of = [](FaultKind kind) -> std::optional<Act> {
        switch (kind) {
            case FaultKind::tls_stall:
                return Act::stall;
            case FaultKind::tls_close:
                return Act::close;
            case FaultKind::tls_reset:
                return Act::reset;
            case FaultKind::tls_alert:
                return Act::alert;
            case FaultKind::tls_oversized_record:
                return Act::oversize;
            case FaultKind::tls_tiny_records:
                return Act::tiny;
            case FaultKind::tls_wrong_version:
                return Act::set_version;
            case FaultKind::tls_wrong_cipher:
                return Act::set_cipher;
            default:
                return std::nullopt;
        }
    };
    std::vector<ShimFault> result;
    for (std::size_t place = 0; place < begun_.size(); ++place) {
        const FaultSpec& spec = begun_[place].fault.spec;
        if (const auto act = act_of(spec.kind)) {
            of_shim_.push_back(place);
            result.push_back(
                {.act = *act,
                 .at = tls_message_from(spec.text.value_or("")).value_or(TlsMessage::other),
                 .number = static_cast<std::uint16_t>(spec.number.value_or(0))});
        }
    }
    return result;
}

void Mischief::dress(TlsSession& session) {
    if (begun_.empty()) {
        return;
    }
    auto faults = shim_faults();
    if (!faults.empty()) {
        shim_ = std::make_unique<RecordShim>(std::move(faults));
        session.use_shim(*shim_);
    }
}

void Mischief::after_handshake(TlsSession& session) {
    if (begun_.empty()) {
        return;
    }
    const ClientHello* const hello = session.client_hello();
    Begun* const ticket = find(FaultKind::tls_refuse_ticket);
    if (ticket != nullptr && hello != nullptr && (hello->offers_ticket || hello->offers_psk)) {
        fire(*ticket);
    }
    if (Begun* const fault = find(FaultKind::tls_renegotiate);
        fault != nullptr && session.request_renegotiation()) {
        fire(*fault);
    }
    if (Begun* const fault = find(FaultKind::tls_key_update);
        fault != nullptr && session.request_key_update()) {
        fire(*fault);
    }
}

Order Mischief::after_records() {
    if (shim_ == nullptr) {
        return {};
    }
    for (std::size_t place = 0; place < of_shim_.size(); ++place) {
        if (shim_->has_fired(place)) {
            fire(begun_[of_shim_[place]]);
        }
    }
    const auto ended_by = shim_->ended_by();
    if (!ended_by) {
        return {};
    }
    const FaultSpec& spec = begun_[of_shim_[*ended_by]].fault.spec;
    const std::string reason = fmt::format("{}, on purpose", describe(spec));
    switch (shim_->fault(*ended_by).act) {
        case ShimFault::Act::stall:
            return {.what = Order::What::mute, .length = *spec.delay, .reason = reason};
        case ShimFault::Act::reset:
            return {.what = Order::What::reset, .reason = reason};
        default:
            return {.what = Order::What::close, .reason = reason};
    }
}

bool Mischief::omits_close_notify() {
    Begun* const fault = begun_.empty() ? nullptr : find(FaultKind::tls_no_close_notify);
    if (fault == nullptr) {
        return false;
    }
    fire(*fault);
    return true;
}

Order Mischief::at_accept() {
    for (Begun& each : begun_) {
        const FaultKind kind = each.fault.spec.kind;
        const bool shows_at_once = each.fault.context && kind != FaultKind::tls_refuse_ticket;
        if (shows_at_once || kind == FaultKind::plain_on_secure) {
            fire(each);
        }
    }
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
    if (Begun* const tiny = begun_.empty() ? nullptr : find(FaultKind::tls_tiny_records)) {
        plan.is_bytewise = true;
        fire(*tiny);
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
