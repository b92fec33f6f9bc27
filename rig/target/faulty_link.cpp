#include "rig/target/faulty_link.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace rig {

LinkCounts operator+(const LinkCounts& a, const LinkCounts& b) {
    return {.frames = a.frames + b.frames,
            .lost = a.lost + b.lost,
            .duplicated = a.duplicated + b.duplicated,
            .reordered = a.reordered + b.reordered,
            .delayed = a.delayed + b.delayed};
}

FaultyLink::FaultyLink(const LinkFaults& faults, std::uint64_t direction) : faults_(faults) {
    std::seed_seq seed{faults.seed & 0xFFFF'FFFF, faults.seed >> 32, direction};
    dice_.seed(seed);
}

bool FaultyLink::happens(double probability) {
    // 53 bits: the standard leaves to the library what its distributions make of them.
    constexpr int spare_bits = 11;
    constexpr double unit = 1.0 / static_cast<double>(std::uint64_t{1} << 53);
    return static_cast<double>(dice_() >> spare_bits) * unit < probability;
}

void FaultyLink::put(std::string frame, TimestampNs now_ns) {
    // All are thrown for each frame, so that one probability does not change what another hits.
    const bool is_lost = happens(faults_.loss);
    const bool is_doubled = happens(faults_.duplicate);
    const bool is_overtaken = happens(faults_.reorder);
    ++counts_.frames;
    if (is_lost || under_way_.size() >= frames_max) {
        ++counts_.lost;
        return;
    }
    counts_.duplicated += is_doubled ? 1 : 0;
    counts_.delayed += faults_.delay.count() > 0 ? 1 : 0;
    UnderWay it{.at_ns = now_ns + faults_.delay.count(),
                .frame = std::move(frame),
                .copies = is_doubled ? 2 : 1};
    if (is_overtaken && !overtaken_) {
        it.at_ns += std::chrono::nanoseconds(overtaken_within).count();
        overtaken_ = std::move(it);
        return;
    }
    const TimestampNs at_ns = it.at_ns;
    under_way_.push_back(std::move(it));
    if (overtaken_) {
        ++counts_.reordered;
        overtaken_->at_ns = at_ns;
        let_go();
    }
}

void FaultyLink::let_go() {
    under_way_.push_back(std::move(*overtaken_));
    overtaken_.reset();
}

std::vector<std::string> FaultyLink::take(TimestampNs now_ns) {
    if (overtaken_ && overtaken_->at_ns <= now_ns) {
        let_go();
    }
    std::vector<std::string> frames;
    while (!under_way_.empty() && under_way_.front().at_ns <= now_ns) {
        for (int i = 0; i < under_way_.front().copies; ++i) {
            frames.push_back(under_way_.front().frame);
        }
        under_way_.pop_front();
    }
    return frames;
}

std::vector<std::string> FaultyLink::take_all() {
    return take(std::numeric_limits<TimestampNs>::max());
}

TimestampNs FaultyLink::next_ns() const {
    if (under_way_.empty()) {
        return overtaken_ ? overtaken_->at_ns : 0;
    }
    const TimestampNs at_ns = under_way_.front().at_ns;
    return overtaken_ ? std::min(at_ns, overtaken_->at_ns) : at_ns;
}

}  // namespace rig
