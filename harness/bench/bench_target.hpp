// BenchTarget is a bench's target: it starts, stops and resets it, puts its console and its ends
// among the bench's events, and knows whether it is ready. It owns the target; the clock, the loop,
// the lines and the events must outlive it.
//
// Thread rule: loop's thread only, or while the loop does not run; waits from any other thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "harness/bench/bench_lines.hpp"
#include "rig/target/process_target.hpp"

namespace harness {

/// The firmware process of a bench. On a simulated one it gets a wire; on a kernel bench its
/// environment says where its pins are.
struct TargetProcess {
    std::string program;
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> environment;
    /// A console line that contains it means ready; empty: ready once the board says hello on its
    /// wire, or as soon as it runs where it has none.
    std::string ready_text;
};

class BenchTarget {
  public:
    /// Starts nothing.
    BenchTarget(TargetProcess process, const rig::Clock& clock, Loop& loop, BenchLines& lines,
                BenchEvents& events);
    BenchTarget(const BenchTarget&) = delete;
    BenchTarget& operator=(const BenchTarget&) = delete;

    /// Starts it unless it runs. Throws what rig::Target::start() throws, as reset() does.
    void start();
    void reset();
    /// Asks it to end.
    void stop();
    /// Ends it by force.
    void stop_now();
    [[nodiscard]] bool is_running() const { return target_.is_running(); }
    /// 0: it does not run.
    [[nodiscard]] int pid() const { return target_.pid(); }

    /// Throws rig::TargetFailure with its console when it ends, or is not ready before the
    /// deadline.
    void wait_until_ready(rig::Deadline deadline, const Interrupted& interrupted) const;
    /// Returns at the deadline too, and when interrupted.
    void wait_until_ended(rig::Deadline deadline, const Interrupted& interrupted) const;

  private:
    void look();
    void take(const rig::ConsoleText& text);
    void take(const rig::TargetStarted& started);
    void take(const rig::TargetEnded& ended);
    void set_ready(bool is_ready);
    [[nodiscard]] std::string last_console() const;

    const TargetProcess process_;
    const rig::Clock& clock_;
    Loop& loop_;
    BenchLines& lines_;
    BenchEvents& events_;
    rig::ProcessTarget target_;
    DescriptorWatches watches_;
    Loop::TimerId timer_ = 0;

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool is_ready_ = false;             // guarded by mutex_
    bool is_running_ = false;           // guarded by mutex_: as far as its events have told
    std::string end_;                   // guarded by mutex_
    std::vector<std::string> console_;  // guarded by mutex_: since the last start
};

}  // namespace harness
