#include "harness/recorder/recorder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "harness/recorder/database.hpp"
#include "harness/recorder/event_writer.hpp"
#include "harness/recorder/recording_reader.hpp"
#include "harness/recorder/schema.hpp"
#include "rig/base/errors.hpp"
#include "rig/base/unique_fd.hpp"

namespace harness {
namespace {

constexpr int busy_timeout_ms = 50;
/// Tries to get the file's lock once the recorder is closing, each of busy_timeout_ms.
constexpr int closing_tries_max = 100;
/// A batch this large is written without waiting for its interval to end.
constexpr std::size_t batch_events_max = 4'096;
/// The memory of a batch is used again unless it is of more events than this.
constexpr std::size_t batch_events_kept_max = 4 * batch_events_max;

constexpr const char* locked_text = "another process keeps the file locked";

/// Edges and console lines come whether or not there is room: nobody can make them wait.
bool is_line_event(const Event& event) {
    return std::holds_alternative<EdgeSeen>(event) || std::holds_alternative<ConsoleLine>(event);
}

void remove_with_companions(const std::filesystem::path& path) {
    for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
        const std::filesystem::path each = path.string() + ending;
        if (::unlink(each.c_str()) != 0 && errno != ENOENT) {
            rig::throw_system_error(errno, fmt::format("replace recording {}", each.string()));
        }
    }
}

void create_file(const std::filesystem::path& path, ExistingFile existing) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) == 0 && existing == ExistingFile::refuse) {
        throw rig::RigError(fmt::format(
            "recording {}: there is a file already; name another, or ask to overwrite it",
            path.string()));
    }
    remove_with_companions(path);
    const rig::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file) {
        rig::throw_system_error(errno, fmt::format("create recording {}", path.string()));
    }
}

std::string dropped_text(std::uint64_t count) {
    return fmt::format("{} edges or console lines were lost: the disk was too slow to keep up",
                       count);
}

/// Blocks every signal for this thread while it lives: signals are for whoever waits for them, and
/// would otherwise be delivered to the writer, in the middle of a transaction.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

std::int64_t integer_of(Database& database, std::string_view sql) {
    Statement statement(database, sql);
    return statement.step() ? statement.integer(0) : 0;
}

void roll_back(Database& database) {
    try {
        database.execute("rollback");
    } catch (const DatabaseError&) {
        // There was no transaction, or SQLite has rolled it back itself.
    }
}

}  // namespace

Recorder::Recorder(const std::filesystem::path& path, const RunFacts& facts,
                   const rig::Clock& clock, RecorderOptions options)
    : path_(std::filesystem::absolute(path)), clock_(clock), options_(options) {
    const bool goes_on = options_.existing == ExistingFile::go_on;
    if (!goes_on) {
        create_file(path_, options_.existing);
    }
    try {
        goes_on ? open_database() : create_database();
        begin_run(facts);
    } catch (const DatabaseError& error) {
        database_.reset();
        if (!goes_on) {
            remove_with_companions(path_);
        }
        throw rig::RigError(fmt::format("recording {}: {} or name another place", path_.string(),
                                        error.is_busy()
                                            ? fmt::format("{}: end that one", locked_text)
                                            : fmt::format("{}; free some space", error.what())));
    }
    const SignalsBlocked signals_blocked;  // The writer inherits it.
    thread_ = std::thread([this] { write_until_closed(); });
}

Recorder::~Recorder() {
    close();
}

void Recorder::open_file() {
    database_ = std::make_unique<Database>(path_, Database::Access::read_write);
    database_->set_busy_timeout_ms(busy_timeout_ms);
    if (options_.pages_max > 0) {
        database_->execute(fmt::format("pragma max_page_count = {}", options_.pages_max).c_str());
    }
    // WAL lets people read while the rig writes; with "normal" a commit waits for no disk, and
    // outlives the process but not the power.
    database_->execute("pragma journal_mode = wal; pragma synchronous = normal");
}

void Recorder::create_database() {
    open_file();
    database_->execute("begin immediate");
    database_->execute(schema_sql);
}

