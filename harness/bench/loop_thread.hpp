// LoopThread is the loop and the thread that runs it. It owns both; the clock must outlive it.
//
// Thread rule: call() from any thread but the loop's own; the rest from the thread that made it.
#pragma once

#include <exception>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <variant>

#include "harness/loop/loop.hpp"

namespace harness {

class LoopThread {
  public:
    explicit LoopThread(const rig::Clock& clock) : loop_(clock) {}
    ~LoopThread() { stop(); }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;

    [[nodiscard]] Loop& loop() { return loop_; }

    /// Starts the thread. `failed` is called on it when the loop ends by itself, and says why.
    void start(std::function<void(const std::string&)> failed);
    [[nodiscard]] bool is_started() const { return thread_.joinable(); }
    /// Ends the loop once the work posted before is done, and waits for the thread's end.
    void stop();

    /// Does `work` on the loop's thread and returns, or throws, what it did.
    template <class Work>
    auto call(Work&& work);

  private:
    void run(const std::function<void(const std::string&)>& failed);

    Loop loop_;
    std::thread thread_;  // last: the loop exists while it runs
};

template <class Work>
auto LoopThread::call(Work&& work) {
    using Result = std::invoke_result_t<Work>;
    std::optional<std::conditional_t<std::is_void_v<Result>, std::monostate, Result>> result;
    std::exception_ptr error;
    std::promise<void> promise;
    const auto done = promise.get_future();
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
        promise.set_value();  // outside the handler: the exception is the caller's alone by then
    });
    done.wait();
    if (error) {
        std::rethrow_exception(error);
    }
    if constexpr (!std::is_void_v<Result>) {
        return std::move(*result);
    }
}

}  // namespace harness
