// ConsoleLines cuts the bytes of a console into lines of text that every consumer can take (JSON,
// SQLite, a terminal). A line ends with LF; carriage returns right before or after the LF go with
// it. Bytes that are not valid UTF-8 and control characters other than the tab are written as
// \x1B. A text has at most line_bytes_max bytes: what is longer goes on in the next text, and
// ends_line is false. A line that stays unfinished is delivered by flush(), likewise.
// Owns nothing but its buffer; not tied to a thread; reads no clock.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rig/target/target.hpp"

namespace rig {

class ConsoleLines {
  public:
    /// Length of a text, in bytes, at most.
    static constexpr std::size_t line_bytes_max = 1024;
    /// How long an unfinished line (a prompt) should wait for its end before flush().
    static constexpr TimestampNs unfinished_ns_max = ns_per_s;

    /// Takes bytes that were read at `at_ns` and appends the texts that they complete.
    void take(std::string_view bytes, TimestampNs at_ns, std::vector<TargetEvent>& events);

    /// Appends what has come of a line whose end has not, if anything.
    void flush(TimestampNs at_ns, std::vector<TargetEvent>& events);

    /// Whether flush() would append something.
    [[nodiscard]] bool has_unfinished() const;

    /// Forgets everything: the console of a target that starts anew is a new one.
    void clear();

  private:
    void take_byte(char byte, TimestampNs at_ns, std::vector<TargetEvent>& events);
    void end_line(TimestampNs at_ns, std::vector<TargetEvent>& events);
    void give_up_sequence(TimestampNs at_ns, std::vector<TargetEvent>& events);
    void append(std::string_view unit, TimestampNs at_ns, std::vector<TargetEvent>& events);
    void append_escaped(char byte, TimestampNs at_ns, std::vector<TargetEvent>& events);

    std::string text_;                  // printable, at most line_bytes_max
    std::string sequence_;              // start of a UTF-8 sequence, at most 3 bytes
    std::size_t carriage_returns_ = 0;  // held until it is known whether a LF follows
    bool is_at_start_ = true;           // nothing of this line has come
};

}  // namespace rig