void Recorder::open_database() {
    {
        const RecordingReader reader(path_);  // Refuses what is no recording, or a newer one.
        if (reader.newest_ns() > clock_.monotonic_ns()) {
            throw rig::RigError(
                fmt::format("recording {}: this machine was started again since, and its clock "
                            "began anew: begin another recording",
                            path_.string()));
        }
    }
    open_file();
    database_->execute("begin immediate");
    database_->execute(fmt::format("pragma user_version = {}", recording_version).c_str());
}

void Recorder::begin_run(const RunFacts& facts) {
    Statement run(*database_,
                  "insert into runs(began_ns, began_wall_ns, command, host, bench, "
                  "rig_version, firmware, facts) values(?,?,?,?,?,?,?,?)");
    run.bind(clock_.monotonic_ns())
        .bind(clock_.wall_ns())
        .bind_text(facts.command)
        .bind_text(facts.host)
        .bind_text(facts.bench)
        .bind_text(WWEP_RIG_VERSION)
        .bind_text(facts.firmware)
        .bind_text(facts.facts_json.empty() ? "{}" : facts.facts_json)
        .run();
    run_id_ = integer_of(*database_, "select max(id) from runs");
    writer_ = std::make_unique<EventWriter>(
        *database_, IdsBefore{integer_of(*database_, "select ifnull(max(id), 0) from presses"),
                              integer_of(*database_, "select ifnull(max(id), 0) from connections"),
                              integer_of(*database_, "select ifnull(max(id), 0) from frames")});
    database_->execute("commit");
}

void Recorder::take(Event event) {
    const bool is_line = is_line_event(event);
    const std::size_t bytes = memory_size(event);
    const std::lock_guard lock(mutex_);
    const bool has_line_room =
        queue_.lines.events + lines_in_flight_.events < options_.line_events_queued_max &&
        queue_.lines.bytes + lines_in_flight_.bytes + bytes <= options_.line_bytes_queued_max;
    if (!error_.empty() || is_closing_ || (is_line && !has_line_room)) {
        ++dropped_;
        return;
    }
    queue_.events.push_back(std::move(event));
    Share& share = is_line ? queue_.lines : queue_.connections;
    ++share.events;
    share.bytes += bytes;
    ++taken_;
    look_for_room();
    // The writer sleeps until a first event, then until the batch is due or large.
    if (queue_.events.size() == 1 || queue_.events.size() == batch_events_max) {
        work_changed_.notify_one();
    }
}

void Recorder::look_for_room() {
    has_room_ = !error_.empty() || (queue_.connections.events + connections_in_flight_.events <
                                        options_.connection_events_queued_max &&
                                    queue_.connections.bytes + connections_in_flight_.bytes <
                                        options_.connection_bytes_queued_max);
}

bool Recorder::has_room() const {
    return has_room_;
}

bool Recorder::flush(rig::Deadline deadline) {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = taken_;
    flush_wanted_ = std::max(flush_wanted_, wanted);
    work_changed_.notify_one();
    const auto is_decided = [&] { return committed_ >= wanted || !error_.empty(); };
    while (!is_decided() && !deadline.has_passed(clock_)) {
        // In slices, because the deadline is of the clock that was handed in.
        progress_changed_.wait_for(lock, std::min<std::chrono::nanoseconds>(
                                             deadline.left(clock_), std::chrono::milliseconds(50)));
    }
    return committed_ >= wanted && error_.empty();
}

