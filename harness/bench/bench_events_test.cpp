#include "harness/bench/bench_events.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>

#include "harness/recorder/recording_on_disk.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace harness;

/// While it exists no file of this process grows beyond its size: writing more fails.
class NoFileGrows {
  public:
    NoFileGrows() {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{.rlim_cur = 1, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~NoFileGrows() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, old_handler_);
    }
    NoFileGrows(const NoFileGrows&) = delete;
    NoFileGrows& operator=(const NoFileGrows&) = delete;

  private:
    rlimit before_{};
    void (*old_handler_)(int) = nullptr;
};

class BenchEventsTest : public RecordingOnDisk {
  protected:
    std::unique_ptr<BenchEvents> events_ = std::make_unique<BenchEvents>(
        clock_, RecordingPlace{.path = path_, .existing = ExistingFile::refuse, .run = facts_},
        std::map<std::string, TrackedButton>{});
};

TEST_F(BenchEventsTest, a_recording_that_fails_is_a_rig_error_and_ends_waits_for_a_press) {
    events_->press_begins(1);
    events_->take(PressAsserted{
        .id = 1, .line = "button0", .before_ns = 1, .after_ns = 2, .profile = "ideal"});
    ASSERT_TRUE(events_->flush_recording(soon()));
    const NoFileGrows full;
    events_->note("one more line for the recording");
    EXPECT_THROW(static_cast<void>(events_->wait_trip(1, Until::reply, soon(), nullptr)),
                 rig::RigError);
    EXPECT_THAT(events_->rig_errors(), testing::ElementsAre(testing::HasSubstr(path_.string())));
}

TEST_F(BenchEventsTest, a_recording_that_fails_while_the_events_end_finds_everything_in_place) {
    // As when the bench could not be opened. A destroyed list of errors would be freed once more.
    events_->note_error("the bench cannot be opened");
    ASSERT_TRUE(events_->flush_recording(soon()));
    {
        const NoFileGrows full;
        events_->note("one more line for the recording");
        events_.reset();
    }
    EXPECT_EQ(count("notes"), 1) << "the recording did not fail";
}

}  // namespace
