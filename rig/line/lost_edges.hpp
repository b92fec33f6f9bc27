// LostEdges counts the edges that a chip's inputs lost on their way from the kernel. Two witnesses
// tell of them: what a line's own numbers and levels skip, and what is missing among the numbers
// that the kernel gives to the edges of all inputs of a request together. The second also sees the
// loss of a line that stays silent from then on. Most losses are seen by both, so that the number
// lost is what the one who saw more says: none counts twice.
//
// A plain value, without I/O. The kernel numbers an edge before it queues it, so that edges of two
// lines may be read in the other order: a number is given up once it is overdue, counted from the
// look after which it was missing. It remembers no more gaps than edges were read in that time.
#pragma once

#include <cstdint>
#include <vector>

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
    /// Successive numbers that have not come.
    struct Gap {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        TimestampNs since_ns = 0;  // 0: nobody has looked since

        [[nodiscard]] bool is_overdue(TimestampNs now_ns) const;
        [[nodiscard]] std::uint64_t size() const { return last - first + 1; }
    };

    void take_late(std::uint64_t seqno);

    std::uint64_t newest_seqno_ = 0;
    std::uint64_t missing_on_lines_ = 0;
    std::vector<Gap> gaps_;       // the oldest first
    std::uint64_t given_up_ = 0;  // numbers of gaps that were there for too long
};

}  // namespace rig
