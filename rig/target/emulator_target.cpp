#include "rig/target/emulator_target.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <variant>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"
#include "rig/target/enclosure.hpp"

namespace rig {
namespace {

constexpr std::size_t complaints_max = 20;
constexpr std::size_t first_complaints = 5;
constexpr std::uint32_t ram = 0x2000'0000;
constexpr std::string_view lock_up = "qemu: fatal: Lockup";

// Where wwep-enclosure puts the descriptors that plug_in() sends, in its order.
constexpr int monitor_at = 4;
constexpr int events_at = 5;
constexpr int keys_at = 6;
constexpr int log_at = 7;
constexpr int seed_at = 8;
constexpr int link_at = 9;  // twice for each direction: one to hand frames over, one to take them

void refuse_missing(const std::string& path, int mode, std::string_view what,
                    const std::string& remedy) {
    if (::access(path.c_str(), mode) != 0) {
        throw Remedied<NoBench>(
            fmt::format("start the emulated board: there is no {} {}", what, path), remedy);
    }
}

std::array<UniqueFd, 2> make_socket_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw_system_error(errno, "make a socket to the emulated board");
    }
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// A named pipe, made anew, with room for much; both ends of it, so that it never ends.
UniqueFd open_pipe(const std::string& path) {
    constexpr int wanted_bytes = 1024 * 1024;
    ::unlink(path.c_str());
    if (::mkfifo(path.c_str(), S_IRUSR | S_IWUSR) != 0) {
        throw_system_error(errno, "make the pipe " + path);
    }
    UniqueFd pipe(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!pipe) {
        throw_system_error(errno, "open the pipe " + path);
    }
    static_cast<void>(::fcntl(pipe.get(), F_SETPIPE_SZ, wanted_bytes));
    return pipe;
}

UniqueFd make_seed() {
    std::array<std::byte, EmulatorTarget::seed_bytes> seed{};
    if (::getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size())) {
        throw_system_error(errno, "make a seed for the emulated board");
    }
    UniqueFd file(::memfd_create("seed", MFD_CLOEXEC));
    if (!file ||
        ::write(file.get(), seed.data(), seed.size()) != static_cast<ssize_t>(seed.size())) {
        throw_system_error(errno, "keep the seed of the emulated board");
    }
    return file;
}

ProcessSpec process_of(const EmulatorSpec& spec, std::vector<std::string> arguments) {
    return {.program = spec.helper,
            .arguments = std::move(arguments),
            .environment = {},
            .folder = {},
            .remedy = "build the rig with ci/build"};
}

/// A path in one of QEMU's comma-separated options.
std::string escaped(const std::string& path) {
    std::string result;
    for (const char c : path) {
        result += c == ',' ? ",," : std::string(1, c);
    }
    return result;
}

}  // namespace

EmulatorTarget::EmulatorTarget(const Clock& clock, EmulatorSpec spec, PlugLines plug_lines)
    : clock_(clock),
      spec_(std::move(spec)),
      plug_lines_(std::move(plug_lines)),
      process_(clock, process_of(spec_, arguments()), [this] { return plug_in(); }),
      console_(clock) {}

