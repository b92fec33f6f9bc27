// RecordingReader reads a recording: a finished one, one that another process is writing, or one
// that a killed process left behind (with its -wal file beside it). It owns a read-only connection
// and changes nothing. Older recordings stay readable. One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rig/base/clock.hpp"

namespace harness {

class Database;
class Statement;
using rig::TimestampNs;

/// One line of the view `timeline`.
struct TimelineRow {
    TimestampNs at_ns = 0;
    std::string lane;
    std::string what;
    bool operator==(const TimelineRow&) const = default;
};

/// What belongs together on a target: the button, its LED, and whether its frames are secure.
struct ButtonPairing {
    std::string button;
    std::string led;
    bool secure = false;
};

/// One press and what followed it; what did not happen is absent. The LED edge and the frame are
/// the first ones after the press and before the next press of that button. The times run from
/// before_ns: they are too long by at most after_ns - before_ns, and never negative.
struct PressLatency {
    std::int64_t press_id = 0;
    std::string button;
    TimestampNs before_ns = 0;
    std::optional<std::int64_t> press_to_led_ns;
    std::optional<std::int64_t> press_to_frame_ns;
    std::optional<std::int64_t> frame_to_reply_ns;
    std::optional<std::int64_t> handshake_ns;
    std::optional<std::int64_t> frame_id;
    bool operator==(const PressLatency&) const = default;
};

/// A blob, to be told from a text.
struct RecordedBytes {
    std::string bytes;
    bool operator==(const RecordedBytes&) const = default;
};

/// One field of a row; std::monostate is NULL.
using RecordedValue = std::variant<std::monostate, std::int64_t, std::string, RecordedBytes>;

/// The rows of one table, one by one in the order of time. The reader must outlive it.
class RecordedRows {
  public:
    ~RecordedRows();
    RecordedRows(RecordedRows&&) noexcept;
    RecordedRows& operator=(RecordedRows&&) noexcept;

    [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
    /// The next row, a value for each column; nothing after the last one.
    [[nodiscard]] std::optional<std::vector<RecordedValue>> next();

  private:
    friend class RecordingReader;
    RecordedRows(Database& database, std::filesystem::path path, const std::string& table);

    std::filesystem::path path_;
    std::unique_ptr<Statement> statement_;
    std::vector<std::string> columns_;
};

class RecordingReader {
  public:
    /// A press has nothing to do with what happens later than this after it.
    static constexpr TimestampNs latency_max_ns = 60 * rig::ns_per_s;

    /// Throws rig::RigError that names the path: no such file, not a recording, or written by a
    /// newer rig.
    explicit RecordingReader(const std::filesystem::path& path);
    ~RecordingReader();
    RecordingReader(RecordingReader&&) noexcept;
    RecordingReader& operator=(RecordingReader&&) noexcept;

    /// The last `rows_max` rows from `from_ns` up to and with `until_ns`, oldest first. 0: all.
    [[nodiscard]] std::vector<TimelineRow> timeline(
        std::size_t rows_max = 0, TimestampNs from_ns = std::numeric_limits<TimestampNs>::min(),
        TimestampNs until_ns = std::numeric_limits<TimestampNs>::max()) const;
    /// The newest row of `runs` as a JSON object; `facts` is an object in it.
    [[nodiscard]] std::string run_json() const;
    /// The time of the last event or beginning of a run.
    [[nodiscard]] TimestampNs newest_ns() const;
    /// Every press since `from_ns` in the order of time. A press of a button that no pairing names
    /// has no LED and no frame.
    [[nodiscard]] std::vector<PressLatency> latencies(
        const std::vector<ButtonPairing>& pairings,
        TimestampNs from_ns = std::numeric_limits<TimestampNs>::min()) const;
    /// As above, with button<i> paired to led<i>, and button1 secure: the lab's wiring.
    [[nodiscard]] std::vector<PressLatency> latencies(
        TimestampNs from_ns = std::numeric_limits<TimestampNs>::min()) const;
    /// How many rows each table has.
    [[nodiscard]] std::map<std::string, std::int64_t> counts() const;
    /// All of a table, or of the view `timeline`. Throws rig::RigError, with the tables there are,
    /// when the recording has no such table.
    [[nodiscard]] RecordedRows rows(const std::string& table) const;

  private:
    std::filesystem::path path_;
    std::unique_ptr<Database> database_;
};

}  // namespace harness
