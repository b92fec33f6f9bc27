// LostEdges counts the edges that a chip's inputs lost on their way from the kernel. Two witnesses
// tell of them: what a line's own numbers and levels skip, and what is missing among the numbers
// that the kernel gives to the edges of all inputs of a request together. The second also sees the
// loss of a line that stays silent from then on. Most losses are seen by both, so that the number
// lost is what the one who saw more says: none counts twice.
//
// A plain value, without I/O. The kernel numbers an edge before it queues it, so that edges of two
// lines may be read in the other order: a number is given up once it is overdue.
#pragma once

#include <cstdint>

#include "rig/line/level.hpp"

namespace rig {

class LostEdges {
  public:
    static constexpr TimestampNs overdue_ns = 100'000'000;

    /// An edge was read. `seqno` counts the edges of all lines from 1; `missing_on_line` is what
    /// its own line skipped before it.
    void take(std::uint64_t seqno, std::uint64_t missing_on_line);
    /// Everything was read that could be read at `now_ns`.
    void look(TimestampNs now_ns);
    /// How many are known to be lost by then.
    [[nodiscard]] std::uint64_t count(TimestampNs now_ns) const;

  private:
    [[nodiscard]] std::uint64_t overdue_by(TimestampNs now_ns) const;

    std::uint64_t edges_read_ = 0;
    std::uint64_t newest_seqno_ = 0;
    std::uint64_t missing_on_lines_ = 0;
    std::uint64_t given_up_ = 0;   // numbers that were missing for too long
    std::uint64_t suspected_ = 0;  // more than given_up_: missing since suspected_at_ns_, in all
    TimestampNs suspected_at_ns_ = 0;
};

}  // namespace rig
