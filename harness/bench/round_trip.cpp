#include "harness/bench/round_trip.hpp"

#include <algorithm>
#include <utility>

namespace harness {
namespace {

constexpr std::size_t trips_under_way_max = 16;
constexpr std::size_t edge_claims_max = 64;

}  // namespace

bool has_reached(const RoundTrip& trip, Until until) {
    const auto any_connection = [&trip](auto&& condition) {
        return std::any_of(trip.connections.begin(), trip.connections.end(), condition);
    };
    const bool led_changed = trip.led_line.empty() || !trip.led_edges.empty();
    switch (until) {
        case Until::led:
            return led_changed;
        case Until::frame:
            return any_connection([](const ConnectionTrace& c) { return !c.frames.empty(); });
        case Until::reply:
            return any_connection([](const ConnectionTrace& c) { return !c.replies.empty(); });
        case Until::settled:
            return led_changed && trip.released_ns != 0 &&
                   any_connection([](const ConnectionTrace& c) {
                       return !c.replies.empty() && c.closed.has_value();
                   });
        case Until::closed:
            return !trip.connections.empty() && trip.connections.back().closed.has_value();
    }
    return false;
}

RoundTripTracker::RoundTripTracker(std::map<std::string, TrackedButton> buttons)
    : buttons_(std::move(buttons)) {}

void RoundTripTracker::take(const Event& event) {
    std::visit([this](const auto& value) { add(value); }, event);
}

const RoundTrip* RoundTripTracker::find(PressId id) const {
    // Ids rise by one, so the place is known.
    if (trips_.empty() || id < trips_.front().trip.press.id || id > trips_.back().trip.press.id) {
        return nullptr;
    }
    return &trips_[static_cast<std::size_t>(id - trips_.front().trip.press.id)].trip;
}

RoundTripTracker::Tracked* RoundTripTracker::tracked(PressId id) {
    return find(id) == nullptr
               ? nullptr
               : &trips_[static_cast<std::size_t>(id - trips_.front().trip.press.id)];
}

void RoundTripTracker::was_waited_for(PressId id) {
    if (Tracked* const trip = tracked(id)) {
        trip->was_waited_for = true;
    }
}

void RoundTripTracker::forget_claims() {
    for (Tracked& trip : trips_) {
        trip.claims_connection = false;
        trip.claims_led = false;
    }
}

void RoundTripTracker::add(const PressAsserted& press) {
    const auto pairing = buttons_.find(press.line);
    Tracked trip;
    trip.trip.press = press;
    if (pairing != buttons_.end()) {
        trip.trip.led_line = pairing->second.led;
        trip.secure = pairing->second.secure;
    }
    for (Tracked& earlier : trips_) {
        if (earlier.secure == trip.secure && earlier.was_waited_for) {
            earlier.claims_connection = false;
        }
    }
    trips_.push_back(std::move(trip));
    if (trips_.size() > trips_kept_max) {
        for (const ConnectionTrace& connection : trips_.front().trip.connections) {
            press_of_connection_.erase(connection.opened.id);
        }
        trips_.pop_front();
    }
}

void RoundTripTracker::add(const PressReleased& release) {
    if (Tracked* const trip = tracked(release.id)) {
        trip->trip.released_ns = release.released_ns;
    }
}

void RoundTripTracker::add(const EdgeSeen& edge) {
    Tracked* newest = nullptr;
    // Older presses have had their edge or will get none; a flood must not look at them all.
    const auto first =
        trips_.end() - static_cast<std::ptrdiff_t>(std::min(trips_.size(), edge_claims_max));
    for (auto place = first; place != trips_.end(); ++place) {
        Tracked& trip = *place;
        if (trip.trip.led_line != edge.line || trip.trip.press.before_ns > edge.at_ns) {
            continue;
        }
        newest = &trip;
        if (trip.claims_led && trip.trip.led_edges.empty() && !trip.was_waited_for) {
            break;
        }
    }
    if (newest != nullptr && newest->trip.led_edges.size() < led_edges_per_trip_max) {
        newest->trip.led_edges.push_back(edge);
    }
}

void RoundTripTracker::add(const ConnectionOpened& opened) {
    Tracked* owner = nullptr;
    for (Tracked& trip : trips_) {
        if (trip.secure != opened.secure || trip.trip.press.before_ns > opened.at_ns) {
            continue;
        }
        owner = &trip;
        if (trip.claims_connection && trip.trip.connections.empty()) {
            break;
        }
    }
    if (owner != nullptr && owner->trip.connections.size() < connections_per_trip_max) {
        owner->trip.connections.push_back(
            {.opened = opened, .handshake = {}, .closed = {}, .frames = {}, .replies = {}});
        press_of_connection_[opened.id] = owner->trip.press.id;
    }
}

ConnectionTrace* RoundTripTracker::connection(ConnectionId id) {
    const auto press = press_of_connection_.find(id);
    Tracked* const trip = press == press_of_connection_.end() ? nullptr : tracked(press->second);
    if (trip == nullptr) {
        return nullptr;
    }
    for (ConnectionTrace& trace : trip->trip.connections) {
        if (trace.opened.id == id) {
            return &trace;
        }
    }
    return nullptr;
}

void RoundTripTracker::add(const HandshakeEnded& handshake) {
    if (ConnectionTrace* const trace = connection(handshake.id)) {
        trace->handshake = handshake;
    }
}

void RoundTripTracker::add(const FrameReceived& frame) {
    ConnectionTrace* const trace = connection(frame.connection_id);
    if (trace != nullptr && trace->frames.size() < frames_per_connection_max) {
        trace->frames.push_back(frame);
    }
}

void RoundTripTracker::add(const ReplySent& reply) {
    ConnectionTrace* const trace = connection(reply.connection_id);
    if (trace != nullptr && trace->replies.size() < frames_per_connection_max) {
        trace->replies.push_back(reply);
    }
}

void RoundTripTracker::add(const ConnectionClosed& closed) {
    if (ConnectionTrace* const trace = connection(closed.id)) {
        trace->closed = closed;
    }
}

void RoundTripTracker::add(const ConsoleLine& line) {
    // The newest press takes every line; older ones only while they are under way.
    for (std::size_t i = trips_.size(); i > 0 && trips_.size() - i < trips_under_way_max; --i) {
        Tracked& tracked = trips_[i - 1];
        const bool under_way =
            !tracked.was_waited_for && !has_reached(tracked.trip, Until::settled);
        if ((i == trips_.size() || under_way) &&
            tracked.trip.console.size() < console_lines_per_trip_max) {
            tracked.trip.console.push_back(line);
        }
    }
}

void RoundTripTracker::add(const TargetChanged& /*change*/) {
    forget_claims();
}

}  // namespace harness
