// Where a server listens: usually, beside somebody who stands before it, and nowhere while it is
// gone.
#include <fmt/format.h>

#include <utility>

#include "harness/server/fault_contexts.hpp"
#include "harness/server/server.hpp"
#include "rig/base/errors.hpp"

namespace harness {
namespace {

constexpr std::int64_t return_tried_every_ns = 100 * rig::ns_per_ms;

}  // namespace

void Server::open(Port& port) {
    auto listener = port.bound ? std::make_unique<Listener>(*port.bound)
                               : std::make_unique<Listener>(port.address, port.port);
    port.watch = loop_.watch(listener->fd(), {.readable = true},
                             [this, &port](Ready) { accept_from(port); });
    port.listener = std::move(listener);
    port.address = port.listener->address();
    port.port = port.listener->port();  // a free port that was taken once is kept
}

void Server::close(Port& port) {
    if (port.listener != nullptr) {
        loop_.unwatch(port.watch);
        port.listener.reset();
    }
}

std::vector<std::string> Server::endpoints(bool secure) const {
    std::vector<std::string> result;
    for (const auto& port : ports_) {
        if (port->secure == secure) {
            result.push_back(endpoint_text(port->address, port->port));
        }
    }
    return result;
}

std::vector<std::string> Server::plain_endpoints() const {
    return endpoints(false);
}

std::vector<std::string> Server::tls_endpoints() const {
    return endpoints(true);
}

std::vector<LentPort> Server::step_aside(FaultPort which) {
    if (faults_.is_gone(loop_.clock().monotonic_ns())) {
        throw rig::RigError(
            "the server is gone on purpose: nobody can stand before it until that fault is over");
    }
    const bool secure = which == FaultPort::secure;
    const Port* stays_reached = nullptr;  // from this process's network
    for (const auto& port : ports_) {
        if (port->secure != secure) {
            continue;
        }
        if (port->usual_port != 0) {
            throw rig::RigError(
                fmt::format("somebody stands before port {} already", port->usual_port));
        }
        if (!port->bound && stays_reached == nullptr) {
            stays_reached = port.get();
        }
    }
    if (stays_reached == nullptr) {
        throw rig::NoBench(
            "nobody can stand before the server: it is reached in the target's network only");
    }
    for (const auto& port : ports_) {
        if (port->secure == secure) {
            port->usual_port = port->port;
            if (port->bound) {
                close(*port);
            } else {
                move(*port, 0);
            }
        }
    }
    std::vector<LentPort> result;
    for (const auto& port : ports_) {
        if (port->secure == secure) {
            const Port& reached = port->bound ? *stays_reached : *port;
            result.push_back({.server = endpoint_text(reached.address, reached.port),
                              .socket = port->bound ? port->bound->fd : -1});
        }
    }
    return result;
}

void Server::step_back(FaultPort which) {
    for (const auto& port : ports_) {
        if (port->secure == (which == FaultPort::secure) && port->usual_port != 0) {
            move(*port, port->usual_port);
            port->usual_port = 0;  // not before: it can be tried again
        }
    }
}

void Server::move(Port& port, std::uint16_t to) {
    close(port);
    port.port = to;
    if (!faults_.is_gone(loop_.clock().monotonic_ns())) {
        open(port);
        update_listeners();
    }
}

Faults::Id Server::add_fault(const FaultSpec& spec) {
    const Faults::Id id = faults_.add(spec, context_source(completed(spec)));
    apply_gone();
    return id;
}

std::int64_t Server::remove_fault(Faults::Id id) {
    const std::int64_t fired = faults_.remove(id);
    apply_gone();
    return fired;
}

TlsContextSource Server::context_source(const FaultSpec& spec) const {
    const bool is_of_tls =
        info_of(spec.kind).port == FaultPort::secure || spec.kind == FaultKind::tls_on_clear;
    if (is_of_tls && !options_.tls_port) {
        throw rig::NoBench(
            fmt::format("fault {}: this server does not speak TLS", info_of(spec.kind).name));
    }
    const auto config = fault_config(spec, options_.tls, options_.certificates);
    if (!config) {
        return {};
    }
    auto context = std::make_shared<const TlsContext>(tls_library_, *config);
    if (spec.kind != FaultKind::tls_refuse_ticket) {
        return [context = std::move(context)] { return context; };
    }
    // A context of its own for each connection: none can read the tickets of another.
    return [&library = tls_library_, config = *config] {
        return std::make_shared<const TlsContext>(library, config);
    };
}

void Server::apply_gone() {
    if (is_shutting_down_) {
        return;
    }
    const TimestampNs now_ns = loop_.clock().monotonic_ns();
    loop_.cancel(gone_timer_);
    for (const FaultSpec& fault : faults_.mark_gone(now_ns)) {
        sink_.take(FaultFired{.at_ns = now_ns, .connection_id = 0, .name = describe(fault)});
    }
    if (!faults_.is_gone(now_ns)) {
        come_back();
        return;
    }
    if (const auto until_ns = faults_.gone_until_ns(now_ns)) {
        gone_timer_ = loop_.at(*until_ns, [this] { apply_gone(); });
    }
    loop_.cancel(return_timer_);
    why_still_gone_.clear();
    for (const auto& port : ports_) {
        close(*port);
    }
}

void Server::come_back() {
    std::string trouble;
    for (const auto& port : ports_) {
        if (port->listener != nullptr || is_lent(*port)) {
            continue;
        }
        try {
            open(*port);
        } catch (const std::exception& error) {  // another has the port, or no descriptor is free
            trouble += (trouble.empty() ? "" : "; ") + std::string(error.what());
        }
    }
    if (trouble.empty() && !why_still_gone_.empty()) {
        note("the server is back", false);
    } else if (trouble != why_still_gone_) {
        note(
            fmt::format("the server cannot come back after having been gone: {}; it goes on trying",
                        trouble),
            true);
    }
    why_still_gone_ = trouble;
    loop_.cancel(return_timer_);
    if (!trouble.empty()) {
        return_timer_ =
            loop_.at(loop_.clock().monotonic_ns() + return_tried_every_ns, [this] { come_back(); });
    }
    update_listeners();
}

void Server::update_listeners() {
    const bool accepts = held_back_since_ns_ == 0 && !is_exhausted_ &&
                         connections_.size() < options_.connections_max;
    for (const auto& port : ports_) {
        if (port->listener != nullptr) {
            loop_.change(port->watch, {.readable = accepts});
        }
    }
}

}  // namespace harness
