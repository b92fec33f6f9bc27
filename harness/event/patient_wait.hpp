// How a thread of the caller's waits for what another thread brings about: until a condition holds,
// a deadline passes, or somebody wants the wait to end.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "rig/base/deadline.hpp"

namespace harness {

/// Whether a wait is to end although nothing came. Asked every 50 ms, without a lock.
using Interrupted = std::function<bool()>;

/// Waits on `changed` until `condition`, which is asked under `lock`, holds. False: not before the
/// deadline, or interrupted. `interrupted` may be empty.
[[nodiscard]] bool wait_patiently(std::condition_variable& changed,
                                  std::unique_lock<std::mutex>& lock, const rig::Clock& clock,
                                  rig::Deadline deadline, const Interrupted& interrupted,
                                  const std::function<bool()>& condition);

}  // namespace harness
