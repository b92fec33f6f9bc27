#include "rig/target/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "rig/base/errors.hpp"

namespace rig {
namespace {

enum class Step : int { prepare, enter_folder, execute };

/// What the child writes to the report pipe when it cannot become the program.
struct Failure {
    Step step = Step::prepare;
    int error_number = 0;
};

/// Everything the child needs, made before the fork: between fork and exec no memory is allocated
/// and only async-signal-safe functions are called.
struct ChildPlan {
    const char* program;
    char* const* arguments;
    char* const* environment;
    const char* folder;  ///< null: stay
    int input;
    int console;
    int wire;  ///< -1: none
    int wire_at;
    int report;
    pid_t parent;
};

constexpr int exit_status_of_failed_child = 127;

[[noreturn]] void fail(int report, Step step) noexcept {
    const Failure failure{step, errno};
    const ssize_t written = ::write(report, &failure, sizeof failure);
    ::_exit(written == sizeof failure ? exit_status_of_failed_child : 126);
}

/// A handler of the rig would run in the child, and an ignored signal stays ignored in the
/// program (Python ignores SIGPIPE), so both go back to the default before anything arrives.
void forget_signals() noexcept {
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) {
        (void)::sigaction(number, &by_default, nullptr);  // Refused for SIGKILL and a few others.
    }
    sigset_t none;
    ::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Puts the wanted descriptors where the program expects them and closes all others.
[[nodiscard]] bool arrange_descriptors(ChildPlan& plan) noexcept {
    // First out of the way of the numbers that are about to be taken.
    const int free_from = plan.wire_at + 2;
    for (int* fd : {&plan.report, &plan.input, &plan.console, &plan.wire}) {
        if (*fd >= 0) {
            const int lifted = ::fcntl(*fd, F_DUPFD_CLOEXEC, free_from);
            if (lifted < 0) {
                return false;
            }
            *fd = lifted;
        }
    }
    if (::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(plan.console, STDOUT_FILENO) < 0 ||
        ::dup2(plan.console, STDERR_FILENO) < 0) {
        return false;
    }
    if (plan.wire >= 0 && ::dup2(plan.wire, plan.wire_at) < 0) {
        return false;
    }
    const int report_at = plan.wire_at + 1;
    if (::dup3(plan.report, report_at, O_CLOEXEC) < 0) {
        return false;
    }
    plan.report = report_at;
    if (plan.wire < 0) {
        ::close(plan.wire_at);
    }
    for (int between = STDERR_FILENO + 1; between < plan.wire_at; ++between) {
        ::close(between);
    }
    return ::close_range(static_cast<unsigned>(report_at) + 1, ~0U, 0) == 0;
}

[[noreturn]] void become_program(ChildPlan plan) noexcept {
    // A session of its own: Ctrl-C at the rig's terminal is the rig's, and the group can be killed.
    // SIGTERM when the rig dies, not SIGKILL: the board lets go of its pins first and can show it.
    if (::setsid() < 0 || ::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) {
        fail(plan.report, Step::prepare);
    }
    if (::getppid() != plan.parent) {
        ::_exit(exit_status_of_failed_child);  // The rig died before the kernel was told to watch.
    }
    forget_signals();
    if (!arrange_descriptors(plan)) {
        fail(plan.report, Step::prepare);
    }
    if (plan.folder != nullptr && ::chdir(plan.folder) != 0) {
        fail(plan.report, Step::enter_folder);
    }
    ::execve(plan.program, plan.arguments, plan.environment);
    fail(plan.report, Step::execute);
}

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};

Pipe make_pipe(const std::string& action) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw_system_error(errno, action);
    }
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

/// Blocks all signals of this thread while it lives, so that none is handled between fork and exec.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

void wait_for(pid_t pid) noexcept {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

/// glibc 2.36 declares pidfd_open() without C linkage, so C++ must ask the kernel itself.
int open_process(pid_t pid) {
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

/// Nothing: the program executes. The report pipe closes itself at that moment.
std::optional<Failure> read_report(int report) {
    Failure failure;
    ssize_t length = 0;
    do {
        length = ::read(report, &failure, sizeof failure);
    } while (length < 0 && errno == EINTR);
    if (length == sizeof failure) {
        return failure;
    }
    return std::nullopt;
}

[[noreturn]] void throw_failure(const SpawnOrder& order, const Failure& failure) {
    const std::string reason = std::generic_category().message(failure.error_number);
    switch (failure.step) {
        case Step::prepare:
            break;
        case Step::enter_folder:
            throw NoBench(fmt::format("enter folder {} to start firmware {}: {}", order.folder,
                                      order.program, reason));
        case Step::execute:
            if (failure.error_number == ENOENT && ::access(order.program.c_str(), F_OK) == 0) {
                throw NoBench(
                    fmt::format("start firmware {}: the interpreter or loader that it "
                                "names is missing",
                                order.program));
            }
            throw NoBench(fmt::format("start firmware {}: {}{}{}", order.program, reason,
                                      order.remedy.empty() ? "" : "; ", order.remedy));
    }
    throw_system_error(failure.error_number,
                       fmt::format("prepare a process for firmware {}", order.program));
}

}  // namespace

SpawnedProcess spawn(const SpawnOrder& order) {
    const std::string action = fmt::format("start firmware {}", order.program);
    std::vector<std::string> arguments{order.program};
    arguments.insert(arguments.end(), order.arguments.begin(), order.arguments.end());
    std::vector<std::string> environment;
    for (const auto& [name, value] : order.environment) {
        environment.push_back(fmt::format("{}={}", name, value));
    }
    const std::vector<char*> argument_pointers = pointers_to(arguments);
    const std::vector<char*> environment_pointers = pointers_to(environment);

    const UniqueFd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!input) {
        throw_system_error(errno, "open /dev/null");
    }
    Pipe console = make_pipe(action);
    Pipe report = make_pipe(action);
    if (::fcntl(console.read_end.get(), F_SETFL, O_NONBLOCK) != 0) {
        throw_system_error(errno, action);
    }
    const ChildPlan plan{
        .program = order.program.c_str(),
        .arguments = argument_pointers.data(),
        .environment = environment_pointers.data(),
        .folder = order.folder.empty() ? nullptr : order.folder.c_str(),
        .input = input.get(),
        .console = console.write_end.get(),
        .wire = order.wire,
        .wire_at = order.wire_at,
        .report = report.write_end.get(),
        .parent = ::getpid(),
    };

    pid_t pid = 0;
    {
        const SignalsBlocked blocked;
        pid = ::fork();
        if (pid == 0) {
            become_program(plan);
        }
        if (pid < 0) {
            throw_system_error(errno, action);
        }
    }
    report.write_end.reset();
    if (const auto failure = read_report(report.read_end.get())) {
        wait_for(pid);
        throw_failure(order, *failure);
    }
    UniqueFd process(open_process(pid));
    if (!process) {
        const int error_number = errno;
        ::kill(-pid, SIGKILL);
        wait_for(pid);
        throw_system_error(error_number, action);
    }
    return {pid, std::move(process), std::move(console.read_end)};
}

}  // namespace rig
