#include "harness/server/server.hpp"

#include <fmt/format.h>

#include <utility>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

constexpr std::int64_t room_checked_every_ns = 2 * rig::ns_per_ms;
constexpr std::int64_t exhaustion_rest_ns = 100 * rig::ns_per_ms;

}  // namespace

Server::Server(Loop& loop, EventSink& sink, RegisterFile& registers, const TlsLibrary& tls_library,
               ServerOptions options)
    : loop_(loop),
      sink_(sink),
      tls_library_(tls_library),
      options_(std::move(options)),
      stamps_(loop.clock()),
      context_{loop.clock(), sink_,       registers,      stamps_,
               faults_,      device_ids_, last_frame_id_, options_.limits} {
    if (options_.tls_port) {
        tls_context_ = std::make_unique<TlsContext>(tls_library, options_.tls);
    }
    for (const std::string& address : options_.addresses) {
        if (options_.plain_port) {
            ports_.push_back(std::make_unique<Port>(
                Port{.address = address, .port = *options_.plain_port, .listener = {}}));
        }
        if (options_.tls_port) {
            ports_.push_back(std::make_unique<Port>(Port{
                .address = address, .port = *options_.tls_port, .secure = true, .listener = {}}));
        }
    }
    for (const BoundSocket& bound : options_.bound_sockets) {
        ports_.push_back(std::make_unique<Port>(
            Port{.secure = bound.is_secure, .bound = bound, .listener = {}}));
    }
    for (const auto& port : ports_) {
        open(*port);
    }
}

Server::~Server() {
    loop_.cancel(rest_timer_);
    loop_.cancel(room_timer_);
    loop_.cancel(return_timer_);
    loop_.cancel(gone_timer_);
    for (const auto& port : ports_) {
        close(*port);
    }
    for (auto& [id, entry] : connections_) {
        entry.connection->abandon("server ended");
        loop_.unwatch(entry.watch);
        if (entry.timer_at_ns != 0) {
            loop_.cancel(entry.timer);
        }
    }
}

void Server::accept_from(Port& port) {
    if (is_exhausted_) {
        return;  // another port found that out in this round of the loop
    }
    try {
        for (int i = 0; i < accepted_per_call_max && sink_.has_room() &&
                        connections_.size() < options_.connections_max;
             ++i) {
            auto accepted = port.listener->accept();
            note_end_of_rest();
            if (!accepted) {
                break;
            }
            adopt(std::move(*accepted), port.secure);
        }
    } catch (const std::system_error& error) {
        rest_for_descriptors(error.what());
    }
    if (connections_.size() >= options_.connections_max && !is_full_noted_) {
        is_full_noted_ = true;  // once a run: a full server must not fill the recording with it
        note(fmt::format("{} connections are open, the most that are allowed: new ones wait",
                         connections_.size()),
             false);
    }
    hold_back_if_full();
    update_listeners();
}

void Server::rest_for_descriptors(const std::string& why) {
    rested_last_ns_ = loop_.clock().monotonic_ns();
    if (++rests_ == 1) {  // once, however long it lasts: note_end_of_rest() says how long it did
        resting_since_ns_ = rested_last_ns_;
        note(fmt::format("{}; new connections wait", why), true);
    }
    is_exhausted_ = true;
    rest_timer_ = loop_.at(rested_last_ns_ + exhaustion_rest_ns, [this] {
        is_exhausted_ = false;
        update_listeners();
    });
}

void Server::note_end_of_rest() {
    if (rests_ == 0) {
        return;
    }
    const auto lasted_ns = rested_last_ns_ + exhaustion_rest_ns - resting_since_ns_;
    note(fmt::format("connections are accepted again: {} {} failed within {:.1f} s", rests_,
                     rests_ == 1 ? "try" : "tries", static_cast<double>(lasted_ns) / 1e9),
         false);
    rests_ = 0;
}

void Server::adopt(Accepted accepted, bool secure) {
    const ConnectionId id = ++last_connection_id_;
    Entry entry;
    try {
        entry.connection = std::make_unique<Connection>(context_, id, std::move(accepted),
                                                        secure ? tls_context_.get() : nullptr);
        entry.watch = loop_.watch(entry.connection->fd(), entry.connection->interest(),
                                  [this, id](Ready ready) { on_ready(id, ready); });
    } catch (const std::exception& error) {
        note(fmt::format("connection {}: {}", id, error.what()), true);
        if (entry.connection != nullptr) {
            entry.connection->abandon(fmt::format("the rig failed: {}", error.what()));
        }
        return;
    }
    connections_.emplace(id, std::move(entry));
    // Most peers send at once: look now instead of going through the loop first.
    with_connection(id, [](Connection& connection) { connection.on_readable(); });
}

