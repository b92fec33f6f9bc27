// FaultyLink is one direction of a network link that loses, doubles, re-orders and delays frames.
// What becomes of the nth frame follows from the seed and n alone. It does no input or output and
// reads no clock: frames are put in, and those whose time has come are taken out. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "rig/base/clock.hpp"

namespace rig {

/// What a link does to frames. Probabilities of each frame, 0 to 1.
struct LinkFaults {
    double loss = 0.0;
    double duplicate = 0.0;
    double reorder = 0.0;
    std::chrono::nanoseconds delay{};  ///< of every frame, each way
    std::uint64_t seed = 0;
};

/// What it has done to them.
struct LinkCounts {
    std::int64_t frames = 0;
    std::int64_t lost = 0;
    std::int64_t duplicated = 0;
    std::int64_t reordered = 0;
    std::int64_t delayed = 0;
};

[[nodiscard]] LinkCounts operator+(const LinkCounts& a, const LinkCounts& b);

class FaultyLink {
  public:
    /// A frame that is to be overtaken goes on after this time even if no other comes.
    static constexpr std::chrono::milliseconds overtaken_within{50};
    /// Frames under way; what exceeds it is lost.
    static constexpr std::size_t frames_max = 1'000;

    /// `direction` tells the dice of one direction from those of another.
    FaultyLink(const LinkFaults& faults, std::uint64_t direction);

    void put(std::string frame, TimestampNs now_ns);
    /// The frames whose time has come, in the order in which they arrive.
    [[nodiscard]] std::vector<std::string> take(TimestampNs now_ns);
    /// All that is under way, at once.
    [[nodiscard]] std::vector<std::string> take_all();
    /// When take() has the next one. 0: nothing is under way.
    [[nodiscard]] TimestampNs next_ns() const;
    [[nodiscard]] const LinkCounts& counts() const { return counts_; }

  private:
    struct UnderWay {
        TimestampNs at_ns = 0;
        std::string frame;
        int copies = 1;
    };

    [[nodiscard]] bool happens(double probability);
    void let_go();

    LinkFaults faults_;
    std::mt19937_64 dice_;
    LinkCounts counts_;
    std::deque<UnderWay> under_way_;
    std::optional<UnderWay> overtaken_;  // waits for the next frame, until its time at the latest
};

}  // namespace rig
