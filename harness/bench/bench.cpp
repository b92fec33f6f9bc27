#include "harness/bench/bench.hpp"

#include <fmt/format.h>

#include <exception>
#include <map>
#include <thread>
#include <utility>
#include <variant>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

using namespace std::chrono_literals;

constexpr auto shut_down_margin = 500ms;
constexpr auto connections_counted_every = 2ms;
/// From the cut of its wire; a board that takes longer is ended by force.
constexpr auto board_ends_within = 300ms;

RecordingPlace recording_place(const BenchOptions& options) {
    const auto existing = options.go_on_with_recording  ? ExistingFile::go_on
                          : options.overwrite_recording ? ExistingFile::overwrite
                                                        : ExistingFile::refuse;
    return {.path = options.recording_path, .existing = existing, .run = options.run};
}

std::map<std::string, TrackedButton> pairings(const std::optional<rig::BenchFile>& bench_file) {
    std::map<std::string, TrackedButton> result;
    if (bench_file) {
        for (const auto& [button, contract] : bench_file->target.contract.buttons) {
            result[button] = {.led = contract.led, .secure = contract.secure};
        }
    }
    return result;
}

TargetBoard board_of(const rig::TargetSpec& spec) {
    TargetBoard board{.console = std::nullopt, .ready_text = spec.ready};
    if (spec.console) {
        board.console = {.path = spec.console->port, .baud = spec.console->baud};
    }
    return board;
}

/// Between two of them the loop does what else there is, and whoever waits may break off.
constexpr auto loopback_slice = 50ms;

constexpr const char* missing_target =
    "this bench has no target that the rig could start: no firmware was named for it";

}  // namespace

Bench::Bench(BenchOptions options, const rig::Clock& clock, const TlsLibrary& tls_library)
    : clock_(clock),
      options_(std::move(options)),
      events_(clock, recording_place(options_), pairings(options_.bench_file)),
      loop_thread_(clock) {
    if (!options_.registers_file.empty()) {
        registers_ = RegisterFile::open(options_.registers_file);
    }
    Loop& loop = loop_thread_.loop();
    loop.on_error([this](const std::exception& error) { events_.note_error(error.what()); });
    ServerOptions server = options_.server;
    server.bound_sockets = enclosed_sockets();
    server_ = std::make_unique<Server>(loop, events_, registers_, tls_library, std::move(server));
    plain_endpoints_ = server_->plain_endpoints();
    tls_endpoints_ = server_->tls_endpoints();
    if (options_.bench_file) {
        lines_ = std::make_unique<BenchLines>(*options_.bench_file, clock, loop, events_);
    }
    make_target();
    loop_thread_.start([this](const LoopEnded& failure) {
        events_.note_error(failure.what());
        release_in_loop();
    });
}

std::vector<BoundSocket> Bench::enclosed_sockets() {
    if (!options_.emulator || !options_.emulator->spec.forwarded.empty()) {
        return {};
    }
    const std::uint16_t plain_port = options_.server.plain_port.value_or(0);
    const std::uint16_t tls_port = options_.server.tls_port.value_or(0);
    enclosure_ = std::make_unique<rig::Enclosure>(
        options_.emulator->spec.helper, emulated_server_address,
        std::vector<rig::EnclosedPlace>{
            {.address = emulated_server_address, .port = plain_port},
            {.address = emulated_server_address, .port = tls_port},
            {.address = "127.0.0.1", .port = emulated_name_port, .is_udp = true},
            {.address = "127.0.0.1", .port = emulated_time_port, .is_udp = true}},
        clock_);
    board_network_ =
        std::make_unique<BoardNetwork>(loop_thread_.loop(), events_,
                                       BoardNetworkOptions{.name_socket = enclosure_->socket(2),
                                                           .time_socket = enclosure_->socket(3),
                                                           .names = options_.emulator->names,
                                                           .address = emulated_server_address});
    std::vector<BoundSocket> sockets;
    if (options_.server.plain_port) {
        sockets.push_back({.fd = enclosure_->socket(0)});
    }
    if (options_.server.tls_port) {
        sockets.push_back({.fd = enclosure_->socket(1), .is_secure = true});
    }
    return sockets;
}

void Bench::make_target() {
    Loop& loop = loop_thread_.loop();
    if ((options_.target || options_.emulator) && lines_ == nullptr) {
        throw rig::NoBench("a target needs a bench file: it says which lines it is wired to");
    }
    if (options_.target) {
        target_ = std::make_unique<BenchTarget>(*options_.target, clock_, loop, *lines_, events_);
    } else if (options_.emulator) {
        TargetEmulator emulator = *options_.emulator;
        if (enclosure_ != nullptr) {
            emulator.spec.user_namespace = enclosure_->user_namespace();
            emulator.spec.network_namespace = enclosure_->network_namespace();
        }
        target_ = std::make_unique<BenchTarget>(emulator, clock_, loop, *lines_, events_);
    } else if (options_.bench_file && options_.bench_file->kind == rig::BenchKind::board) {
        target_ = std::make_unique<BenchTarget>(board_of(options_.bench_file->target), clock_, loop,
                                                *lines_, events_);
    }
}