template <class Action>
void Server::with_connection(ConnectionId id, Action&& action) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) {
        return;
    }
    Connection& connection = *found->second.connection;
    try {
        action(connection);
    } catch (const std::exception& error) {
        note(fmt::format("connection {}: {}", id, error.what()), true);
        connection.abandon(fmt::format("the rig failed: {}", error.what()));
    }
    settle(id);
}

void Server::on_ready(ConnectionId id, Ready ready) {
    with_connection(id, [ready](Connection& connection) {
        if (ready.readable) {
            connection.on_readable();
        }
        if (ready.writable && !connection.is_over()) {
            connection.on_writable();
        }
    });
}

void Server::settle(ConnectionId id) {
    // First, because what follows goes by it: a sink that gets room between two looks at it would
    // leave the connection deaf.
    hold_back_if_full();
    const auto found = connections_.find(id);
    Entry& entry = found->second;
    if (entry.connection->is_over()) {
        const bool was_full = connections_.size() >= options_.connections_max;
        loop_.unwatch(entry.watch);
        if (entry.timer_at_ns != 0) {
            loop_.cancel(entry.timer);
        }
        connections_.erase(found);
        if (was_full) {
            update_listeners();
        }
    } else {
        loop_.change(entry.watch, entry.connection->interest());
        arm(id, entry);
    }
}

void Server::arm(ConnectionId id, Entry& entry) {
    // A deadline that moved later is left to the timer that is set: it will look again.
    const auto deadline_ns = entry.connection->deadline_ns();
    if (!deadline_ns || (entry.timer_at_ns != 0 && entry.timer_at_ns <= *deadline_ns)) {
        return;
    }
    if (entry.timer_at_ns != 0) {
        loop_.cancel(entry.timer);
    }
    entry.timer_at_ns = *deadline_ns;
    entry.timer = loop_.at(*deadline_ns, [this, id] {
        const auto found = connections_.find(id);
        if (found == connections_.end()) {
            return;
        }
        found->second.timer_at_ns = 0;
        with_connection(id, [](Connection& connection) { connection.on_time(); });
    });
}

void Server::hold_back_if_full() {
    if (held_back_since_ns_ != 0 || sink_.has_room()) {
        return;
    }
    held_back_since_ns_ = loop_.clock().monotonic_ns();
    context_.is_held_back = true;
    for (auto& [id, entry] : connections_) {
        loop_.change(entry.watch, entry.connection->interest());
    }
    update_listeners();
    room_timer_ =
        loop_.at(held_back_since_ns_ + room_checked_every_ns, [this] { go_on_if_room(); });
}

void Server::go_on_if_room() {
    const TimestampNs now_ns = loop_.clock().monotonic_ns();
    if (!sink_.has_room()) {
        room_timer_ = loop_.at(now_ns + room_checked_every_ns, [this] { go_on_if_room(); });
        return;
    }
    const std::int64_t held_back_ns = now_ns - held_back_since_ns_;
    held_back_since_ns_ = 0;
    context_.is_held_back = false;
    note(fmt::format("connections waited {:.0f} ms for the recorder",
                     static_cast<double>(held_back_ns) / 1e6),
         held_back_ns > held_back_max_ns);
    update_listeners();
    std::vector<ConnectionId> ids;
    ids.reserve(connections_.size());
    for (const auto& [id, entry] : connections_) {
        ids.push_back(id);
    }
    for (const ConnectionId id : ids) {
        with_connection(id, [](Connection& connection) { connection.on_heard_again(); });
    }
}

void Server::shut_down() {
    is_shutting_down_ = true;
    loop_.cancel(return_timer_);
    loop_.cancel(gone_timer_);
    for (const auto& port : ports_) {
        close(*port);
    }
    std::vector<ConnectionId> ids;
    ids.reserve(connections_.size());
    for (const auto& [id, entry] : connections_) {
        ids.push_back(id);
    }
    for (const ConnectionId id : ids) {
        with_connection(id, [](Connection& connection) { connection.shut_down(); });
    }
}

void Server::note(std::string what, bool is_error) {
    sink_.take(RigNote{
        .at_ns = loop_.clock().monotonic_ns(), .what = std::move(what), .is_error = is_error});
}

}  // namespace harness
