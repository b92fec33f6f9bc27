#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "harness/wwep/conversation_split.hpp"

namespace {

using harness::ConversationMode;

constexpr std::array modes{ConversationMode::one_transaction, ConversationMode::keep_open};

/// Random bytes that look like the protocol often enough to reach every state of it.
class ProtocolBytes {
  public:
    explicit ProtocolBytes(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
    }

    std::string text() {
        std::string bytes;
        for (std::size_t piece = 0, pieces = below(9); piece < pieces; ++piece) {
            bytes += this->piece();
        }
        return bytes;
    }

    std::vector<std::size_t> cuts(std::size_t size) {
        std::vector<std::size_t> result(below(size + 2));
        std::generate(result.begin(), result.end(), [&] { return below(size + 1); });
        std::sort(result.begin(), result.end());
        return result;
    }

  private:
    std::string digits(std::size_t count) {
        static constexpr std::string_view alphabet = "0123456789abcdefABCDEF";
        std::string result;
        while (result.size() < count) {
            result += alphabet[below(alphabet.size())];
        }
        return result;
    }

    std::string piece() {
        static constexpr std::array<std::string_view, 4> line_ends{"\r", "\n", "\r\n", "\n\r"};
        switch (below(10)) {
            case 0:
            case 1:
            case 2:
                return "W000" + digits(1) + "0" + digits(1) + digits(4);  // few devices: reads hit
            case 3:
            case 4:
            case 5:
                return "R000" + digits(1) + "0" + digits(1);
            case 6:
            case 7:
                return std::string(line_ends[below(line_ends.size())]);
            case 8:
                return digits(below(12));
            default:
                return std::string(1, static_cast<char>(below(256)));
        }
    }

    std::mt19937 random_;
};

TEST(ConversationSplit, does_not_change_frames_or_replies_of_random_bytes) {
    constexpr std::uint32_t cases = 20'000;
    for (std::uint32_t seed = 0; seed < cases; ++seed) {
        ProtocolBytes random(seed);
        const std::string bytes = random.text();
        const auto cuts = random.cuts(bytes.size());
        for (const auto mode : modes) {
            ASSERT_EQ(converse(bytes, cuts, mode), converse(bytes, {}, mode))
                << "seed " << seed << ", bytes " << testing::PrintToString(bytes) << ", cuts "
                << testing::PrintToString(cuts);
        }
    }
}

TEST(ConversationSplit, does_not_change_what_selected_strings_get_whatever_the_cuts) {
    for (const std::string_view bytes :
         {"W0FAC0B1234\r\nR0", "R0FAC0B\r\n\r\n", "R0FAC0B\rR0FAC0B", "W0fAc0b12Ef\nX", "W01234\n",
          "\r\nR0FAC0B", "R0FAC0B\n\rR1", "QW0FAC0B1234", "R0FAC0BR0FAC0B\n"}) {
        ASSERT_LE(bytes.size(), 16U);
        const std::size_t gaps = bytes.size() - 1;
        for (const auto mode : modes) {
            const auto whole = converse(bytes, {}, mode);
            for (std::size_t pattern = 0; pattern < (std::size_t{1} << gaps); ++pattern) {
                std::vector<std::size_t> cuts;
                for (std::size_t gap = 0; gap < gaps; ++gap) {
                    if ((pattern >> gap & 1U) != 0) {
                        cuts.push_back(gap + 1);
                    }
                }
                ASSERT_EQ(converse(bytes, cuts, mode), whole)
                    << testing::PrintToString(bytes) << " cut at " << testing::PrintToString(cuts);
            }
        }
    }
}

TEST(ConversationSplit, accounts_for_every_byte) {
    for (std::uint32_t seed = 0; seed < 5'000; ++seed) {
        ProtocolBytes random(seed);
        const std::string bytes = random.text();
        for (const auto mode : modes) {
            const auto outcome = converse(bytes, {}, mode);
            std::size_t framed = 0;
            for (const auto& exchange : outcome.exchanges) {
                framed += exchange.raw.size();
            }
            const auto ignored = static_cast<std::size_t>(outcome.ignored_bytes);
            ASSERT_LE(framed + ignored, bytes.size()) << testing::PrintToString(bytes);
            const std::size_t line_ends = bytes.size() - framed - ignored;
            ASSERT_LE(line_ends, 2 * outcome.exchanges.size()) << testing::PrintToString(bytes);
        }
    }
}

}  // namespace
