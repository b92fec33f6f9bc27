// Server is the WWEP server: listeners in the clear and over TLS, their connections, and one
// register file for both. It owns listeners and connections; everything handed to the constructor
// must outlive it. Loop's thread only, apart from the constructor and the destructor, which may
// run while the loop does not.
//
// When the sink has no room it stops reading and accepting until there is room again: peers wait,
// no event is lost, and the time that they waited is noted as a rig error when it could have made a
// reply late. A failing connection ends alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/server/connection.hpp"
#include "harness/tls/tls_config.hpp"
#include "harness/tls/tls_context.hpp"

namespace harness {

struct ServerOptions {
    std::vector<std::string> addresses{"127.0.0.1"};  ///< IPv4 and IPv6
    std::optional<std::uint16_t> plain_port = {};     ///< nothing: no listener in the clear; 0: any
    std::optional<std::uint16_t> tls_port = {};       ///< nothing: no TLS listener; 0: any
    std::vector<BoundSocket> bound_sockets = {};      ///< listened on too; they outlive the server
    TlsServerConfig tls;
    ConnectionLimits limits;
    std::size_t connections_max = 16'384;
    /// The folder of a set of test certificates, for faults that show one of its identities; empty:
    /// there is none.
    std::string certificates;
};

/// A port that the server has left to somebody else.
struct LentPort {
    std::string server;  ///< where the server is meanwhile
    int socket = -1;     ///< bound to the port and owned by others; -1: bind one of your own
};

class Server {
  public:
    /// Connections accepted in one go before others get their turn.
    static constexpr int accepted_per_call_max = 64;
    /// Having held connections back for longer than this is a rig error.
    static constexpr std::int64_t held_back_max_ns = 50 * rig::ns_per_ms;

    /// Binds and listens. Throws rig::NoBench for a port that is taken, rig::RigError for TLS files
    /// that cannot be used.
    Server(Loop& loop, EventSink& sink, RegisterFile& registers, const TlsLibrary& tls_library,
           ServerOptions options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::vector<std::string> plain_endpoints() const;
    [[nodiscard]] std::vector<std::string> tls_endpoints() const;

    /// Throws rig::NoBench for values out of range. A server that is gone for a time only listens
    /// again by itself.
    Faults::Id add_fault(const FaultSpec& spec);
    /// How often it fired. A server that was gone listens again; where it cannot (another program
    /// has taken its port) that is a rig error, and it tries until it can.
    std::int64_t remove_fault(Faults::Id id);

    /// Leaves the port in the clear, or the secure one, to somebody else, and listens on a free
    /// port of the same addresses instead; in the order of the endpoints. A bound socket is lent as
    /// it is: in its network there may be nobody to listen. Throws rig::RigError when it has done
    /// so already or is gone, rig::NoBench where bound sockets are all that it has.
    std::vector<LentPort> step_aside(FaultPort which);
    /// Back to the usual port. Throws rig::NoBench when somebody still has it.
    void step_back(FaultPort which);

    [[nodiscard]] std::size_t connections_open() const { return connections_.size(); }

    /// Stops listening, answers what has been received and half-closes every connection. They are
    /// gone within drain_timeout; connections_open() tells.
    void shut_down();

  private:
    struct Port {
        std::string address;
        std::uint16_t port = 0;
        bool secure = false;
        std::uint16_t usual_port = 0;           // while it has stepped aside; else 0
        std::optional<BoundSocket> bound = {};  // nothing: it is opened by address and port
        std::unique_ptr<Listener> listener;     // nullptr while gone
        Loop::WatchId watch = 0;
    };
    struct Entry {
        std::unique_ptr<Connection> connection;
        Loop::WatchId watch = 0;
        Loop::TimerId timer = 0;
        TimestampNs timer_at_ns = 0;  // 0: no timer
    };

    /// Whether somebody else has the socket of its own that the server would listen on.
    [[nodiscard]] static bool is_lent(const Port& port) {
        return port.bound && port.usual_port != 0;
    }
    // Where it listens: server_ports.cpp.
    void open(Port& port);
    void close(Port& port);
    void move(Port& port, std::uint16_t to);
    void apply_gone();
    [[nodiscard]] TlsContextSource context_source(const FaultSpec& spec) const;
    void come_back();
    void update_listeners();

    void accept_from(Port& port);
    void adopt(Accepted accepted, bool secure);
    void rest_for_descriptors(const std::string& why);
    void note_end_of_rest();
    template <class Action>
    void with_connection(ConnectionId id, Action&& action);
    void on_ready(ConnectionId id, Ready ready);
    void settle(ConnectionId id);
    void arm(ConnectionId id, Entry& entry);
    void hold_back_if_full();
    void go_on_if_room();
    void note(std::string what, bool is_error);
    [[nodiscard]] std::vector<std::string> endpoints(bool secure) const;

    Loop& loop_;
    EventSink& sink_;
    const TlsLibrary& tls_library_;
    const ServerOptions options_;
    std::unique_ptr<TlsContext> tls_context_;
    KernelStamps stamps_;
    Faults faults_;
    DeviceIdWatch device_ids_;
    FrameId last_frame_id_ = 0;
    ConnectionId last_connection_id_ = 0;
    ConnectionContext context_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::unordered_map<ConnectionId, Entry> connections_;
    bool is_shutting_down_ = false;
    bool is_full_noted_ = false;
    bool is_exhausted_ = false;         // out of descriptors: accepting rests for a while
    std::int64_t rests_ = 0;            // since a connection was accepted last
    TimestampNs resting_since_ns_ = 0;  // the first of them
    TimestampNs rested_last_ns_ = 0;
    TimestampNs held_back_since_ns_ = 0;  // 0: the sink has room
    Loop::TimerId rest_timer_ = 0;
    Loop::TimerId room_timer_ = 0;
    Loop::TimerId return_timer_ = 0;
    Loop::TimerId gone_timer_ = 0;
    std::string why_still_gone_;  // empty: it is not, or a fault wants it so
};

}  // namespace harness
