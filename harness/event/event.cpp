#include "harness/event/event.hpp"

#include <fmt/format.h>

#include <string_view>

namespace harness {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::string printable(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        if (c >= ' ' && c <= '~') {
            text += c;
        } else {
            text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return text;
}

bool is_button_edge(const EdgeSeen& edge) {
    return edge.source == rig::EdgeSource::rig;
}

}  // namespace

TimestampNs at_ns(const Event& event) {
    return std::visit(Overloaded{[](const PressAsserted& e) { return e.before_ns; },
                                 [](const PressReleased& e) { return e.released_ns; },
                                 [](const FrameReceived& e) { return e.received_ns; },
                                 [](const ReplySent& e) { return e.replied_ns; },
                                 [](const auto& e) { return e.at_ns; }},
                      event);
}

std::size_t memory_size(const Event& event) {
    const auto texts = std::visit(
        Overloaded{[](const EdgeSeen& e) { return e.line.size(); },
                   [](const PressAsserted& e) { return e.line.size() + e.profile.size(); },
                   [](const PressReleased& e) { return e.line.size(); },
                   [](const ConnectionOpened& e) { return e.peer.size() + e.local.size(); },
                   [](const HandshakeEnded& e) {
                       return e.tls_version.size() + e.cipher.size() + e.offered.size() +
                              e.failure.size();
                   },
                   [](const FrameReceived& e) { return e.raw.size() + e.reason.size(); },
                   [](const ReplySent& e) { return e.reply.size(); },
                   [](const ConnectionClosed& e) { return e.end_reason.size(); },
                   [](const ConsoleLine& e) { return e.text.size(); },
                   [](const TargetChanged& e) { return e.what.size(); },
                   [](const FaultFired& e) { return e.name.size(); },
                   [](const RigNote& e) { return e.what.size(); },
                   [](const TestBegan& e) { return e.nodeid.size(); },
                   [](const TestEnded& e) { return e.nodeid.size() + e.outcome.size(); }},
        event);
    return sizeof(Event) + texts;
}

std::string_view lane(const Event& event) {
    return std::visit(
        Overloaded{[](const EdgeSeen& e) -> std::string_view {
                       return is_button_edge(e) ? "button" : "led";
                   },
                   [](const PressAsserted&) -> std::string_view { return "button"; },
                   [](const PressReleased&) -> std::string_view { return "button"; },
                   [](const ConnectionOpened&) -> std::string_view { return "connection"; },
                   [](const HandshakeEnded&) -> std::string_view { return "connection"; },
                   [](const ConnectionClosed&) -> std::string_view { return "connection"; },
                   [](const FrameReceived&) -> std::string_view { return "frame"; },
                   [](const ReplySent&) -> std::string_view { return "reply"; },
                   [](const ConsoleLine&) -> std::string_view { return "console"; },
                   [](const TargetChanged&) -> std::string_view { return "target"; },
                   [](const FaultFired&) -> std::string_view { return "fault"; },
                   [](const RigNote&) -> std::string_view { return "rig"; },
                   [](const TestBegan&) -> std::string_view { return "test"; },
                   [](const TestEnded&) -> std::string_view { return "test"; }},
        event);
}

std::string describe(const Event& event) {
    return std::visit(
        Overloaded{
            [](const EdgeSeen& e) {
                return fmt::format("{} goes {}", e.line,
                                   e.level == rig::Level::high ? "high" : "low");
            },
            [](const PressAsserted& e) {
                return fmt::format("press {}: {} asserted ({})", e.id, e.line, e.profile);
            },
            [](const PressReleased& e) {
                return fmt::format("press {}: {} released", e.id, e.line);
            },
            [](const ConnectionOpened& e) {
                return fmt::format("connection {} from {} to {}{}", e.id, e.peer, e.local,
                                   e.secure ? ", secure" : "");
            },
            [](const HandshakeEnded& e) {
                return e.failure.empty()
                           ? fmt::format("connection {}: {} {} after {:.2f} ms", e.id,
                                         e.tls_version, e.cipher,
                                         static_cast<double>(e.handshake_ns) / 1e6)
                           : fmt::format("connection {}: handshake failed: {}", e.id, e.failure);
            },
            [](const ConnectionClosed& e) {
                return fmt::format(
                    "connection {} closed: {}{}", e.id, e.end_reason,
                    e.ignored_bytes > 0 ? fmt::format(", {} bytes ignored", e.ignored_bytes) : "");
            },
            [](const FrameReceived& e) {
                return fmt::format("connection {}: {} {}{}", e.connection_id, to_string(e.verdict),
                                   printable(e.raw), e.reason.empty() ? "" : ": " + e.reason);
            },
            [](const ReplySent& e) {
                return fmt::format("connection {}: reply {}", e.connection_id, printable(e.reply));
            },
            [](const ConsoleLine& e) { return e.text; },
            [](const TargetChanged& e) { return e.what; },
            [](const FaultFired& e) {
                return e.connection_id == 0 ? fmt::format("fault {} fired", e.name)
                                            : fmt::format("fault {} fired on connection {}", e.name,
                                                          e.connection_id);
            },
            [](const RigNote& e) { return e.is_error ? "rig error: " + e.what : e.what; },
            [](const TestBegan& e) { return e.nodeid + " began"; },
            [](const TestEnded& e) { return e.nodeid + " " + e.outcome; }},
        event);
}

std::string_view to_string(StampSource source) {
    switch (source) {
        case StampSource::kernel:
            return "kernel";
        case StampSource::kernel_stale:
            return "kernel-stale";
        case StampSource::read:
            return "read";
    }
    return "read";
}

std::string_view to_string(FrameVerdict verdict) {
    switch (verdict) {
        case FrameVerdict::read:
            return "read";
        case FrameVerdict::write:
            return "write";
        case FrameVerdict::illegal:
            return "illegal";
        case FrameVerdict::truncated:
            return "truncated";
    }
    return "illegal";
}

std::string_view to_string(rig::EdgeSource source) {
    switch (source) {
        case rig::EdgeSource::kernel:
            return "kernel";
        case rig::EdgeSource::board:
            return "board";
        case rig::EdgeSource::rig:
            return "rig";
    }
    return "rig";
}

}  // namespace harness
