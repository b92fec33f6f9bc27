#include "rig/line/lost_edges.hpp"

#include <algorithm>

namespace rig {

void LostEdges::take(std::uint64_t seqno, std::uint64_t missing_on_line) {
    missing_on_lines_ += missing_on_line;
    if (seqno <= newest_seqno_) {
        take_late(seqno);
        return;
    }
    if (seqno > newest_seqno_ + 1) {
        gaps_.push_back({.first = newest_seqno_ + 1, .last = seqno - 1});
    }
    newest_seqno_ = seqno;
}

void LostEdges::take_late(std::uint64_t seqno) {
    const auto found = std::find_if(gaps_.begin(), gaps_.end(), [seqno](const Gap& gap) {
        return gap.first <= seqno && seqno <= gap.last;
    });
    if (found == gaps_.end()) {
        return;  // it was given up
    }
    Gap before = *found;
    Gap after = *found;
    before.last = seqno - 1;
    after.first = seqno + 1;
    auto place = gaps_.erase(found);
    if (after.first <= after.last) {
        place = gaps_.insert(place, after);
    }
    if (before.first <= before.last) {
        gaps_.insert(place, before);
    }
}

void LostEdges::look(TimestampNs now_ns) {
    // The oldest are first, so those that are overdue are.
    const auto waiting = std::find_if(gaps_.begin(), gaps_.end(),
                                      [now_ns](const Gap& gap) { return !gap.is_overdue(now_ns); });
    for (auto gap = gaps_.begin(); gap != waiting; ++gap) {
        given_up_ += gap->size();
    }
    gaps_.erase(gaps_.begin(), waiting);
    for (Gap& gap : gaps_) {
        gap.since_ns = gap.since_ns == 0 ? now_ns : gap.since_ns;
    }
}

std::uint64_t LostEdges::count(TimestampNs now_ns) const {
    std::uint64_t known = given_up_;
    for (const Gap& gap : gaps_) {
        known += gap.is_overdue(now_ns) ? gap.size() : 0;
    }
    return std::max(missing_on_lines_, known);
}

bool LostEdges::Gap::is_overdue(TimestampNs now_ns) const {
    return since_ns != 0 && now_ns - since_ns >= overdue_ns;
}

}  // namespace rig
