#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <mutex>

#include "harness/recorder/recording_on_disk.hpp"
#include "harness/recorder/recording_reader.hpp"
#include "rig/base/errors.hpp"

namespace {

using harness::Recorder;
using testing::ElementsAre;
using testing::HasSubstr;

/// What on_trouble() was called with, from the writer's thread.
class Troubles {
  public:
    auto callback() {
        return [this](const std::string& text) {
            const std::lock_guard lock(mutex_);
            texts_.push_back(text);
        };
    }
    std::vector<std::string> texts() const {
        const std::lock_guard lock(mutex_);
        return texts_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> texts_;
};

/// Offers console lines, each flushed, until the recorder fails; how many were committed.
std::int64_t record_until_full(Recorder& recorder, const rig::Clock& clock) {
    std::int64_t committed = 0;
    while (committed < 100'000) {
        recorder.take(harness::ConsoleLine{committed + 1, std::string(1'000, 'x')});
        if (!recorder.flush(rig::Deadline::after(clock, std::chrono::seconds(20)))) {
            break;
        }
        ++committed;
    }
    return committed;
}

class RecorderTrouble : public harness::RecordingOnDisk {};

TEST_F(RecorderTrouble, stops_on_a_full_disk_and_keeps_what_was_committed) {
    harness::RecorderOptions options;
    options.pages_max = 64;
    Troubles troubles;
    Recorder recorder(path_, facts_, clock_, options);
    recorder.on_trouble(troubles.callback());
    const std::int64_t committed = record_until_full(recorder, clock_);
    ASSERT_GT(committed, 0);
    ASSERT_LT(committed, 100'000);

    EXPECT_THAT(recorder.error(), HasSubstr(path_.string()));
    EXPECT_THAT(recorder.error(), HasSubstr("full"));
    EXPECT_THAT(recorder.error(), HasSubstr("Free some space"));
    EXPECT_TRUE(recorder.has_room()) << "the run goes on, and ends with a rig error";
    recorder.take(harness::ConsoleLine{1, "nobody hears this"});
    EXPECT_EQ(recorder.events_dropped(), 2U) << "the line that did not fit, and this one";
    EXPECT_FALSE(recorder.flush(soon()));
    recorder.close();
    EXPECT_THAT(troubles.texts(), ElementsAre(recorder.error()));

    const harness::RecordingReader recording(path_);
    EXPECT_EQ(recording.counts().at("console"), committed);
}

TEST_F(RecorderTrouble, tells_a_late_listener_at_once) {
    harness::RecorderOptions options;
    options.pages_max = 40;
    Recorder recorder(path_, facts_, clock_, options);
    record_until_full(recorder, clock_);
    Troubles troubles;
    recorder.on_trouble(troubles.callback());
    EXPECT_THAT(troubles.texts(), ElementsAre(recorder.error()));
}

/// In a child: records onto a small tmpfs until it is full, and checks what is left. Its exit code
/// is the number of the check that failed; 0 if none did, 77 if it may not mount.
[[noreturn]] void record_on_a_small_disk(const std::filesystem::path& folder,
                                         const harness::RunFacts& facts, const rig::Clock& clock) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=512k") != 0) {
        ::_exit(77);
    }
    const auto path = folder / "run.sqlite";
    std::int64_t committed = 0;
    {
        Recorder recorder(path, facts, clock);
        committed = record_until_full(recorder, clock);
        if (committed == 0 || committed == 100'000) {
            ::_exit(1);
        }
        if (recorder.error().find(path.string()) == std::string::npos || !recorder.has_room()) {
            ::_exit(2);
        }
    }
    const harness::RecordingReader recording(path);
    if (recording.counts().at("console") != committed) {
        ::_exit(3);
    }
    if (harness::rows_of(path, "pragma integrity_check") != std::vector<std::string>{"ok"}) {
        ::_exit(4);
    }
    ::_exit(0);
}

TEST_F(RecorderTrouble, survives_a_disk_that_is_really_full) {
    const pid_t child = ::fork();
    if (child == 0) {
        record_on_a_small_disk(folder_, facts_, clock_);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    if (WEXITSTATUS(status) == 77) {
        GTEST_SKIP() << "needs root, to mount a small tmpfs in a namespace of its own";
    }
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// A second connection that holds the write lock: to the recorder, a disk that stands still.
class LockHolder {
  public:
    explicit LockHolder(const std::filesystem::path& path)
        : database_(path, harness::Database::Access::read_write) {
        database_.set_busy_timeout_ms(10'000);
        database_.execute("begin immediate");
    }
    void let_go() { database_.execute("rollback"); }

  private:
    harness::Database database_;
};

TEST_F(RecorderTrouble, has_no_room_while_the_disk_stands_still_and_loses_nothing) {
    harness::RecorderOptions options;
    options.connection_events_queued_max = 100;
    Recorder recorder(path_, facts_, clock_, options);
    LockHolder lock(path_);
    std::int64_t offered = 0;
    while (recorder.has_room()) {
        ASSERT_LT(offered, 1'000);
        ++offered;
        recorder.take(harness::ConnectionOpened{offered, offered, "peer", "local", false});
    }
    EXPECT_EQ(offered, 100);
    // What a server has read already still counts: it is taken although there is no room.
    ++offered;
    recorder.take(harness::ConnectionOpened{offered, offered, "peer", "local", false});
    EXPECT_FALSE(recorder.flush(rig::Deadline::after(clock_, std::chrono::milliseconds(200))));
    EXPECT_FALSE(recorder.has_room());

    lock.let_go();
    EXPECT_TRUE(recorder.flush(soon()));
    EXPECT_TRUE(recorder.has_room());
    EXPECT_EQ(count("connections"), offered);
    EXPECT_EQ(recorder.events_dropped(), 0U);
    EXPECT_EQ(recorder.error(), "");
}

TEST_F(RecorderTrouble, drops_and_counts_edges_beyond_their_share_and_notes_it) {
    harness::RecorderOptions options;
    options.line_events_queued_max = 50;
    Troubles troubles;
    Recorder recorder(path_, facts_, clock_, options);
    recorder.on_trouble(troubles.callback());
    {
        LockHolder lock(path_);
        for (std::uint64_t seqno = 1; seqno <= 80; ++seqno) {
            recorder.take(harness::EdgeSeen{1, "led0", rig::Level::high, {}, seqno});
        }
        EXPECT_EQ(recorder.events_dropped(), 30U);
        EXPECT_TRUE(recorder.has_room()) << "edges take nothing of the connections' share";
        recorder.take(harness::ConnectionOpened{1, 1, "peer", "local", false});
        lock.let_go();
    }
    ASSERT_TRUE(recorder.flush(soon()));
    EXPECT_EQ(count("edges"), 50);
    EXPECT_EQ(count("connections"), 1);
    EXPECT_THAT(rows("select is_error, what from notes"),
                ElementsAre("1|30 edges or console lines were lost: the disk was too slow to keep "
                            "up"));
    recorder.close();
    ASSERT_EQ(troubles.texts().size(), 1U);
    EXPECT_THAT(troubles.texts()[0], HasSubstr("30 edges"));
    EXPECT_EQ(recorder.error(), "") << "it goes on";
}

TEST_F(RecorderTrouble, has_no_room_for_ever_more_bytes_however_few_their_events) {
    harness::RecorderOptions options;
    options.connection_bytes_queued_max = 100'000;
    Recorder recorder(path_, facts_, clock_, options);
    LockHolder lock(path_);
    std::int64_t offered = 0;
    while (recorder.has_room()) {
        ASSERT_LT(offered, 1'000);
        harness::HandshakeEnded handshake;
        handshake.id = ++offered;
        handshake.offered = std::string(30'000, 'x');
        recorder.take(handshake);
    }
    EXPECT_EQ(offered, 4);

    lock.let_go();
    EXPECT_TRUE(recorder.flush(soon()));
    EXPECT_TRUE(recorder.has_room());
    EXPECT_EQ(count("handshakes"), offered);
}

TEST_F(RecorderTrouble, drops_and_counts_console_lines_beyond_their_share_of_bytes) {
    harness::RecorderOptions options;
    options.line_bytes_queued_max = 100'000;
    Recorder recorder(path_, facts_, clock_, options);
    {
        LockHolder lock(path_);
        for (std::int64_t at_ns = 1; at_ns <= 5; ++at_ns) {
            recorder.take(harness::ConsoleLine{at_ns, std::string(30'000, 'x')});
        }
        EXPECT_EQ(recorder.events_dropped(), 2U);
        recorder.take(harness::ConsoleLine{6, "a short one still finds room"});
        EXPECT_TRUE(recorder.has_room()) << "lines take nothing of the connections' share";
        lock.let_go();
    }
    ASSERT_TRUE(recorder.flush(soon()));
    EXPECT_EQ(count("console"), 4);
    EXPECT_EQ(recorder.events_dropped(), 2U);
}

TEST_F(RecorderTrouble, does_not_go_on_with_a_recording_that_another_process_keeps_locked) {
    Recorder(path_, facts_, clock_).close();
    const LockHolder lock(path_);
    harness::RecorderOptions options;
    options.existing = harness::ExistingFile::go_on;
    try {
        const Recorder recorder(path_, facts_, clock_, options);
        FAIL() << "went on";
    } catch (const rig::RigError& error) {
        EXPECT_EQ(
            error.what(),
            "recording " + path_.string() +
                ": another process keeps the file locked: end that one or name another place");
    }
    EXPECT_THAT(rows("select count(*) from runs"), ElementsAre("1"));
}

TEST_F(RecorderTrouble, waits_for_a_lock_to_note_the_end_of_its_run) {
    Recorder recorder(path_, facts_, clock_);
    LockHolder lock(path_);
    auto closed = std::async(std::launch::async, [&recorder] { recorder.close(); });
    EXPECT_EQ(closed.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
    lock.let_go();
    closed.get();
    EXPECT_EQ(recorder.error(), "");
    EXPECT_THAT(rows("select ended_ns is not null from runs"), ElementsAre("1"));
}

TEST_F(RecorderTrouble, gives_up_on_a_lock_that_is_never_let_go_when_it_closes) {
    Recorder recorder(path_, facts_, clock_);
    const LockHolder lock(path_);
    recorder.take(harness::ConsoleLine{1, "line"});
    const auto began_ns = clock_.monotonic_ns();
    recorder.close();
    EXPECT_LT(clock_.monotonic_ns() - began_ns, 30 * rig::ns_per_s);
    EXPECT_THAT(recorder.error(), HasSubstr("another process keeps the file locked"));
    EXPECT_EQ(recorder.events_dropped(), 1U);
}

}  // namespace
