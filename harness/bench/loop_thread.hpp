// LoopThread is the loop and the thread that runs it. It owns both; the clock must outlive it.
//
// Thread rule: calls from any thread but the loop's own; start() and stop() from the thread that
// made it.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>

#include "harness/loop/loop.hpp"
#include "rig/base/errors.hpp"

namespace harness {

/// The loop's thread has ended by itself: nothing that is handed to it would ever be done.
class LoopEnded : public rig::RigError {
  public:
    explicit LoopEnded(const std::string& why);
};

class LoopThread {
  public:
    explicit LoopThread(const rig::Clock& clock) : loop_(clock) {}
    ~LoopThread() { stop(); }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;

    [[nodiscard]] Loop& loop() { return loop_; }

    /// Starts the thread. `failed` is called on it when the loop ends by an exception, before any
    /// call learns of that. It must not throw.
    void start(std::function<void(const LoopEnded&)> failed);
    [[nodiscard]] bool is_started() const { return thread_.joinable(); }
    /// Ends the loop once the work posted before is done, and waits for the thread's end.
    void stop();
    /// Whether the loop has ended by itself. What it held may then be used by any one thread.
    [[nodiscard]] bool has_failed() const;

    /// Does `work` on the loop's thread and returns, or throws, what it did. Throws LoopEnded when
    /// the loop has failed, or fails before it comes to `work`.
    template <class Work>
    auto call(Work&& work);
    /// The same, but does `work` on the calling thread when the loop has failed.
    template <class Work>
    auto call_or_do(Work&& work);

  private:
    void run(const std::function<void(const LoopEnded&)>& failed);
    void wait_for(const bool& is_done);
    void set_done(bool& is_done);

    Loop loop_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<LoopEnded> failure_;  // guarded by mutex_
    std::thread thread_;                // last: everything above exists while it runs
};

template <class Work>
auto LoopThread::call(Work&& work) {
    using Result = std::invoke_result_t<Work>;
    std::optional<std::conditional_t<std::is_void_v<Result>, std::monostate, Result>> result;
    std::exception_ptr error;
    bool is_done = false;  // guarded by mutex_
    // Of a loop that has failed nobody runs what was posted, so that it may refer to what is gone.
    loop_.post([&] {
        try {
            if constexpr (std::is_void_v<Result>) {
                work();
            } else {
                result.emplace(work());
            }
        } catch (...) {
            error = std::current_exception();
        }
        set_done(is_done);  // outside the handler: the exception is the caller's alone by then
    });
    wait_for(is_done);
    if (error) {
        std::rethrow_exception(error);
    }
    if constexpr (!std::is_void_v<Result>) {
        return std::move(*result);
    }
}

template <class Work>
auto LoopThread::call_or_do(Work&& work) {
    try {
        return call(work);
    } catch (const LoopEnded&) {
        return work();
    }
}

}  // namespace harness
