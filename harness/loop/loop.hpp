// Loop is the one thread's event loop: descriptors, timers and work handed over by other threads.
// It is the only user of epoll. It owns its epoll and wake-up descriptors, never those it watches.
//
// Thread rule: post() and stop() from any thread; everything else from the loop's own thread, or
// before run(). What a callback throws is handed to the error handler and the loop goes on.
// Timers are exact to the kernel's timer slack (about 50 us), not to a millisecond.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/base/unique_fd.hpp"

namespace harness {

/// What a watcher wants to hear of. Hang-up and errors are always reported, as both; to a watcher
/// that wants nothing once, and again when it wants something.
struct Interest {
    bool readable = false;
    bool writable = false;
    bool operator==(const Interest&) const = default;
};

struct Ready {
    bool readable = false;
    bool writable = false;
};

class Loop {
  public:
    using WatchId = std::uint64_t;
    using TimerId = std::uint64_t;
    using ErrorHandler = std::function<void(const std::exception&)>;

    explicit Loop(const rig::Clock& clock);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// What to do with an exception that a callback let out; without one it ends run().
    void on_error(ErrorHandler handler) { on_error_ = std::move(handler); }

    /// Runs until stop(). Throws std::system_error when epoll itself fails.
    void run();
    /// Ends run() after the callback in progress; work posted before is done first.
    void stop();
    /// Runs `work` on the loop's thread, soon, in the order of the calls.
    void post(std::function<void()> work);

    /// Watches `fd`, which the caller keeps open until unwatch(). Throws std::system_error.
    [[nodiscard]] WatchId watch(int fd, Interest interest, std::function<void(Ready)> callback);
    /// Changes what is asked for; free of charge when nothing changes.
    void change(WatchId id, Interest interest);
    /// Ends a watch; its callback is not called again, not even for events already fetched.
    void unwatch(WatchId id);

    /// Calls `callback` once, at `at_ns` or as soon after as the loop comes round.
    [[nodiscard]] TimerId at(rig::TimestampNs at_ns, std::function<void()> callback);
    /// Forgets a timer; one that has fired or is unknown is ignored.
    void cancel(TimerId id);

    [[nodiscard]] const rig::Clock& clock() const { return clock_; }

  private:
    struct Watch {
        int fd;
        Interest interest;
        std::function<void(Ready)> callback;
    };

    void guarded(const std::function<void()>& callback);
    void run_posted();
    void run_timers();
    [[nodiscard]] std::function<void()> take_timer(TimerId id);
    void arm_timer();
    void set_epoll(int operation, int fd, Interest interest, WatchId id);

    const rig::Clock& clock_;
    ErrorHandler on_error_;
    rig::UniqueFd epoll_;
    rig::UniqueFd wake_;
    rig::UniqueFd timer_;
    rig::TimestampNs armed_at_ns_ = 0;

    WatchId last_watch_id_;
    std::unordered_map<WatchId, std::shared_ptr<Watch>> watches_;  // owners: the map, a dispatch
    std::unordered_map<int, WatchId> watch_of_fd_;  // the newest: numbers of closed ones recur
    TimerId last_timer_id_ = 0;
    std::multimap<rig::TimestampNs, std::pair<TimerId, std::function<void()>>> timers_;
    std::unordered_map<TimerId, rig::TimestampNs> timer_times_;

    std::mutex posted_mutex_;
    std::vector<std::function<void()>> posted_;
    bool stopping_ = false;  // guarded by posted_mutex_
};

}  // namespace harness
