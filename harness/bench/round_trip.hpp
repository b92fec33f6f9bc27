// RoundTrip is a press and what it caused; RoundTripTracker finds out what belongs to which press
// while events come in. Pure: fed with events, no clock, no thread. Not thread-safe.
//
// What belongs to a press: the edges of the button's LED, in order; the connections of the button's
// kind (secure or not), in order; everything on those connections; console lines until it is
// settled. A press that never got a connection stops claiming one when somebody has waited for it
// and its kind of button is pressed again, when the target starts anew, or at forget_claims().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/event/event.hpp"

namespace harness {

/// One connection of a round trip.
struct ConnectionTrace {
    ConnectionOpened opened;
    std::optional<HandshakeEnded> handshake = {};
    std::optional<ConnectionClosed> closed = {};
    std::vector<FrameReceived> frames;
    std::vector<ReplySent> replies;
};

struct RoundTrip {
    PressAsserted press;
    TimestampNs released_ns = 0;
    std::string led_line;  ///< empty: the bench watches no LED of this button
    std::vector<EdgeSeen> led_edges;
    std::vector<ConnectionTrace> connections;
    std::vector<ConsoleLine> console;
};

/// How much of a round trip to wait for.
enum class Until : std::uint8_t {
    led,      ///< the LED changed
    frame,    ///< a whole frame arrived
    reply,    ///< the reply was sent
    settled,  ///< LED changed, reply sent, connection closed and button released
    closed,   ///< a connection came and is closed again, whatever happened on it
};

[[nodiscard]] bool has_reached(const RoundTrip& trip, Until until);

/// What a button of the target does.
struct TrackedButton {
    std::string led;      ///< empty: none that the bench watches
    bool secure = false;  ///< its frame travels over TLS
};

class RoundTripTracker {
  public:
    static constexpr std::size_t trips_kept_max = 1'000;
    static constexpr std::size_t led_edges_per_trip_max = 1'000;
    static constexpr std::size_t console_lines_per_trip_max = 200;
    static constexpr std::size_t connections_per_trip_max = 1'000;
    static constexpr std::size_t frames_per_connection_max = 1'000;

    /// `buttons` by line name.
    explicit RoundTripTracker(std::map<std::string, TrackedButton> buttons);

    void take(const Event& event);

    /// nullptr for a press that never was or is too long ago.
    [[nodiscard]] const RoundTrip* find(PressId id) const;
    /// Somebody waited for this press and went on.
    void was_waited_for(PressId id);
    /// No press so far claims a connection or an edge of its LED any more.
    void forget_claims();

  private:
    struct Tracked {
        RoundTrip trip;
        bool secure = false;
        bool claims_connection = true;
        bool claims_led = true;
        bool was_waited_for = false;
    };

    void add(const PressAsserted& press);
    void add(const PressReleased& release);
    void add(const EdgeSeen& edge);
    void add(const ConnectionOpened& opened);
    void add(const HandshakeEnded& handshake);
    void add(const FrameReceived& frame);
    void add(const ReplySent& reply);
    void add(const ConnectionClosed& closed);
    void add(const ConsoleLine& line);
    void add(const TargetChanged& change);
    template <class Other>
    void add(const Other&) {}

    [[nodiscard]] Tracked* tracked(PressId id);
    [[nodiscard]] ConnectionTrace* connection(ConnectionId id);

    const std::map<std::string, TrackedButton> buttons_;
    std::deque<Tracked> trips_;  // in the order of their presses
    std::unordered_map<ConnectionId, PressId> press_of_connection_;
};

}  // namespace harness
