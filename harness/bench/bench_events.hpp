// BenchEvents is where everything that happens on a bench comes together: the timeline, the
// recording, the presses with what they caused, and what went wrong with the rig itself. It owns
// all of them; the clock must outlive it. Any thread may call anything.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "harness/bench/round_trip.hpp"
#include "harness/event/patient_wait.hpp"
#include "harness/event/timeline.hpp"
#include "harness/recorder/recorder.hpp"

namespace harness {

/// Where a run is recorded.
struct RecordingPlace {
    std::string path;  ///< empty: nothing is recorded
    ExistingFile existing = ExistingFile::refuse;
    RunFacts run;
};

class BenchEvents final : public EventSink {
  public:
    static constexpr std::size_t rig_errors_kept_max = 100;

    /// Throws what Recorder throws. `buttons` as for RoundTripTracker.
    BenchEvents(const rig::Clock& clock, const RecordingPlace& place,
                std::map<std::string, TrackedButton> buttons);

    void take(Event event) override;
    [[nodiscard]] bool has_room() const override;
    /// Takes a note of now; an error is a rig error as well.
    void note(std::string what);
    void note_error(std::string what);

    /// What to do at each connection to the server, on the loop's thread. To be said before the
    /// loop runs.
    void on_connection(std::function<void()> callback) { on_connection_ = std::move(callback); }

    [[nodiscard]] const Timeline& timeline() const { return timeline_; }

    /// To be called before the press is taken: rig errors from here on end waits for it.
    void press_begins(PressId id);
    /// Throws rig::RigError for a press too long ago.
    [[nodiscard]] RoundTrip round_trip(PressId id) const;
    /// Throws rig::RigError when the rig erred since the press began.
    [[nodiscard]] bool wait_trip(PressId id, Until until, rig::Deadline deadline,
                                 const Interrupted& interrupted);

    /// Presses so far claim nothing any more.
    void test_began(const std::string& nodeid);
    void test_ended(const std::string& nodeid, const std::string& outcome);

    /// The first `rig_errors_kept_max` of them.
    [[nodiscard]] std::vector<std::string> rig_errors() const;

    /// Whether everything that happened so far is on disk before the deadline.
    [[nodiscard]] bool flush_recording(rig::Deadline deadline);
    /// What happens later is on the timeline only.
    void close_recording();

  private:
    void add_rig_error(const std::string& what);

    const rig::Clock& clock_;
    std::function<void()> on_connection_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    RoundTripTracker trips_;                              // guarded by mutex_
    std::vector<std::string> rig_errors_;                 // guarded by mutex_
    std::string rig_error_newest_;                        // guarded by mutex_
    std::uint64_t rig_errors_count_ = 0;                  // guarded by mutex_
    std::map<PressId, std::uint64_t> rig_errors_before_;  // guarded by mutex_
    std::unique_ptr<Recorder> recorder_;  // after all that its thread's call may touch
    Timeline timeline_;
};

}  // namespace harness
