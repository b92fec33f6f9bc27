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

class RecorderCrash : public harness::RecordingOnDisk {};

/// What the child reports after each event: how many it has offered, and when.
struct Offered {
    std::int64_t count = 0;
    rig::TimestampNs at_ns = 0;
};

TEST_F(RecorderCrash, leaves_everything_older_than_100_ms_readable_after_a_kill) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const rig::UniqueFd reader(ends[0]);
    rig::UniqueFd writer(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        harness::Recorder recorder(path_, facts_, clock_);
        for (Offered offered{1, 0};; ++offered.count) {
            recorder.take(harness::ConsoleLine{offered.count, "line"});
            offered.at_ns = clock_.monotonic_ns();
            if (::write(writer.get(), &offered, sizeof offered) != sizeof offered) {
                ::_exit(1);
            }
            std::this_thread::sleep_for(std::chrono::microseconds(200));  // The load, no wait.
        }
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
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    std::int64_t old_enough = 0;
    for (const Offered& offered : all) {
        if (offered.at_ns < killed_ns - 100 * rig::ns_per_ms) {
            old_enough = offered.count;
        }
    }
    ASSERT_GT(old_enough, 0);
    const harness::RecordingReader recording(path_);
    EXPECT_GE(recording.counts().at("console"), old_enough);
    EXPECT_THAT(rows("select count(*) from console where at_ns <= " + std::to_string(old_enough)),
                testing::ElementsAre(std::to_string(old_enough)));
    EXPECT_THAT(rows("select ended_ns from runs"), testing::ElementsAre("-"));
    EXPECT_THAT(rows("pragma integrity_check"), testing::ElementsAre("ok"));
}

}  // namespace
