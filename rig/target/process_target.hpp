// ProcessTarget is a simulated board: a firmware program as a child process, with its pins on a
// wire (rig/line/WIRE.md) and its standard output and error as the console. It owns the process
// and everything in its process group: none of it outlives the object. When the rig itself is
// killed the kernel sends the program SIGTERM (PR_SET_PDEATHSIG) and its wire ends, so that a board
// can let go of its pins and say so before it goes. The clock must outlive it.
//
// Thread rule: one thread at a time. The kernel ends the child when the *thread* that called
// start() or reset() ends, so call them from one that lives as long as the bench. Limits: a child
// that the firmware itself forks and moves to another process group escapes, and a program that
// ignores SIGTERM and its wire outlives a killed rig.
// The console is a pipe, not a terminal: it needs no /dev/pts (which a chroot may lack), drops
// nothing when the process ends and echoes nothing. Firmware therefore line-buffers its stdout.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/base/unique_fd.hpp"
#include "rig/target/console.hpp"
#include "rig/target/target.hpp"

namespace rig {

/// What to run. The process inherits nothing but what stands here.
struct ProcessSpec {
    std::string program;                 ///< path with a slash; there is no search path
    std::vector<std::string> arguments;  ///< without the program's own name
    std::vector<std::pair<std::string, std::string>> environment;  ///< all of it
    std::string folder;  ///< working directory; empty: the rig's
    std::string remedy;  ///< what to do when `program` is missing, for people
    std::chrono::nanoseconds grace = std::chrono::seconds(2);  ///< from SIGTERM to SIGKILL
};

class ProcessTarget final : public Target {
  public:
    /// Makes a new wire and returns the board's end of it.
    using PlugWire = std::function<UniqueFd()>;

    /// The descriptor that the process finds its wire at; WWEP_WIRE_FD says so.
    static constexpr int wire_fd = 3;
    /// Bytes of console taken by one call of read(), at most.
    static constexpr std::size_t read_bytes_max = 65536;

    /// Starts nothing. `plug_wire` is called by every start(); empty: the program gets no wire.
    ProcessTarget(const Clock& clock, ProcessSpec spec, PlugWire plug_wire);
    ~ProcessTarget() override;
    ProcessTarget(const ProcessTarget&) = delete;
    ProcessTarget& operator=(const ProcessTarget&) = delete;

    /// Returns once the program is executing (or throws: it could not be executed). The text of
    /// the NoBench names the program, what the kernel said and spec.remedy.
    void start() override;
    void stop() override;
    /// SIGKILL to the process group, then waits for the process: a few milliseconds.
    void stop_now() noexcept override;
    void reset() override;
    [[nodiscard]] bool is_running() const override { return pid_ > 0; }
    [[nodiscard]] bool may_restart_unseen() const override { return false; }
    [[nodiscard]] std::vector<int> descriptors() const override;
    [[nodiscard]] bool read(std::vector<TargetEvent>& events) override;
    [[nodiscard]] TimestampNs next_deadline_ns() const override;

    /// Process ID; 0 when it does not run.
    [[nodiscard]] int pid() const { return pid_; }

  private:
    /// `taken`: it has ended and somebody else has reaped it, so its number may be another's.
    enum class ProcessState { none, running, ended, taken };

    void start_process();
    void end_process() noexcept;
    [[nodiscard]] ProcessState look() const noexcept;
    /// Whether there may be more.
    [[nodiscard]] bool read_console(std::size_t bytes_max);
    void do_what_is_due(TimestampNs now_ns);
    void kill_group(int signal_number) noexcept;
    void take_last_words_and_reap();
    void close_retired() noexcept;

    const Clock& clock_;
    const ProcessSpec spec_;
    const PlugWire plug_wire_;

    int pid_ = 0;
    UniqueFd process_;          // a pidfd
    UniqueFd retired_process_;  // left out of descriptors(), open until the next call
    Console console_;
    bool was_asked_ = false;
    TimestampNs kill_at_ns_ = 0;        // 0: no stop under way, or SIGKILL has been sent
    std::vector<TargetEvent> waiting_;  // for the next read()
};

}  // namespace rig
