// BenchTarget is a bench's target: it starts, stops and resets it, puts its console and its ends
// among the bench's events, and knows whether it is ready. It owns the target; the clock, the loop,
// the lines and the events must outlive it.
//
// Thread rule: loop's thread only, or while the loop does not run; waits from any other thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/bench/bench_lines.hpp"
#include "rig/target/emulator_target.hpp"
#include "rig/target/process_target.hpp"
#include "rig/target/serial_port.hpp"

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

/// A real board. Whoever switches its power or resets it says so: BenchTarget::start(), reset()
/// and stop().
struct TargetBoard {
    std::optional<rig::SerialPort> console;
    /// As for TargetProcess; a connection to the server means ready too. Empty: ready at once.
    std::string ready_text;
};

/// An emulated board.
struct TargetEmulator {
    rig::EmulatorSpec spec;          ///< without the namespaces, which the bench makes
    std::string ready_text;          ///< as for TargetProcess; its buttons are primed by then
    std::vector<std::string> names;  ///< that its name server knows
};

class BenchTarget {
  public:
    /// Starts nothing.
    BenchTarget(const TargetProcess& process, const rig::Clock& clock, Loop& loop,
                BenchLines& lines, BenchEvents& events);
    BenchTarget(const TargetBoard& board, const rig::Clock& clock, Loop& loop, BenchLines& lines,
                BenchEvents& events);
    BenchTarget(const TargetEmulator& emulator, const rig::Clock& clock, Loop& loop,
                BenchLines& lines, BenchEvents& events);
    BenchTarget(const BenchTarget&) = delete;
    BenchTarget& operator=(const BenchTarget&) = delete;

    /// Starts it unless it runs. Throws what rig::Target::start() throws, as reset() does.
    void start();
    void reset();
    /// Asks it to end.
    void stop();
    /// Ends it by force.
    void stop_now();
    [[nodiscard]] bool is_running() const { return target_->is_running(); }
    /// What only an emulated board can do. Throws rig::NoBench for any other.
    [[nodiscard]] rig::EmulatorTarget& emulator() const;
    /// As the emulated board's.
    void set_link_faults(const rig::LinkFaults& faults);
    rig::LinkCounts end_link_faults();
    /// 0: it does not run, or is no process.
    [[nodiscard]] int pid() const { return static_cast<int>(pid_); }

    /// Throws rig::TargetFailure with its console when it ends, or is not ready before the
    /// deadline.
    void wait_until_ready(rig::Deadline deadline, const Interrupted& interrupted) const;
    /// Returns at the deadline too, and when interrupted.
    void wait_until_ended(rig::Deadline deadline, const Interrupted& interrupted) const;

  private:
    BenchTarget(std::unique_ptr<rig::Target> target, std::string ready_text,
                const rig::Clock& clock, Loop& loop, BenchLines& lines, BenchEvents& events);

    void look();
    void take(const rig::ConsoleText& text);
    void take(const rig::TargetStarted& started);
    void take(const rig::TargetEnded& ended);
    void take(const rig::ConsoleChanged& change);
    void take(const rig::CarrierFailed& failure);
    void take_ready_text(TimestampNs at_ns);
    void take_hello();
    void set_ready(bool is_ready);
    [[nodiscard]] std::string last_console() const;
    [[nodiscard]] std::string boot_loop() const;

    const std::string ready_text_;
    rig::EmulatorTarget* emulator_ = nullptr;  // target_, if it is that
    const rig::Clock& clock_;
    Loop& loop_;
    BenchLines& lines_;
    BenchEvents& events_;
    const std::unique_ptr<rig::Target> target_;
    std::int64_t pid_ = 0;
    DescriptorWatches watches_;
    Loop::TimerId timer_ = 0;

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool is_ready_ = false;             // guarded by mutex_
    bool is_running_ = false;           // guarded by mutex_: as far as its events have told
    bool has_said_ready_ = false;       // guarded by mutex_: since the last start
    bool has_said_hello_ = false;       // guarded by mutex_: likewise, its lines
    std::string end_;                   // guarded by mutex_
    std::vector<std::string> console_;  // guarded by mutex_: since the last start
    std::string first_line_;            // guarded by mutex_: of the console since the last start
    int first_line_count_ = 0;          // guarded by mutex_: how often it has come
};

}  // namespace harness