Bench::~Bench() {
    close();
}

template <class Work>
auto Bench::call(Work&& work) {
    // Looked at before the lock too, so that callers without end cannot keep close() from it.
    const auto refuse_if_closing = [this] {
        if (is_closing_) {
            throw rig::RigError("the bench is closed");
        }
    };
    refuse_if_closing();
    const std::shared_lock lock(calls_);
    refuse_if_closing();
    return loop_thread_.call(std::forward<Work>(work));
}

void Bench::close() {
    const std::lock_guard closing(closing_);
    if (!loop_thread_.is_started()) {
        return;
    }
    is_closing_ = true;
    const std::unique_lock no_call_goes_on(calls_);
    // The board sees that its buttons are released, then that its wire is cut, and ends by itself.
    loop_thread_.call_or_do([this] {
        release_in_loop();
        if (lines_ != nullptr) {
            lines_->unplug_wire();
        }
    });
    if (target_ != nullptr && lines_->are_on_a_wire() && !loop_thread_.has_failed()) {
        target_->wait_until_ended(rig::Deadline::after(clock_, board_ends_within), nullptr);
    }
    loop_thread_.call_or_do([this] { close_in_loop(); });
    const auto drained =
        rig::Deadline::after(clock_, options_.server.limits.drain_timeout + shut_down_margin);
    while (loop_thread_.call_or_do([this] { return server_->connections_open(); }) > 0 &&
           !loop_thread_.has_failed() && !drained.has_passed(clock_)) {
        std::this_thread::sleep_for(connections_counted_every);
    }
    loop_thread_.stop();
    if (lines_ != nullptr) {
        lines_->close();
    }
    server_.reset();
    board_network_.reset();
    events_.close_recording();
}

void Bench::close_in_loop() {
    if (target_ != nullptr) {
        target_->stop_now();
    }
    if (lines_ != nullptr) {
        lines_->end_watch();
    }
    server_->shut_down();
}

// Lines -------------------------------------------------------------------------------------------

BenchLines& Bench::lines() const {
    if (lines_ == nullptr) {
        throw rig::NoBench("this bench has no lines: it was opened without a bench file");
    }
    return *lines_;
}

std::vector<std::string> Bench::names_of(rig::Direction direction) const {
    std::vector<std::string> names;
    if (options_.bench_file) {
        for (const rig::LineSpec& spec : options_.bench_file->lines) {
            if (spec.direction == direction && !options_.bench_file->controls_target(spec.name)) {
                names.push_back(spec.name);
            }
        }
    }
    return names;
}

std::vector<std::string> Bench::buttons() const {
    return names_of(rig::Direction::output);
}

std::vector<std::string> Bench::leds() const {
    return names_of(rig::Direction::input);
}

PressId Bench::start_press(const std::string& button, std::chrono::nanoseconds hold,
                           const std::string& profile) {
    return call([&] { return lines().press(button, hold, profile); });
}

RoundTrip Bench::round_trip(PressId id) const {
    return events_.round_trip(id);
}

bool Bench::wait_trip(PressId id, Until until, rig::Deadline deadline,
                      const Interrupted& interrupted) {
    return events_.wait_trip(id, until, deadline, interrupted);
}

void Bench::release_buttons() {
    call([this] { release_in_loop(); });
}

void Bench::release_button(const std::string& button) {
    call([&] { lines().release_button(button); });
}

void Bench::release_in_loop() {
    if (lines_ != nullptr) {
        lines_->release_buttons();
    }
}

void Bench::set_line(const std::string& line, bool active) {
    call([&] { lines().set_line(line, active); });
}

bool Bench::led_is_on(const std::string& led) {
    return call([&] { return lines().led_is_on(led); });
}

bool Bench::wait_led(const std::string& led, bool on, rig::Deadline deadline,
                     const Interrupted& interrupted) {
    const Cursor cursor = timeline().end();  // before the look: no edge falls between the two
    if (led_is_on(led) == on) {
        return true;
    }
    const rig::Active active = call([&] { return lines().led_active(led); });
    return timeline().wait(
        cursor, deadline,
        [&](const Event& event) {
            const auto* const edge = std::get_if<EdgeSeen>(&event);
            return edge != nullptr && edge->line == led &&
                   rig::is_active(edge->level, active) == on;
        },
        interrupted);
}

rig::LedWindow Bench::led_window(const std::string& led, TimestampNs from_ns,
                                 TimestampNs until_ns) {
    return call([&] {
        lines().look_at_rest();  // what the kernel holds belongs to the window, read or not
        return lines().led_window(led, from_ns, until_ns);
    });
}