void Recorder::close() {
    {
        const std::lock_guard lock(mutex_);
        is_closing_ = true;
        work_changed_.notify_one();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Recorder::on_trouble(std::function<void(std::string)> callback) {
    std::string error;
    std::function<void(std::string)> call_now;
    {
        const std::lock_guard lock(mutex_);
        error = error_;
        if (!error.empty()) {
            call_now = callback;
        }
        on_trouble_ = std::move(callback);
    }
    if (call_now) {
        call_now(error);
    }
}

std::string Recorder::error() const {
    const std::lock_guard lock(mutex_);
    return error_;
}

std::uint64_t Recorder::events_dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
}

void Recorder::write_until_closed() {
    try {
        Queue batch;
        batch.events.reserve(batch_events_max);
        while (true) {
            wait_for_batch(batch);
            if (batch.events.empty()) {
                break;  // Closing, and nothing is left.
            }
            if (!write_patiently(batch)) {
                break;
            }
            settle(batch);
        }
        finish();
    } catch (const std::exception& error) {
        // The thread's own main: whatever went wrong (no memory, say), the run goes on.
        fail(error.what());
    }
    writer_.reset();
    database_.reset();
}

void Recorder::wait_for_batch(Queue& batch) {
    if (batch.events.capacity() > batch_events_kept_max) {
        batch = {};
    }
    batch.events.clear();
    batch.connections = {};
    batch.lines = {};
    std::unique_lock lock(mutex_);
    work_changed_.wait(lock, [this] { return !queue_.events.empty() || is_closing_; });
    work_changed_.wait_for(lock, options_.batch_interval, [this] {
        return queue_.events.size() >= batch_events_max || is_closing_ ||
               flush_wanted_ > committed_;
    });
    connections_in_flight_ = queue_.connections;
    lines_in_flight_ = queue_.lines;
    std::swap(queue_, batch);
}

bool Recorder::write_patiently(const Queue& batch) {
    for (int closing_tries = 0;;) {
        std::uint64_t newly_dropped = 0;
        {
            const std::lock_guard lock(mutex_);
            newly_dropped = dropped_ - dropped_noted_;
            closing_tries += is_closing_ ? 1 : 0;
        }
        switch (write(batch, newly_dropped)) {
            case WriteOutcome::committed:
                report_dropped(newly_dropped);
                return true;
            case WriteOutcome::failed:
                return false;
            case WriteOutcome::busy:
                break;  // It waited for busy_timeout_ms.
        }
        if (closing_tries >= closing_tries_max) {
            fail(locked_text);
            return false;
        }
    }
}

Recorder::WriteOutcome Recorder::write(const Queue& batch, std::uint64_t newly_dropped) {
    try {
        database_->execute("begin immediate");
        writer_->write(batch.events);
        if (newly_dropped > 0) {
            const Event note = RigNote{clock_.monotonic_ns(), dropped_text(newly_dropped), true};
            writer_->write({&note, 1});
        }
        database_->execute("commit");
        return WriteOutcome::committed;
    } catch (const DatabaseError& error) {
        roll_back(*database_);
        if (error.is_busy()) {
            return WriteOutcome::busy;
        }
        fail(error.what());
        return WriteOutcome::failed;
    }
}

void Recorder::settle(const Queue& batch) {
    const std::lock_guard lock(mutex_);
    committed_ += batch.events.size();
    connections_in_flight_ = {};
    lines_in_flight_ = {};
    look_for_room();
    progress_changed_.notify_all();
}

void Recorder::report_dropped(std::uint64_t newly_dropped) {
    if (newly_dropped == 0) {
        return;
    }
    std::function<void(std::string)> callback;
    {
        const std::lock_guard lock(mutex_);
        dropped_noted_ += newly_dropped;
        callback = on_trouble_;
    }
    if (callback) {
        callback(fmt::format("recording {}: {}", path_.string(), dropped_text(newly_dropped)));
    }
}

void Recorder::fail(const std::string& why) {
    std::function<void(std::string)> callback;
    std::string text;
    {
        const std::lock_guard lock(mutex_);
        if (!error_.empty()) {
            return;
        }
        error_ = fmt::format(
            "recording {}: {}; the recording ends here, what was committed before is kept. Free "
            "some space or record to another place, and run again",
            path_.string(), why);
        dropped_ += taken_ - committed_;
        queue_ = {};
        connections_in_flight_ = {};
        lines_in_flight_ = {};
        look_for_room();
        callback = on_trouble_;
        text = error_;
        progress_changed_.notify_all();
    }
    if (callback) {
        callback(text);
    }
}

void Recorder::finish() {
    if (!error().empty()) {
        return;
    }
    for (int tries = 0; tries < closing_tries_max; ++tries) {
        try {
            database_->execute(fmt::format("update runs set ended_ns = {} where id = {}",
                                           clock_.monotonic_ns(), run_id_)
                                   .c_str());
            return;
        } catch (const DatabaseError& error) {
            if (!error.is_busy()) {
                fail(error.what());
                return;
            }
        }
    }
    fail(locked_text);
}

}  // namespace harness
