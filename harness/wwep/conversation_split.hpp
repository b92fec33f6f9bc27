// The property that every conversation keeps, for the tests and the fuzzer: what it answers, and
// what it records, depends on the bytes and never on how reads cut them. Plain functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/wwep/conversation.hpp"

namespace harness {

/// Everything about a conversation that must not depend on the cuts.
struct ConversationOutcome {
    std::vector<Exchange> exchanges;
    std::string end_reason;
    std::int64_t ignored_bytes = 0;
    std::vector<std::optional<std::uint16_t>> registers;  ///< after it: of each frame with a device
    bool operator==(const ConversationOutcome&) const = default;
};

/// Feeds `bytes` cut at `cuts` (offsets, ascending, each at most bytes.size()) at one and the same
/// time, then the peer finishes.
[[nodiscard]] inline ConversationOutcome converse(std::string_view bytes,
                                                  const std::vector<std::size_t>& cuts,
                                                  ConversationMode mode) {
    constexpr TimestampNs now_ns = 5 * rig::ns_per_s;
    RegisterFile registers;
    Conversation conversation(registers, mode, {}, now_ns);
    ConversationOutcome outcome;
    const auto feed = [&](std::string_view part) {
        conversation.bytes(part, now_ns, StampSource::kernel);
        for (Exchange& exchange : conversation.take()) {
            outcome.exchanges.push_back(std::move(exchange));
        }
    };
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        feed(bytes.substr(from, cut - from));
        from = cut;
    }
    feed(bytes.substr(from));
    conversation.peer_finished(now_ns);
    for (Exchange& exchange : conversation.take()) {
        outcome.exchanges.push_back(std::move(exchange));
    }
    for (const Exchange& exchange : outcome.exchanges) {
        if (exchange.device && exchange.reg) {
            outcome.registers.push_back(registers.read(*exchange.device, *exchange.reg));
        }
    }
    outcome.end_reason = conversation.end_reason();
    outcome.ignored_bytes = conversation.ignored_bytes();
    return outcome;
}

}  // namespace harness
