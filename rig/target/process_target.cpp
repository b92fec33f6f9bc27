#include "rig/target/process_target.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "rig/base/deadline.hpp"
#include "rig/target/spawn.hpp"

namespace rig {
namespace {

constexpr std::size_t pipe_bytes = 16'384;  // where the kernel does not say

std::string how_it_ended(const siginfo_t& status) {
    if (status.si_code == CLD_EXITED) {
        return fmt::format("exited with status {}", status.si_status);
    }
    const char* abbreviation = ::sigabbrev_np(status.si_status);
    return fmt::format("killed by signal {}{}{}", status.si_status,
                       abbreviation == nullptr ? "" : fmt::format(" (SIG{})", abbreviation),
                       status.si_code == CLD_DUMPED ? ", core dumped" : "");
}

bool is_crash(const siginfo_t& status) {
    return status.si_code != CLD_EXITED && status.si_status != SIGTERM &&
           status.si_status != SIGKILL;
}

/// waitid() on a pidfd. Returns an errno value, 0 for success.
int wait_on(int process, int options, siginfo_t& status) {
    for (;;) {
        status = {};
        if (::waitid(P_PIDFD, static_cast<id_t>(process), &status, WEXITED | options) == 0) {
            return 0;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
}

}  // namespace

ProcessTarget::ProcessTarget(const Clock& clock, ProcessSpec spec, PlugWire plug_wire)
    : clock_(clock), spec_(std::move(spec)), plug_wire_(std::move(plug_wire)), console_(clock) {}

ProcessTarget::~ProcessTarget() {
    stop_now();
}

void ProcessTarget::start() {
    close_retired();
    if (!is_running()) {
        start_process();
    }
}

void ProcessTarget::start_process() {
    const UniqueFd wire = plug_wire_ ? plug_wire_() : UniqueFd();
    std::vector<std::pair<std::string, std::string>> environment;
    if (wire) {
        environment.emplace_back("WWEP_WIRE_FD", std::to_string(wire_fd));
    }
    environment.insert(environment.end(), spec_.environment.begin(), spec_.environment.end());

    SpawnedProcess spawned = spawn({.program = spec_.program,
                                    .arguments = spec_.arguments,
                                    .environment = environment,
                                    .folder = spec_.folder,
                                    .remedy = spec_.remedy,
                                    .wire = wire.get(),
                                    .wire_at = wire_fd});
    pid_ = spawned.pid;
    process_ = std::move(spawned.process);
    console_.open(std::move(spawned.console));
    console_.forget();
    was_asked_ = false;
    kill_at_ns_ = 0;
    waiting_.emplace_back(TargetStarted{clock_.monotonic_ns(), pid_});
}

void ProcessTarget::stop() {
    close_retired();
    if (was_asked_ || look() != ProcessState::running) {
        return;  // What has ended by itself is not asked any more.
    }
    was_asked_ = true;
    kill_at_ns_ = clock_.monotonic_ns() + spec_.grace.count();
    kill_group(SIGTERM);
}

void ProcessTarget::stop_now() noexcept {
    close_retired();
    end_process();
}

void ProcessTarget::end_process() noexcept {
    const ProcessState state = look();
    if (state == ProcessState::none) {
        return;
    }
    was_asked_ = was_asked_ || state == ProcessState::running;
    if (state != ProcessState::taken) {
        kill_group(SIGKILL);
        siginfo_t status{};
        (void)wait_on(process_.get(), WNOWAIT, status);
    }
    take_last_words_and_reap();
}

void ProcessTarget::reset() {
    close_retired();
    end_process();
    start_process();
}

std::vector<int> ProcessTarget::descriptors() const {
    std::vector<int> descriptors;
    if (console_.is_open()) {
        descriptors.push_back(console_.fd());
    }
    if (process_) {
        descriptors.push_back(process_.get());
    }
    return descriptors;
}

bool ProcessTarget::read(std::vector<TargetEvent>& events) {
    close_retired();
    bool may_have_more = false;
    // Looked at before the console: if it has ended now, all that it printed is in the pipe.
    const ProcessState state = look();
    if (state == ProcessState::running) {
        may_have_more = read_console(read_bytes_max);
        do_what_is_due(clock_.monotonic_ns());
    } else if (state != ProcessState::none) {
        if (state == ProcessState::ended) {
            kill_group(SIGKILL);  // What it left behind in its group goes with it.
        }
        take_last_words_and_reap();
    }
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(events));
    waiting_.clear();
    return may_have_more;
}

TimestampNs ProcessTarget::next_deadline_ns() const {
    return earliest_ns({kill_at_ns_, console_.flush_at_ns()});
}

ProcessTarget::ProcessState ProcessTarget::look() const noexcept {
    if (pid_ == 0) {
        return ProcessState::none;
    }
    siginfo_t status{};
    if (wait_on(process_.get(), WNOHANG | WNOWAIT, status) != 0) {
        return ProcessState::taken;
    }
    return status.si_pid == 0 ? ProcessState::running : ProcessState::ended;
}

bool ProcessTarget::read_console(std::size_t bytes_max) {
    const Console::ReadResult result = console_.read(bytes_max, waiting_);
    if (result.end) {
        // Nobody holds the other end any more, though the process may live on. Nothing else can go
        // wrong with a pipe, and clean-up comes this way, so it must not throw.
        console_.retire();
    }
    return result.may_have_more;
}

void ProcessTarget::do_what_is_due(TimestampNs now_ns) {
    if (kill_at_ns_ != 0 && now_ns >= kill_at_ns_) {
        kill_at_ns_ = 0;
        kill_group(SIGKILL);
    }
    console_.flush_if_due(waiting_);
}

void ProcessTarget::kill_group(int signal_number) noexcept {
    // The process is ours and not reaped, so neither its number nor its group's can be another's.
    (void)::kill(-pid_, signal_number);
}

void ProcessTarget::close_retired() noexcept {
    console_.close_retired();
    retired_process_.reset();
}

void ProcessTarget::take_last_words_and_reap() {
    if (console_.is_open()) {
        // As much as the pipe holds and no more: something that left the group may still write.
        const int capacity = ::fcntl(console_.fd(), F_GETPIPE_SZ);
        (void)read_console(std::max(static_cast<std::size_t>(std::max(capacity, 0)), pipe_bytes));
    }
    console_.flush(waiting_);

    TargetEnded ended{clock_.monotonic_ns(), {}, was_asked_};
    siginfo_t status{};
    if (wait_on(process_.get(), 0, status) == 0) {
        ended.how = how_it_ended(status);
        ended.was_asked = was_asked_ && !is_crash(status);
    } else {
        ended.how = "ended; its status was taken by another part of this program";
    }
    waiting_.emplace_back(std::move(ended));
    pid_ = 0;
    retired_process_ = std::move(process_);
    console_.retire();
    kill_at_ns_ = 0;
}

}  // namespace rig
