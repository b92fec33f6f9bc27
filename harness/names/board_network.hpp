// BoardNetwork is what an emulated board finds in its network besides the server: a name server
// that knows the server's names, and a time server. Both tell the truth unless told to lie. It owns
// its watches; the sockets (UDP, non-blocking, bound), the loop and the sink must outlive it.
//
// Thread rule: loop's thread only, apart from constructor and destructor, which may run while the
// loop does not. Each answer is a note on the timeline, each lie a fault.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/event/event_sink.hpp"
#include "harness/loop/loop.hpp"
#include "harness/names/dns_message.hpp"

namespace harness {

/// What the name server does instead of telling the truth.
struct NameLie {
    enum class Kind : std::uint8_t { none, wrong_address, no_such_name, silence };
    Kind kind = Kind::none;
    Ipv4 address{};                   ///< of Kind::wrong_address
    std::chrono::nanoseconds late{};  ///< answers come that much later
};

/// What the time server does instead.
struct TimeLie {
    bool is_silent = false;
    std::chrono::nanoseconds ahead{};  ///< of the truth; negative: behind
    std::chrono::nanoseconds late{};   ///< answers come that much later
};

struct BoardNetworkOptions {
    int name_socket = -1;
    int time_socket = -1;
    std::vector<std::string> names;  ///< that lead to the server
    std::string address;             ///< the server's, IPv4
    /// Answers that wait because they are to be late; what exceeds it is not answered.
    std::size_t late_answers_max = 1000;
};

class BoardNetwork {
  public:
    /// Datagrams taken in one go before others get their turn.
    static constexpr int datagrams_per_call_max = 64;

    /// Throws rig::NoBench when the address is none.
    BoardNetwork(Loop& loop, EventSink& sink, BoardNetworkOptions options);
    ~BoardNetwork();
    BoardNetwork(const BoardNetwork&) = delete;
    BoardNetwork& operator=(const BoardNetwork&) = delete;

    void set_name_lie(const NameLie& lie) { name_lie_ = lie; }
    void set_time_lie(const TimeLie& lie) { time_lie_ = lie; }

  private:
    struct Asker;
    /// Nothing: there is no answer.
    using Answerer = std::function<std::optional<std::string>(std::string_view request)>;

    void serve(int socket, std::chrono::nanoseconds late, const Answerer& answer);
    [[nodiscard]] std::optional<std::string> name_answer(std::string_view request);
    [[nodiscard]] std::optional<std::string> time_answer(std::string_view request);
    void send_late(int socket, const Asker& asker, std::string answer, TimestampNs at_ns);
    void note(std::string what);
    void note_lie(std::string name);

    Loop& loop_;
    EventSink& sink_;
    const BoardNetworkOptions options_;
    std::set<std::string> names_;  // lower case
    Ipv4 address_{};
    NameLie name_lie_;
    TimeLie time_lie_;
    std::vector<Loop::WatchId> watches_;
    std::set<Loop::TimerId> late_answers_;
};

}  // namespace harness