rig::LoopbackReport Bench::measure_loopback(const std::string& button, const std::string& led,
                                            std::size_t samples,
                                            const LoopbackInterrupted& interrupted) {
    call([&] { lines().begin_loopback(button, led, samples); });
    std::size_t settings_done = 0;
    do {
        settings_done = call([&] { return lines().go_on_with_loopback(loopback_slice); });
    } while (!(interrupted && interrupted(settings_done)) && settings_done < samples);
    return call([this] { return lines().end_loopback(); });
}

// Target ------------------------------------------------------------------------------------------

BenchTarget& Bench::target() const {
    if (target_ == nullptr) {
        throw rig::NoBench(missing_target);
    }
    return *target_;
}

void Bench::start_target(rig::Deadline deadline, const Interrupted& interrupted) {
    call([this] { target().start(); });
    target().wait_until_ready(deadline, interrupted);
}

void Bench::reset_target(rig::Deadline deadline, const Interrupted& interrupted) {
    call([this] { target().reset(); });
    target().wait_until_ready(deadline, interrupted);
}

void Bench::cut_target_power() {
    call([this] { target().stop_now(); });
}

void Bench::pause_target() {
    call([this] { target().emulator().pause(); });
}

void Bench::resume_target() {
    call([this] { target().emulator().go_on(); });
}

void Bench::set_target_link(bool is_up) {
    call([&] {
        target().emulator().set_link(is_up);
        events_.note(is_up ? "the network cable is plugged in" : "the network cable is pulled");
    });
}

void Bench::set_link_faults(const rig::LinkFaults& faults) {
    call([&] { target().set_link_faults(faults); });
}

rig::LinkCounts Bench::end_link_faults() {
    return call([this] { return target().end_link_faults(); });
}

rig::LinkCounts Bench::link_counts() {
    return call([this] { return target().emulator().link_counts(); });
}

void Bench::type_on_console(const std::string& line) {
    call([&] { target().emulator().type(line); });
}

BoardNetwork& Bench::board_network() const {
    if (board_network_ == nullptr) {
        throw rig::NoBench(
            "this bench is not its target's name and time server: only an emulated board that is a "
            "client asks the rig for names and the time");
    }
    return *board_network_;
}

void Bench::set_name_lie(const NameLie& lie) {
    call([&] { board_network().set_name_lie(lie); });
}

void Bench::set_time_lie(const TimeLie& lie) {
    call([&] { board_network().set_time_lie(lie); });
}

void Bench::board_begins() {
    call([this] { target().reset(); });
}

void Bench::board_ends() {
    call([this] { target().stop(); });
}

void Bench::wait_target_ready(rig::Deadline deadline, const Interrupted& interrupted) {
    target().wait_until_ready(deadline, interrupted);
}

void Bench::stop_target(const Interrupted& interrupted) {
    const bool is_asked = call([this] {
        if (target_ != nullptr) {
            target_->stop();
        }
        return target_ != nullptr;
    });
    if (is_asked) {
        target_->wait_until_ended(rig::Deadline::never(), interrupted);
    }
}

bool Bench::target_is_running() {
    return call([this] { return target_ != nullptr && target_->is_running(); });
}

int Bench::target_pid() {
    return call([this] { return target_ != nullptr ? target_->pid() : 0; });
}

// Server and recording ----------------------------------------------------------------------------

std::optional<std::uint16_t> Bench::read_register(std::uint16_t device, std::uint8_t reg) {
    return call([&] { return registers_.read(device, reg); });
}

void Bench::write_register(std::uint16_t device, std::uint8_t reg, std::uint16_t value) {
    call([&] { registers_.write(device, reg, value); });
}

void Bench::clear_registers() {
    call([this] { registers_.clear(); });
}

Faults::Id Bench::add_fault(const FaultSpec& spec) {
    return call([&] { return server_->add_fault(spec); });
}

std::int64_t Bench::remove_fault(Faults::Id id) {
    return call([&] { return server_->remove_fault(id); });
}

std::vector<LentPort> Bench::step_aside(FaultPort which) {
    return call([&] { return server_->step_aside(which); });
}

void Bench::step_back(FaultPort which) {
    call([&] { server_->step_back(which); });
}

std::size_t Bench::connections_open() {
    return call([this] { return server_->connections_open(); });
}

void Bench::test_began(const std::string& nodeid) {
    events_.test_began(nodeid);
}

void Bench::test_ended(const std::string& nodeid, const std::string& outcome) {
    events_.test_ended(nodeid, outcome);
}

void Bench::note(const std::string& text) {
    events_.note(text);
}

void Bench::note_error(const std::string& text) {
    events_.note_error(text);
}

void Bench::note_fault(const std::string& name) {
    events_.take(FaultFired{.at_ns = clock_.monotonic_ns(), .connection_id = 0, .name = name});
}

bool Bench::flush_recording(rig::Deadline deadline) {
    return events_.flush_recording(deadline);
}

std::vector<std::string> Bench::rig_errors() const {
    return events_.rig_errors();
}

}  // namespace harness
