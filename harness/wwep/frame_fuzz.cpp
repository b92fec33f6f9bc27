// libFuzzer: any bytes, cut anywhere, in both modes. The first bytes of the input choose the cuts,
// the rest is what a peer sends. Fails when a cut changes anything, or when a formatted reply does
// not parse back.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "harness/wwep/conversation_split.hpp"

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void check(std::string_view bytes, const std::vector<std::size_t>& cuts,
           harness::ConversationMode mode) {
    const auto whole = harness::converse(bytes, {}, mode);
    require(whole == harness::converse(bytes, cuts, mode));
    for (const auto& exchange : whole.exchanges) {
        require(exchange.raw.size() <= 64);
        const auto parse = harness::parse_reply(exchange.reply);
        require(parse.outcome == harness::ParseOutcome::complete);
        require(parse.size == exchange.reply.size());
        if (parse.reply.accepted) {
            require(harness::accepts(parse.reply, harness::parse_frame(exchange.raw).frame));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    constexpr std::size_t cuts_max = 4;
    if (size < cuts_max) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(input) + cuts_max, size - cuts_max);
    std::vector<std::size_t> cuts;
    for (std::size_t index = 0, at = 0; index < cuts_max; ++index) {
        at = std::min(bytes.size(), at + input[index]);
        cuts.push_back(at);
    }
    check(bytes, cuts, harness::ConversationMode::one_transaction);
    check(bytes, cuts, harness::ConversationMode::keep_open);
    static_cast<void>(harness::parse_reply(bytes));
    return 0;
}
