#include "rig/line/lost_edges.hpp"

#include <algorithm>

namespace rig {

void LostEdges::take(std::uint64_t seqno, std::uint64_t missing_on_line) {
    ++edges_read_;
    newest_seqno_ = std::max(newest_seqno_, seqno);
    missing_on_lines_ += missing_on_line;
}

void LostEdges::look(TimestampNs now_ns) {
    const std::uint64_t missing = newest_seqno_ > edges_read_ ? newest_seqno_ - edges_read_ : 0;
    suspected_ = std::min(suspected_, missing);  // some may have come after all
    given_up_ = overdue_by(now_ns);
    if (missing > given_up_ && suspected_ <= given_up_) {
        suspected_ = missing;
        suspected_at_ns_ = now_ns;
    }
}

std::uint64_t LostEdges::count(TimestampNs now_ns) const {
    return std::max(missing_on_lines_, overdue_by(now_ns));
}

std::uint64_t LostEdges::overdue_by(TimestampNs now_ns) const {
    const bool is_overdue = suspected_ > given_up_ && now_ns - suspected_at_ns_ >= overdue_ns;
    return is_overdue ? suspected_ : given_up_;
}

}  // namespace rig
