#include "harness/bench/bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <future>
#include <type_traits>
#include <variant>

#include "harness/tls/tls_library.hpp"
#include "rig/base/errors.hpp"
#include "rig/line/chip_lines.hpp"

namespace harness {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds interruption_checked_every = 50ms;
constexpr auto shut_down_margin = 500ms;
/// From the cut of its wire; a board that takes longer is ended by force.
constexpr auto board_ends_within = 300ms;
constexpr std::size_t console_lines_shown_max = 20;

std::map<std::string, TrackedButton> pairings(const std::optional<rig::BenchFile>& bench_file) {
    std::map<std::string, TrackedButton> result;
    if (bench_file) {
        for (const auto& [button, contract] : bench_file->target.contract.buttons) {
            result[button] = {.led = contract.led, .secure = contract.secure};
        }
    }
    return result;
}

std::unique_ptr<Recorder> make_recorder(const BenchOptions& options, const rig::Clock& clock) {
    if (options.recording_path.empty()) {
        return nullptr;
    }
    return std::make_unique<Recorder>(
        options.recording_path, options.run, clock,
        RecorderOptions{.existing = options.overwrite_recording ? ExistingFile::overwrite
                                                                : ExistingFile::refuse});
}

std::string missing_target(const std::optional<rig::BenchFile>& bench_file) {
    if (bench_file && bench_file->kind == rig::BenchKind::board) {
        return fmt::format(
            "the target of bench {} is a board: the rig watches it and presses its buttons, but "
            "cannot start or reset it yet; do that by hand",
            bench_file->name);
    }
    return "this bench has no target that the rig could start: no firmware was named for it";
}

}  // namespace

Bench::Bench(BenchOptions options, const rig::Clock& clock, const TlsLibrary& tls_library)
    : clock_(clock),
      options_(std::move(options)),
      recorder_(make_recorder(options_, clock)),
      timeline_(clock, recorder_.get()),
      loop_(clock),
      trips_(pairings(options_.bench_file)) {
    if (!options_.registers_file.empty()) {
        registers_ = RegisterFile::open(options_.registers_file);
    }
    if (recorder_ != nullptr) {
        recorder_->on_trouble([this](const std::string& trouble) {
            // On the recorder's thread. The recording has its own note of it, if it can.
            add_rig_error(trouble);
        });
    }
    loop_.on_error([this](const std::exception& error) {
        take(RigNote{.at_ns = clock_.monotonic_ns(), .what = error.what(), .is_error = true});
    });
    EventSink& sink = *this;
    server_ = std::make_unique<Server>(loop_, sink, registers_, tls_library, options_.server);
    plain_endpoints_ = server_->plain_endpoints();
    tls_endpoints_ = server_->tls_endpoints();
    make_lines();
    make_target();
    thread_ = std::thread([this] { run_loop(); });
}

Bench::~Bench() {
    close();
}

void Bench::run_loop() {
    try {
        loop_.run();
    } catch (const std::exception& error) {
        take(RigNote{.at_ns = clock_.monotonic_ns(),
                     .what = fmt::format("the rig's loop ended: {}", error.what()),
                     .is_error = true});
    }
    release_tls_thread_memory();
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
    return call_in_loop(std::forward<Work>(work));
}

