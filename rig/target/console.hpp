// Console is the rig's end of a target's console: a non-blocking descriptor, and the lines that
// come of what is read from it. It owns the descriptor. One that is retired is out of sight and
// stays open until close_retired(): whoever watches it still holds its number. Not tied to a
// thread; waits for nothing; the clock must outlive it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/base/unique_fd.hpp"
#include "rig/target/console_lines.hpp"
#include "rig/target/target.hpp"

namespace rig {

class Console {
  public:
    /// What a read came to.
    struct ReadResult {
        bool may_have_more = false;
        /// Why nothing will ever come any more, as an errno; 0: the other end has gone. The
        /// descriptor is still open.
        std::optional<int> end = {};
    };

    explicit Console(const Clock& clock) : clock_(clock) {}

    void open(UniqueFd descriptor) { descriptor_ = std::move(descriptor); }
    [[nodiscard]] bool is_open() const { return static_cast<bool>(descriptor_); }
    /// -1: it is not open.
    [[nodiscard]] int fd() const { return descriptor_.get(); }
    void retire();
    void close_retired() noexcept { retired_.reset(); }

    /// Appends the lines that what was printed completes, of `bytes_max` at most.
    [[nodiscard]] ReadResult read(std::size_t bytes_max, std::vector<TargetEvent>& events);
    /// Appends what has come of a line whose end has not.
    void flush(std::vector<TargetEvent>& events);
    /// Likewise, once it has waited for its end for long enough.
    void flush_if_due(std::vector<TargetEvent>& events);
    /// When that is; 0: no line is unfinished.
    [[nodiscard]] TimestampNs flush_at_ns() const { return flush_at_ns_; }
    /// Forgets such a line: the console of a target that starts anew is a new one.
    void forget();

  private:
    const Clock& clock_;
    UniqueFd descriptor_;
    UniqueFd retired_;
    ConsoleLines lines_;
    TimestampNs flush_at_ns_ = 0;
};

}  // namespace rig
