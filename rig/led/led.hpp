// Led reads edges of one input line as a lamp: lit or dark, since when, how often it changed.
// It is fed with the line's edges and keeps no thread, no descriptor and no history beyond them.
// Not thread-safe.
#pragma once

#include <cstdint>

#include "rig/line/level.hpp"

namespace rig {

class Led {
  public:
    /// `level` is the line's level now.
    Led(Active active, Level level);

    /// Takes the next edge of this line.
    void take(const Edge& edge);
    /// Sets the level without an edge, as after a restart of the board.
    void set(Level level);

    [[nodiscard]] bool is_on() const { return is_active(level_, active_); }
    /// Timestamp of the last edge; 0: none yet.
    [[nodiscard]] TimestampNs changed_ns() const { return changed_ns_; }
    /// Edges taken so far.
    [[nodiscard]] std::uint64_t changes() const { return changes_; }

  private:
    Active active_;
    Level level_;
    TimestampNs changed_ns_ = 0;
    std::uint64_t changes_ = 0;
};

}  // namespace rig
