#include "harness/event/patient_wait.hpp"

#include <algorithm>
#include <chrono>

namespace harness {
namespace {

constexpr std::chrono::nanoseconds interruption_checked_every = std::chrono::milliseconds(50);

}  // namespace

bool wait_patiently(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                    const rig::Clock& clock, rig::Deadline deadline, const Interrupted& interrupted,
                    const std::function<bool()>& condition) {
    rig::TimestampNs ask_at_ns = clock.monotonic_ns() + interruption_checked_every.count();
    while (!condition()) {
        if (deadline.has_passed(clock)) {
            return false;
        }
        const auto slice =
            std::min<std::chrono::nanoseconds>(deadline.left(clock), interruption_checked_every);
        // By the clock too: where events never cease, no wait ever times out.
        const bool timed_out = changed.wait_for(lock, slice) == std::cv_status::timeout;
        if (interrupted && (timed_out || clock.monotonic_ns() >= ask_at_ns)) {
            lock.unlock();
            const bool is_over = interrupted();
            lock.lock();
            if (is_over) {
                return false;
            }
            ask_at_ns = clock.monotonic_ns() + interruption_checked_every.count();
        }
    }
    return true;
}

}  // namespace harness