template <class Work>
auto Bench::call_in_loop(Work&& work) {
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

void Bench::close() {
    const std::lock_guard closing(closing_);
    if (!thread_.joinable()) {
        return;
    }
    is_closing_ = true;
    const std::unique_lock no_call_goes_on(calls_);
    call_in_loop([this] { let_go_in_loop(); });
    if (wire_ != nullptr) {
        static_cast<void>(wait_for([this] { return !is_running_; },
                                   rig::Deadline::after(clock_, board_ends_within), nullptr));
    }
    call_in_loop([this] { close_in_loop(); });
    const auto drained =
        rig::Deadline::after(clock_, options_.server.limits.drain_timeout + shut_down_margin);
    while (call_in_loop([this] { return server_->connections_open(); }) > 0 &&
           !drained.has_passed(clock_)) {
        std::this_thread::sleep_for(2ms);
    }
    loop_.stop();
    thread_.join();
    drop_lines();
    server_.reset();
    if (recorder_ != nullptr) {
        recorder_->close();
    }
}

/// The board sees that its buttons are released and then that its wire is cut, and ends by itself.
void Bench::let_go_in_loop() {
    release_in_loop();
    if (wire_ != nullptr && wire_->is_connected()) {
        look_at_lines();  // what the board still said
        wire_->unplug();
        watch_again(line_watches_, {}, {});
    }
}

void Bench::close_in_loop() {
    if (target_ != nullptr) {
        target_->stop_now();
        look_at_target();
    }
    watch_again(line_watches_, {}, {});
    server_->shut_down();
}

// Events ------------------------------------------------------------------------------------------

void Bench::take(Event event) {
    if (const auto* const note = std::get_if<RigNote>(&event); note != nullptr && note->is_error) {
        add_rig_error(note->what);
    }
    {
        // Under one lock, so that what a round trip has reached is on the timeline as well.
        const std::lock_guard lock(mutex_);
        trips_.take(event);
        timeline_.take(std::move(event));
    }
    changed_.notify_all();
}

void Bench::add_rig_error(const std::string& what) {
    {
        const std::lock_guard lock(mutex_);
        ++rig_errors_count_;
        if (rig_errors_.size() < rig_errors_kept_max) {
            rig_errors_.push_back(what);
        }
        rig_error_newest_ = what;
    }
    changed_.notify_all();
}

bool Bench::has_room() const {
    return timeline_.has_room();
}

bool Bench::wait_for(const std::function<bool()>& condition, rig::Deadline deadline,
                     const Interrupted& interrupted) const {
    std::unique_lock lock(mutex_);
    TimestampNs ask_at_ns = clock_.monotonic_ns() + interruption_checked_every.count();
    while (!condition()) {
        if (deadline.has_passed(clock_)) {
            return false;
        }
        const auto slice =
            std::min<std::chrono::nanoseconds>(deadline.left(clock_), interruption_checked_every);
        // By the clock too: where events never cease, no wait ever times out.
        const bool timed_out = changed_.wait_for(lock, slice) == std::cv_status::timeout;
        if (interrupted && (timed_out || clock_.monotonic_ns() >= ask_at_ns)) {
            lock.unlock();
            if (interrupted()) {
                return false;
            }
            ask_at_ns = clock_.monotonic_ns() + interruption_checked_every.count();
            lock.lock();
        }
    }
    return true;
}

// Lines -------------------------------------------------------------------------------------------

void Bench::make_lines() {
    if (!options_.bench_file) {
        return;
    }
    const rig::BenchFile& file = *options_.bench_file;
    switch (file.kind) {
        case rig::BenchKind::sim: {
            auto wire = std::make_unique<rig::WireLines>(file.lines, clock_);
            wire_ = wire.get();
            lines_ = std::move(wire);
            break;
        }
        case rig::BenchKind::kernel:
        case rig::BenchKind::board:
            lines_ = std::make_unique<rig::ChipLines>(
                file.lines, clock_, rig::ChipLinesOptions{.consumer = "wwep-rig " + file.name});
            break;
        case rig::BenchKind::emulator:
            throw rig::NoBench(
                fmt::format("bench {} is of kind {}: this version of the rig does not know it",
                            file.name, rig::to_string(file.kind)));
    }
    for (std::uint32_t line = 0; line < file.lines.size(); ++line) {
        if (file.lines[line].direction == rig::Direction::output) {
            buttons_.push_back({.button = std::make_unique<rig::Button>(*lines_, line)});
        } else {
            const rig::Active active = file.lines[line].active;
            leds_.emplace(line, rig::Led(active, lines_->level(line)));
            led_histories_.emplace(line, rig::LedHistory(active, lines_->level(line)));
        }
    }
    // Chips are there before the target starts; a wire is plugged in with it.
    watch_again(line_watches_, lines_->descriptors(), [this] { look_at_lines(); });
}

void Bench::drop_lines() noexcept {
    buttons_.clear();
    wire_ = nullptr;
    lines_.reset();
}

std::vector<std::string> Bench::names_of(rig::Direction direction) const {
    std::vector<std::string> names;
    if (options_.bench_file) {
        for (const rig::LineSpec& spec : options_.bench_file->lines) {
            if (spec.direction == direction) {
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

void Bench::watch_again(std::map<int, Loop::WatchId>& watches, const std::vector<int>& descriptors,
                        const std::function<void()>& look) {
    for (const auto& [fd, watch] : watches) {
        loop_.unwatch(watch);
    }
    watches.clear();
    for (const int fd : descriptors) {
        watches[fd] = loop_.watch(fd, {.readable = true}, [look](Ready) { look(); });
    }
}

void Bench::look_at_lines() {
    std::vector<rig::Edge> edges;
    const bool had_said_hello = wire_ != nullptr && wire_->said_hello();
    std::string trouble;
    try {
        static_cast<void>(lines_->read_edges(edges));  // what is left wakes the loop again
    } catch (const rig::RigError& error) {
        trouble = error.what();  // A chip is gone; what was read before must not be lost with it.
    }
    for (const rig::Edge& edge : edges) {
        take_edge(edge);
    }
    const TimestampNs now_ns = clock_.monotonic_ns();
    if (lines_->edges_lost() > edges_lost_seen_) {
        take(RigNote{.at_ns = now_ns,
                     .what = fmt::format("{} edges were lost between the board and the rig",
                                         lines_->edges_lost() - edges_lost_seen_),
                     .is_error = true});
        edges_lost_seen_ = lines_->edges_lost();
    }
    if (wire_ != nullptr && !had_said_hello && wire_->said_hello()) {
        for (auto& [line, led] : leds_) {
            led.set(lines_->level(line));
            led_histories_.at(line).set(lines_->level(line), now_ns);
        }
        if (options_.target && options_.target->ready_text.empty()) {
            set_ready(true);
        }
    }
    if (!trouble.empty()) {
        watch_again(line_watches_, lines_->descriptors(), [this] { look_at_lines(); });
        take(RigNote{.at_ns = now_ns, .what = trouble, .is_error = true});
    }
    look_whether_cut();
}

void Bench::look_whether_cut() {
    if (wire_ == nullptr || wire_->is_connected() || line_watches_.empty()) {
        return;
    }
    watch_again(line_watches_, {}, {});
    if (!wire_->trouble().empty()) {
        take(RigNote{.at_ns = clock_.monotonic_ns(),
                     .what = fmt::format("the wire was cut: {}", wire_->trouble()),
                     .is_error = true});
    }
}

void Bench::take_edge(const rig::Edge& edge) {
    if (edge.seqno == 0) {
        return;  // a line that was driven to the level it had
    }
    const auto led = leds_.find(edge.line);
    if (led != leds_.end()) {
        led->second.take(edge);
        led_histories_.at(edge.line).take(edge);
    }
    take(EdgeSeen{.at_ns = edge.at_ns,
                  .line = lines_->specs()[edge.line].name,
                  .level = edge.level,
                  .source = edge.source,
                  .seqno = edge.seqno});
}

PressId Bench::start_press(const std::string& button, std::chrono::nanoseconds hold,
                           const std::string& profile) {
    return call([&] {
        const auto found =
            std::find_if(buttons_.begin(), buttons_.end(),
                         [&](const ButtonState& state) { return state.button->name() == button; });
        if (found == buttons_.end()) {
            throw rig::NoBench(fmt::format("this bench has no button \"{}\"", button));
        }
        const rig::Button::Asserted asserted = [&] {
            try {
                return found->button->press(profile, hold, clock_);
            } catch (const rig::RigError&) {
                look_whether_cut();
                throw;
            }
        }();
        found->press = ++last_press_id_;
        {
            const std::lock_guard lock(mutex_);
            rig_errors_before_[found->press] = rig_errors_count_;
            if (rig_errors_before_.size() > RoundTripTracker::trips_kept_max) {
                rig_errors_before_.erase(rig_errors_before_.begin());
            }
        }
        take(PressAsserted{.id = found->press,
                           .line = button,
                           .before_ns = asserted.before_ns,
                           .after_ns = asserted.after_ns,
                           .profile = profile});
        take_edge(asserted.edge);
        play(static_cast<std::size_t>(found - buttons_.begin()));
        return found->press;
    });
}

void Bench::play(std::size_t index) {
    ButtonState& state = buttons_[index];
    if (!state.button->is_pressing()) {
        return;
    }
    std::vector<rig::Edge> edges;
    std::string trouble;
    try {
        state.button->play_train(clock_, edges);
    } catch (const rig::RigError& error) {
        trouble = error.what();  // What was driven until then is recorded all the same.
        state.button->release();
    }
    for (const rig::Edge& edge : edges) {
        take_edge(edge);
    }
    if (!trouble.empty()) {
        take(RigNote{.at_ns = clock_.monotonic_ns(), .what = trouble, .is_error = true});
    }
    if (const auto wake_ns = state.button->wake_ns()) {
        static_cast<void>(loop_.at(*wake_ns, [this, index] { play(index); }));
        return;
    }
    take(PressReleased{
        .id = state.press, .line = state.button->name(), .released_ns = clock_.monotonic_ns()});
}

void Bench::release_in_loop() {
    for (ButtonState& state : buttons_) {
        const bool was_pressing = state.button->is_pressing();
        state.button->release();
        if (was_pressing) {
            take(PressReleased{.id = state.press,
                               .line = state.button->name(),
                               .released_ns = clock_.monotonic_ns()});
        }
    }
}

void Bench::release_buttons() {
    call([this] { release_in_loop(); });
}

std::uint32_t Bench::led_line(const std::string& led) const {
    for (const auto& [line, lamp] : leds_) {
        if (options_.bench_file->lines[line].name == led) {
            return line;
        }
    }
    throw rig::NoBench(fmt::format("this bench has no LED \"{}\"", led));
}

bool Bench::led_is_on(const std::string& led) {
    return call([&] { return leds_.at(led_line(led)).is_on(); });
}

bool Bench::wait_led(const std::string& led, bool on, rig::Deadline deadline,
                     const Interrupted& interrupted) {
    const Cursor cursor = timeline_.end();  // before the look: no edge falls between the two
    if (led_is_on(led) == on) {
        return true;
    }
    const rig::Active active = options_.bench_file->lines[led_line(led)].active;
    return timeline_.wait(
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
    return call([&] { return led_histories_.at(led_line(led)).window(led, from_ns, until_ns); });
}

RoundTrip Bench::round_trip(PressId id) const {
    const std::lock_guard lock(mutex_);
    const RoundTrip* const trip = trips_.find(id);
    if (trip == nullptr) {
        throw rig::RigError(fmt::format("press {} is not known any more: only the last {} are kept",
                                        id, RoundTripTracker::trips_kept_max));
    }
    return *trip;
}

bool Bench::wait_trip(PressId id, Until until, rig::Deadline deadline,
                      const Interrupted& interrupted) {
    std::string trouble;
    const bool reached = wait_for(
        [&] {
            const RoundTrip* const trip = trips_.find(id);
            if (trip == nullptr) {
                trouble = fmt::format("press {} is not known any more", id);
                return true;
            }
            const std::uint64_t before = rig_errors_before_[id];
            if (rig_errors_count_ > before) {
                trouble = before < rig_errors_.size() ? rig_errors_[before] : rig_error_newest_;
                return true;
            }
            return has_reached(*trip, until);
        },
        deadline, interrupted);
    {
        const std::lock_guard lock(mutex_);
        trips_.was_waited_for(id);
    }
    if (!trouble.empty()) {
        throw rig::RigError(trouble);
    }
    return reached;
}

// Target ------------------------------------------------------------------------------------------

void Bench::make_target() {
    if (!options_.target) {
        return;
    }
    if (lines_ == nullptr) {
        throw rig::NoBench("a target needs a bench file: it says which lines it is wired to");
    }
    const TargetProcess& process = *options_.target;
    target_ = std::make_unique<rig::ProcessTarget>(
        clock_,
        rig::ProcessSpec{.program = process.program,
                         .arguments = process.arguments,
                         .environment = process.environment,
                         .folder = {},
                         .remedy = "build the firmware with ci/build"},
        wire_ != nullptr ? rig::ProcessTarget::PlugWire([this] { return wire_->plug(); })
                         : rig::ProcessTarget::PlugWire());
}

void Bench::start_target(rig::Deadline deadline, const Interrupted& interrupted) {
    call([this] {
        if (target_ == nullptr) {
            throw rig::NoBench(missing_target(options_.bench_file));
        }
        if (!target_->is_running()) {
            set_ready(false);
            target_->start();
            watch_again(line_watches_, lines_->descriptors(), [this] { look_at_lines(); });
            look_at_target();
        }
    });
    wait_until_ready(deadline, interrupted);
}

void Bench::reset_target(rig::Deadline deadline, const Interrupted& interrupted) {
    call([this] {
        if (target_ == nullptr) {
            throw rig::NoBench(missing_target(options_.bench_file));
        }
        set_ready(false);
        release_in_loop();
        if (lines_->is_connected()) {
            look_at_lines();  // what the old board still said
        }
        target_->reset();
        watch_again(line_watches_, lines_->descriptors(), [this] { look_at_lines(); });
        look_at_target();
    });
    wait_until_ready(deadline, interrupted);
}

void Bench::stop_target(const Interrupted& interrupted) {
    call([this] {
        if (target_ != nullptr) {
            target_->stop();
            look_at_target();
        }
    });
    static_cast<void>(
        wait_for([this] { return !is_running_; }, rig::Deadline::never(), interrupted));
}

bool Bench::target_is_running() {
    return call([this] { return target_ != nullptr && target_->is_running(); });
}

int Bench::target_pid() {
    return call([this] { return target_ != nullptr ? target_->pid() : 0; });
}

void Bench::set_ready(bool is_ready) {
    {
        const std::lock_guard lock(mutex_);
        is_ready_ = is_ready;
    }
    changed_.notify_all();
}

void Bench::wait_until_ready(rig::Deadline deadline, const Interrupted& interrupted) {
    static_cast<void>(
        wait_for([this] { return is_ready_ || !is_running_; }, deadline, interrupted));
    const std::lock_guard lock(mutex_);
    if (is_ready_) {
        return;
    }
    throw rig::TargetFailure(
        fmt::format("the target {}; its console:\n{}",
                    is_running_ ? "was not ready in time"
                                : fmt::format("ended before it was ready: {}", target_end_),
                    last_console()));
}

std::string Bench::last_console() const {
    std::string text;
    for (const std::string& line : console_) {
        text += "    " + line + "\n";
    }
    return text.empty() ? "    (nothing)\n" : text;
}

void Bench::look_at_target() {
    std::vector<rig::TargetEvent> events;
    bool may_have_more = true;
    while (may_have_more && events.size() < 1000) {
        may_have_more = target_->read(events);
    }
    for (const rig::TargetEvent& event : events) {
        take_target_event(event);
    }
    const std::vector<int> descriptors = target_->descriptors();
    const bool same = descriptors.size() == target_watches_.size() &&
                      std::all_of(descriptors.begin(), descriptors.end(),
                                  [this](int fd) { return target_watches_.contains(fd); });
    const bool started =
        std::any_of(events.begin(), events.end(), [](const rig::TargetEvent& event) {
            return std::holds_alternative<rig::TargetStarted>(event);
        });
    if (!same || started) {
        watch_again(target_watches_, descriptors, [this] { look_at_target(); });
    }
    loop_.cancel(target_timer_);
    target_timer_ = 0;
    if (const TimestampNs deadline_ns = target_->next_deadline_ns(); deadline_ns != 0) {
        target_timer_ = loop_.at(deadline_ns, [this] { look_at_target(); });
    }
}

void Bench::take_target_event(const rig::TargetEvent& event) {
    if (const auto* const text = std::get_if<rig::ConsoleText>(&event)) {
        take(ConsoleLine{.at_ns = text->at_ns, .text = text->text});
        {
            const std::lock_guard lock(mutex_);
            console_.push_back(text->text);
            if (console_.size() > console_lines_shown_max) {
                console_.erase(console_.begin());
            }
        }
        if (options_.target && !options_.target->ready_text.empty() &&
            text->text.find(options_.target->ready_text) != std::string::npos) {
            set_ready(true);
        }
        return;
    }
    const bool is_running = std::holds_alternative<rig::TargetStarted>(event);
    if (is_running) {
        const std::lock_guard lock(mutex_);
        console_.clear();
        is_running_ = true;
        is_ready_ = wire_ == nullptr && options_.target->ready_text.empty();
    }
    if (const auto* const ended = std::get_if<rig::TargetEnded>(&event)) {
        if (lines_->is_connected() && !target_->is_running()) {
            look_at_lines();  // edges from before its end come first
        }
        const std::lock_guard lock(mutex_);
        is_running_ = false;
        is_ready_ = false;
        target_end_ = ended->how;
    }
    take(TargetChanged{.at_ns = std::holds_alternative<rig::TargetStarted>(event)
                                    ? std::get<rig::TargetStarted>(event).at_ns
                                    : std::get<rig::TargetEnded>(event).at_ns,
                       .what = "target " + rig::describe(event),
                       .is_running = is_running});
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

std::size_t Bench::connections_open() {
    return call([this] { return server_->connections_open(); });
}

void Bench::test_began(const std::string& nodeid) {
    {
        const std::lock_guard lock(mutex_);
        trips_.forget_claims();
    }
    take(TestBegan{.at_ns = clock_.monotonic_ns(), .nodeid = nodeid});
}

void Bench::test_ended(const std::string& nodeid, const std::string& outcome) {
    take(TestEnded{.at_ns = clock_.monotonic_ns(), .nodeid = nodeid, .outcome = outcome});
}

void Bench::note(const std::string& text) {
    take(RigNote{.at_ns = clock_.monotonic_ns(), .what = text, .is_error = false});
}

bool Bench::flush_recording(rig::Deadline deadline) {
    return recorder_ == nullptr || recorder_->flush(deadline);
}

std::vector<std::string> Bench::rig_errors() const {
    const std::lock_guard lock(mutex_);
    return rig_errors_;
}

}  // namespace harness