std::vector<std::string> EmulatorTarget::arguments() const {
    const bool is_enclosed = spec_.user_namespace >= 0;
    std::string network = fmt::format("user,model=stellaris,id=n0,mac={}{}", spec_.mac,
                                      is_enclosed ? "" : ",restrict=on");
    for (const ForwardedPort& each : spec_.forwarded) {
        network += fmt::format(",hostfwd=tcp:{}:{}-:{}", each.address, each.port, each.board_port);
    }
    const auto monitor = [](const char* name, int fd) {
        return std::vector<std::string>{"-chardev", fmt::format("socket,id={},fd={}", name, fd),
                                        "-mon", fmt::format("chardev={},mode=control", name)};
    };
    std::vector<std::string> result{"run", is_enclosed ? "enclosed" : "open", spec_.emulator};
    const auto add = [&](std::vector<std::string> words) {
        result.insert(result.end(), std::make_move_iterator(words.begin()),
                      std::make_move_iterator(words.end()));
    };
    add({"-nodefaults", "-no-user-config", "-M", "lm3s6965evb", "-display", "none"});
    // The processor stands still until everything listens.
    add({"-S", "-kernel", spec_.image});
    // A pipe holds what the firmware prints byte by byte; a socket would be full after 300 of them,
    // and QEMU waits, deaf to QMP, until there is room.
    add({"-chardev", "pipe,id=console,path=" + escaped(console_path()), "-serial",
         "chardev:console"});
    add(monitor("monitor", monitor_at));
    add(monitor("events", events_at));
    add(monitor("keys", keys_at));
    add({"-msg", "timestamp=on", "-d", "trace:pl061_set_output", "-D",
         fmt::format("/dev/fd/{}", log_at)});
    add({"-nic", network});
    for (std::size_t i = 0; i < LinkRelay::queues.size(); ++i) {
        const int fd = link_at + 2 * static_cast<int>(i);
        add({"-chardev", fmt::format("socket,id=from-link{},fd={}", i, fd), "-chardev",
             fmt::format("socket,id=to-link{},fd={}", i, fd + 1), "-object",
             fmt::format("filter-redirector,id=link{0},netdev=n0,queue={1},status=off,"
                         "outdev=from-link{0},indev=to-link{0}",
                         i, LinkRelay::queues.at(i))});
    }
    add({"-device", fmt::format("loader,file=/dev/fd/{},addr={:#x},force-raw=on", seed_at, ram)});
    for (const LoadedFile& each : spec_.loaded) {
        add({"-device",
             fmt::format("loader,file={},addr={:#x},force-raw=on", escaped(each.path), each.at)});
    }
    if (spec_.speed == EmulatorSpeed::mcu) {
        add({"-icount", "shift=4,align=on"});
    }
    return result;
}

std::string EmulatorTarget::console_path() const {
    return spec_.folder + "/console";
}

UniqueFd EmulatorTarget::plug_in() {
    auto [our_wire, its_wire] = make_socket_pair();
    auto [our_monitor, its_monitor] = make_socket_pair();
    const UniqueFd seed = make_seed();
    const QemuPlug lines = plug_lines_();
    const std::array<UniqueFd, 2> its_link = relay_.plug_in();
    std::vector<int> descriptors;
    if (spec_.user_namespace >= 0) {
        descriptors = {spec_.user_namespace, spec_.network_namespace};
    }
    for (const UniqueFd* const each : std::initializer_list<const UniqueFd*>{
             &its_monitor, &lines.events, &lines.keys, &lines.log, &seed, &its_link[0],
             &its_link[0], &its_link[1], &its_link[1]}) {
        descriptors.push_back(each->get());
    }
    send_descriptors(our_wire.get(), descriptors);
    console_.open(open_pipe(console_path() + ".out"));
    console_.forget();
    typed_ = open_pipe(console_path() + ".in");
    monitor_.emplace(std::move(our_monitor));
    is_relayed_ = false;
    if (has_link_faults_) {
        send_frames_through_relay();
    }
    monitor_->send(R"({"execute":"cont"})");
    return std::move(its_wire);
}

void EmulatorTarget::start() {
    console_.close_retired();
    if (is_running()) {
        return;
    }
    refuse_missing(spec_.emulator, X_OK, "QEMU", "install Debian's qemu-system-arm");
    refuse_missing(spec_.image, R_OK, "image", "build it with build-app --port lm3s6965");
    complaints_.clear();
    is_paused_ = false;
    process_.start();
}

void EmulatorTarget::stop() {
    console_.close_retired();
    process_.stop();
}

void EmulatorTarget::stop_now() noexcept {
    console_.close_retired();
    process_.stop_now();
}

void EmulatorTarget::reset() {
    console_.close_retired();
    if (!is_running()) {
        start();
        return;
    }
    // It stands still meanwhile, so that what is on the console is the old run's: the new one may
    // speak within microseconds.
    const auto deadline = Deadline::after(clock_, answer_within);
    if (!monitor_->call(R"({"execute":"stop"})", clock_, deadline)) {
        return;  // it has just died, which read() will say
    }
    while (read_console(read_bytes_max)) {
    }
    console_.flush(waiting_);
    monitor_->send(R"({"execute":"system_reset"})");
    if (!monitor_->wait_for_event("RESET", clock_, deadline)) {
        return;
    }
    waiting_.emplace_back(TargetStarted{clock_.monotonic_ns(), process_.pid()});
    if (!is_paused_) {
        monitor_->send(R"({"execute":"cont"})");
    }
}

void EmulatorTarget::command(const std::string& json) {
    if (!is_running() || !monitor_ ||
        !monitor_->call(json, clock_, Deadline::after(clock_, answer_within))) {
        throw RigError(
            fmt::format("the emulated board does not run, so it cannot be told {}", json));
    }
}

