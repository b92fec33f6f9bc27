#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "harness/recorder/recording_on_disk.hpp"
#include "harness/recorder/recording_reader.hpp"
#include "rig/base/unique_fd.hpp"

namespace {

/// What the child reports after each event: how many it has offered, and when.
struct Offered {
    std::int64_t count = 0;
    rig::TimestampNs at_ns = 0;
};

class RecorderCrash : public harness::RecordingOnDisk {
  protected:
    /// Kills a process while it records; how many of its events were older than 100 ms then.
    std::int64_t record_and_kill() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        const rig::UniqueFd reader(ends[0]);
        rig::UniqueFd writer(ends[1]);
        const pid_t child = ::fork();
        if (child == 0) {
            record_for_ever(writer.get());
        }
        writer.reset();

        constexpr std::int64_t events_before_kill = 1'500;
        std::vector<Offered> all;
        rig::TimestampNs killed_ns = 0;
        for (Offered next; ::read(reader.get(), &next, sizeof next) == sizeof next;) {
            all.push_back(next);
            if (next.count == events_before_kill) {
                killed_ns = clock_.monotonic_ns();
                ::kill(child, SIGKILL);
            }
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        std::int64_t old_enough = 0;
        for (const Offered& offered : all) {
            if (offered.at_ns < killed_ns - 100 * rig::ns_per_ms) {
                old_enough = offered.count;
            }
        }
        return old_enough;
    }

  private:
    [[noreturn]] void record_for_ever(int report) {
        harness::Recorder recorder(path_, facts_, clock_,
                                   {.existing = harness::ExistingFile::overwrite});
        for (Offered offered{1, 0};; ++offered.count) {
            recorder.take(harness::ConsoleLine{offered.count, "line"});
            offered.at_ns = clock_.monotonic_ns();
            if (::write(report, &offered, sizeof offered) != sizeof offered) {
                ::_exit(1);
            }
            std::this_thread::sleep_for(std::chrono::microseconds(200));  // The load, no wait.
        }
    }
};

TEST_F(RecorderCrash, leaves_everything_older_than_100_ms_readable_after_a_kill) {
    // A machine that gives the writing thread no processor for 50 ms says nothing about it.
    constexpr int tries_max = 5;
    std::int64_t old_enough = 0;
    std::int64_t recorded = -1;
    for (int tries = 0; tries < tries_max && recorded < old_enough; ++tries) {
        old_enough = record_and_kill();
        recorded = harness::RecordingReader(path_).counts().at("console");
    }
    ASSERT_GT(old_enough, 0);
    EXPECT_GE(recorded, old_enough);
    EXPECT_THAT(rows("select count(*) from console where at_ns <= " + std::to_string(old_enough)),
                testing::ElementsAre(std::to_string(old_enough)));
    EXPECT_THAT(rows("select ended_ns from runs"), testing::ElementsAre("-"));
    EXPECT_THAT(rows("pragma integrity_check"), testing::ElementsAre("ok"));
}

}  // namespace
