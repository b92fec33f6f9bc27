#include "harness/names/board_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cctype>
#include <memory>
#include <utility>

#include "harness/names/sntp_message.hpp"
#include "rig/base/errors.hpp"

namespace harness {
namespace {

constexpr std::size_t datagram_bytes_max = 1500;

}  // namespace

struct BoardNetwork::Asker {
    sockaddr_in address{};
    socklen_t size = sizeof(sockaddr_in);

    void send(int socket, const std::string& answer) const {
        // A board that has gone meanwhile gets none: nothing to be done about that.
        static_cast<void>(::sendto(socket, answer.data(), answer.size(), MSG_DONTWAIT,
                                   reinterpret_cast<const sockaddr*>(&address), size));
    }
};

BoardNetwork::BoardNetwork(Loop& loop, EventSink& sink, BoardNetworkOptions options)
    : loop_(loop), sink_(sink), options_(std::move(options)) {
    const auto address = ipv4_from(options_.address);
    if (!address) {
        throw rig::NoBench(
            fmt::format("\"{}\" is no IPv4 address to tell an emulated board", options_.address));
    }
    address_ = *address;
    for (std::string name : options_.names) {
        for (char& c : name) {
            c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        names_.insert(std::move(name));
    }
    watches_.push_back(loop_.watch(options_.name_socket, {.readable = true}, [this](Ready) {
        serve(options_.name_socket, name_lie_.late,
              [this](std::string_view request) { return name_answer(request); });
    }));
    watches_.push_back(loop_.watch(options_.time_socket, {.readable = true}, [this](Ready) {
        serve(options_.time_socket, time_lie_.late,
              [this](std::string_view request) { return time_answer(request); });
    }));
}

BoardNetwork::~BoardNetwork() {
    for (const Loop::WatchId watch : watches_) {
        loop_.unwatch(watch);
    }
    for (const Loop::TimerId timer : late_answers_) {
        loop_.cancel(timer);
    }
}

void BoardNetwork::serve(int socket, std::chrono::nanoseconds late, const Answerer& answer) {
    for (int i = 0; i < datagrams_per_call_max; ++i) {
        std::array<char, datagram_bytes_max> buffer;
        Asker asker;
        const ssize_t got = ::recvfrom(socket, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                       reinterpret_cast<sockaddr*>(&asker.address), &asker.size);
        if (got < 0) {
            return;
        }
        auto text = answer({buffer.data(), static_cast<std::size_t>(got)});
        if (!text) {
            continue;
        }
        if (late.count() > 0) {
            send_late(socket, asker, std::move(*text), loop_.clock().monotonic_ns() + late.count());
        } else {
            asker.send(socket, *text);
        }
    }
}

void BoardNetwork::send_late(int socket, const Asker& asker, std::string answer,
                             TimestampNs at_ns) {
    if (late_answers_.size() >= options_.late_answers_max) {
        return;
    }
    const auto timer = std::make_shared<Loop::TimerId>(0);  // owners: this call, and its callback
    *timer = loop_.at(at_ns, [this, socket, asker, answer = std::move(answer), timer] {
        late_answers_.erase(*timer);
        asker.send(socket, answer);
    });
    late_answers_.insert(*timer);
}

std::optional<std::string> BoardNetwork::name_answer(std::string_view request) {
    const auto question = parse_dns_query(request);
    if (!question) {
        note("DNS: a datagram came that is no question");
        return std::nullopt;
    }
    if (name_lie_.late.count() > 0) {
        note_lie("dns-late");
    }
    switch (name_lie_.kind) {
        case NameLie::Kind::silence:
            note_lie("dns-silent");
            return std::nullopt;
        case NameLie::Kind::no_such_name:
            note_lie("dns-no-such-name");
            return dns_answer(*question, std::nullopt);
        case NameLie::Kind::wrong_address:
            note_lie("dns-wrong-address");
            return dns_answer(*question, name_lie_.address);
        case NameLie::Kind::none:
            break;
    }
    const bool is_known = names_.contains(question->name);
    note(fmt::format("DNS: {} {}", question->name,
                     is_known ? "is " + options_.address : std::string("is nobody here")));
    return dns_answer(*question, is_known ? std::optional(address_) : std::nullopt);
}

std::optional<std::string> BoardNetwork::time_answer(std::string_view request) {
    if (time_lie_.is_silent) {
        note_lie("time-silent");
        return std::nullopt;
    }
    auto answer = sntp_answer(request, loop_.clock().wall_ns() + time_lie_.ahead.count());
    if (!answer) {
        note("SNTP: a datagram came that is no question");
        return answer;
    }
    if (time_lie_.late.count() > 0) {
        note_lie("time-late");
    }
    if (time_lie_.ahead.count() != 0) {
        note_lie("time-wrong");
    } else {
        note("SNTP: the board was told the time");
    }
    return answer;
}

void BoardNetwork::note(std::string what) {
    sink_.take(
        RigNote{.at_ns = loop_.clock().monotonic_ns(), .what = std::move(what), .is_error = false});
}

void BoardNetwork::note_lie(std::string name) {
    sink_.take(FaultFired{
        .at_ns = loop_.clock().monotonic_ns(), .connection_id = 0, .name = std::move(name)});
}

}  // namespace harness
