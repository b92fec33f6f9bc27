// Recorder keeps the events of one run in one SQLite file, at most 50 ms behind on a disk that
// keeps up. It owns the file, a writer thread and a bounded queue between the two and everybody
// else; the Clock must outlive it. Any thread may take() and ask; one closes. Nothing waits for
// the disk but flush() and close().
//
// Limits: connections' events wait in the queue up to `connection_events_queued_max`, and up to
// `connection_bytes_queued_max`, then has_room() is false and the server stops reading; edges and
// console lines, which nothing can hold back, have as much of their own, and what exceeds it is
// dropped, counted and noted in the recording as a rig error. What is committed survives kill -9 of
// this process; at power loss the last seconds may be missing, but the file is sound.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "harness/event/event_sink.hpp"
#include "rig/base/deadline.hpp"

namespace harness {

class Database;
class EventWriter;

/// What the recording says about the run.
struct RunFacts {
    std::string command;     ///< as typed
    std::string host;        ///< where the rig runs
    std::string bench;       ///< name of the bench
    std::string firmware;    ///< the firmware's build; empty: not known
    std::string facts_json;  ///< a JSON object of anything else; empty: none
};

enum class ExistingFile : std::uint8_t {
    refuse,
    overwrite,
    go_on,  ///< it must be a recording that was made since the machine started
};

struct RecorderOptions {
    ExistingFile existing = ExistingFile::refuse;
    std::size_t connection_events_queued_max = 32'768;
    std::size_t connection_bytes_queued_max = 16U * 1024 * 1024;  ///< as memory_size() has it
    std::size_t line_events_queued_max = 32'768;
    std::size_t line_bytes_queued_max = 16U * 1024 * 1024;
    /// How long the writer gathers events for one transaction.
    std::chrono::milliseconds batch_interval{20};
    /// The file grows to this many pages at most, as on a full disk: for tests. 0: no limit.
    std::int64_t pages_max = 0;
};

class Recorder final : public EventSink {
  public:
    /// Throws rig::RigError that names the path and a remedy: the file exists, cannot be made a
    /// recording, or cannot be gone on with; std::system_error when it cannot be created. A
    /// recording that is gone on with gets another row in `runs`, and the ids of this run's
    /// presses, connections and frames follow those that it has.
    Recorder(const std::filesystem::path& path, const RunFacts& facts, const rig::Clock& clock,
             RecorderOptions options = {});
    /// Closes.
    ~Recorder() override;
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    void take(Event event) override;
    /// True also once the recorder has failed: then the run goes on, and ends with a rig error.
    [[nodiscard]] bool has_room() const override;

    /// Waits until everything taken so far is committed. False: not by the deadline, or never,
    /// because the recorder has failed.
    [[nodiscard]] bool flush(rig::Deadline deadline);
    /// Commits what was taken, writes the run's end and closes the file; twice is fine. Waits for
    /// another process that holds the file's lock for about five seconds, then fails as below.
    /// What is taken later counts as dropped.
    void close();

    /// Calls `callback` when the recorder fails (disk full, I/O error; the text names file and
    /// remedy, and nothing more will be recorded) and when it had to drop events. From the writer
    /// thread, at once if it has failed already. The callback must not call the recorder: the
    /// recording has its own note of dropped events.
    void on_trouble(std::function<void(std::string)> callback);
    /// Why recording stopped; empty: it has not.
    [[nodiscard]] std::string error() const;
    /// Events that are not in the recording, for want of room or after a failure.
    [[nodiscard]] std::uint64_t events_dropped() const;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    enum class WriteOutcome : std::uint8_t { committed, busy, failed };
    /// How much one kind of events takes of the queue.
    struct Share {
        std::size_t events = 0;
        std::size_t bytes = 0;
    };
    struct Queue {
        std::vector<Event> events;
        Share connections;
        Share lines;
    };

    void open_file();
    void create_database();
    void open_database();
    void begin_run(const RunFacts& facts);
    void write_until_closed();
    void wait_for_batch(Queue& batch);
    void look_for_room();
    [[nodiscard]] bool write_patiently(const Queue& batch);
    [[nodiscard]] WriteOutcome write(const Queue& batch, std::uint64_t newly_dropped);
    void settle(const Queue& batch);
    void report_dropped(std::uint64_t newly_dropped);
    void fail(const std::string& why);
    void finish();

    const std::filesystem::path path_;
    const rig::Clock& clock_;
    const RecorderOptions options_;
    std::unique_ptr<Database> database_;        // the writer thread's once it runs
    std::unique_ptr<EventWriter> writer_;       // likewise
    std::int64_t run_id_ = 0;                   // likewise
    mutable std::mutex mutex_;                  // guards what follows
    std::condition_variable work_changed_;      // for the writer
    std::condition_variable progress_changed_;  // for flush()
    Queue queue_;
    Share connections_in_flight_;  // in the batch being written
    Share lines_in_flight_;
    std::uint64_t taken_ = 0;
    std::uint64_t committed_ = 0;
    std::uint64_t flush_wanted_ = 0;  // value of taken_ that someone waits for
    std::uint64_t dropped_ = 0;
    std::uint64_t dropped_noted_ = 0;
    bool is_closing_ = false;
    std::string error_;
    std::function<void(std::string)> on_trouble_;
    std::atomic<bool> has_room_ = true;  // set under the mutex, read without: it is asked often
    std::thread thread_;
};

}  // namespace harness