void EmulatorTarget::pause() {
    command(R"({"execute":"stop"})");
    is_paused_ = true;
}

void EmulatorTarget::go_on() {
    command(R"({"execute":"cont"})");
    is_paused_ = false;
}

void EmulatorTarget::set_link(bool is_up) {
    command(fmt::format(R"({{"execute":"set_link","arguments":{{"name":"n0","up":{}}}}})", is_up));
}

void EmulatorTarget::send_frames_through_relay() {
    for (std::size_t i = 0; i < LinkRelay::queues.size(); ++i) {
        monitor_->send(
            fmt::format(R"({{"execute":"qom-set","arguments":{{"path":"/objects/link{}",)"
                        R"("property":"status","value":"on"}}}})",
                        i));
    }
    is_relayed_ = true;
}

void EmulatorTarget::set_link_faults(const LinkFaults& faults) {
    relay_.set_faults(faults, clock_.monotonic_ns());
    has_link_faults_ = true;
    if (is_running() && monitor_ && !is_relayed_) {
        send_frames_through_relay();
        command(R"({"execute":"query-status"})");  // its answer comes after theirs
    }
}

LinkCounts EmulatorTarget::end_link_faults() {
    const LinkCounts counts = relay_.counts();
    relay_.set_faults({}, clock_.monotonic_ns());
    has_link_faults_ = false;
    return counts;
}

void EmulatorTarget::type(const std::string& line) {
    const std::string bytes = line + "\n";
    if (!is_running() || !typed_) {
        throw RigError("the emulated board does not run, so nothing can be typed on its console");
    }
    if (::write(typed_.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        throw_system_error(errno, "type on the emulated board's console");
    }
}

// What it does ------------------------------------------------------------------------------------

std::vector<int> EmulatorTarget::descriptors() const {
    std::vector<int> result = process_.descriptors();
    if (console_.is_open()) {
        result.push_back(console_.fd());
    }
    const std::vector<int> of_link = relay_.descriptors();
    result.insert(result.end(), of_link.begin(), of_link.end());
    return result;
}

bool EmulatorTarget::read(std::vector<TargetEvent>& events) {
    console_.close_retired();
    std::vector<TargetEvent> of_process;
    bool may_have_more = process_.read(of_process);
    may_have_more = read_console(read_bytes_max) || may_have_more;
    may_have_more = relay_.pass_on(clock_.monotonic_ns()) || may_have_more;
    for (TargetEvent& event : of_process) {
        take(std::move(event));
    }
    console_.flush_if_due(waiting_);
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(events));
    waiting_.clear();
    return may_have_more;
}

TimestampNs EmulatorTarget::next_deadline_ns() const {
    return earliest_ns(
        {process_.next_deadline_ns(), console_.flush_at_ns(), relay_.next_deadline_ns()});
}

bool EmulatorTarget::read_console(std::size_t bytes_max) {
    const Console::ReadResult result = console_.read(bytes_max, waiting_);
    if (result.end) {
        console_.retire();
    }
    return result.may_have_more;
}

void EmulatorTarget::take(TargetEvent event) {
    if (auto* const text = std::get_if<ConsoleText>(&event)) {
        complaints_.push_back(std::move(text->text));
        if (complaints_.size() > complaints_max) {
            complaints_.erase(complaints_.begin() + first_complaints);
        }
    } else if (auto* const ended = std::get_if<TargetEnded>(&event)) {
        take_end(std::move(*ended));
    } else {
        waiting_.push_back(std::move(event));
    }
}

void EmulatorTarget::take_end(TargetEnded ended) {
    while (read_console(read_bytes_max)) {
    }
    console_.flush(waiting_);
    monitor_.reset();
    relay_.unplug();
    typed_.reset();
    console_.retire();
    const auto locked_up =
        std::find_if(complaints_.begin(), complaints_.end(),
                     [](const std::string& line) { return line.starts_with(lock_up); });
    if (locked_up != complaints_.end()) {
        ended.how = fmt::format("its processor locked up ({})", *locked_up);
        ended.was_asked = false;
    } else if (!ended.was_asked) {
        waiting_.emplace_back(CarrierFailed{
            ended.at_ns,
            fmt::format("QEMU, which is the board, {}; it said: {}", ended.how,
                        complaints_.empty() ? "nothing"
                                            : fmt::format("{}", fmt::join(complaints_, " | ")))});
    }
    waiting_.emplace_back(std::move(ended));
}

}  // namespace rig
