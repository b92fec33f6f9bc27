#include "harness/bench/bench_events.hpp"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

std::unique_ptr<Recorder> make_recorder(const RecordingPlace& place, const rig::Clock& clock) {
    if (place.path.empty()) {
        return nullptr;
    }
    return std::make_unique<Recorder>(place.path, place.run, clock,
                                      RecorderOptions{.existing = place.existing});
}

}  // namespace

BenchEvents::BenchEvents(const rig::Clock& clock, const RecordingPlace& place,
                         std::map<std::string, TrackedButton> buttons)
    : clock_(clock),
      trips_(std::move(buttons)),
      recorder_(make_recorder(place, clock)),
      timeline_(clock, recorder_.get()) {
    if (recorder_ != nullptr) {
        recorder_->on_trouble([this](const std::string& trouble) {
            // On the recorder's thread. The recording has its own note of it, if it can.
            add_rig_error(trouble);
        });
    }
}

void BenchEvents::take(Event event) {
    if (const auto* const note = std::get_if<RigNote>(&event); note != nullptr && note->is_error) {
        add_rig_error(note->what);
    }
    const bool is_connection = std::holds_alternative<ConnectionOpened>(event);
    {
        // Under one lock, so that what a round trip has reached is on the timeline as well.
        const std::lock_guard lock(mutex_);
        trips_.take(event);
        timeline_.take(std::move(event));
    }
    changed_.notify_all();
    if (is_connection && on_connection_) {
        on_connection_();
    }
}

bool BenchEvents::has_room() const {
    return timeline_.has_room();
}

void BenchEvents::note(std::string what) {
    take(RigNote{.at_ns = clock_.monotonic_ns(), .what = std::move(what), .is_error = false});
}

void BenchEvents::note_error(std::string what) {
    take(RigNote{.at_ns = clock_.monotonic_ns(), .what = std::move(what), .is_error = true});
}

void BenchEvents::add_rig_error(const std::string& what) {
    {
        const std::lock_guard lock(mutex_);
        ++rig_errors_count_;
        if (rig_errors_.size() < rig_errors_kept_max) {
            rig_errors_.push_back(what);
        }
        rig_error_newest_ = what;
    }
    changed_.notify_all();
}

std::vector<std::string> BenchEvents::rig_errors() const {
    const std::lock_guard lock(mutex_);
    return rig_errors_;
}

// Round trips -------------------------------------------------------------------------------------

void BenchEvents::press_begins(PressId id) {
    const std::lock_guard lock(mutex_);
    rig_errors_before_[id] = rig_errors_count_;
    if (rig_errors_before_.size() > RoundTripTracker::trips_kept_max) {
        rig_errors_before_.erase(rig_errors_before_.begin());
    }
}

RoundTrip BenchEvents::round_trip(PressId id) const {
    const std::lock_guard lock(mutex_);
    const RoundTrip* const trip = trips_.find(id);
    if (trip == nullptr) {
        throw rig::RigError(fmt::format("press {} is not known any more: only the last {} are kept",
                                        id, RoundTripTracker::trips_kept_max));
    }
    return *trip;
}

bool BenchEvents::wait_trip(PressId id, Until until, rig::Deadline deadline,
                            const Interrupted& interrupted) {
    std::string trouble;
    std::unique_lock lock(mutex_);
    const bool reached = wait_patiently(changed_, lock, clock_, deadline, interrupted, [&] {
        const RoundTrip* const trip = trips_.find(id);
        if (trip == nullptr) {
            trouble = fmt::format("press {} is not known any more", id);
            return true;
        }
        const std::uint64_t before = rig_errors_before_[id];
        if (rig_errors_count_ > before) {
            trouble = before < rig_errors_.size() ? rig_errors_[before] : rig_error_newest_;
            return true;
        }
        return has_reached(*trip, until);
    });
    trips_.was_waited_for(id);
    lock.unlock();
    if (!trouble.empty()) {
        throw rig::RigError(trouble);
    }
    return reached;
}

// Tests and the recording -------------------------------------------------------------------------

void BenchEvents::test_began(const std::string& nodeid) {
    {
        const std::lock_guard lock(mutex_);
        trips_.forget_claims();
    }
    take(TestBegan{.at_ns = clock_.monotonic_ns(), .nodeid = nodeid});
}

void BenchEvents::test_ended(const std::string& nodeid, const std::string& outcome) {
    take(TestEnded{.at_ns = clock_.monotonic_ns(), .nodeid = nodeid, .outcome = outcome});
}

bool BenchEvents::flush_recording(rig::Deadline deadline) {
    return recorder_ == nullptr || recorder_->flush(deadline);
}

void BenchEvents::close_recording() {
    if (recorder_ != nullptr) {
        recorder_->close();
    }
}

}  // namespace harness
