#include "harness/bench/bench_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"
#include "rig/target/board_target.hpp"

namespace harness {
namespace {

constexpr std::size_t console_lines_shown_max = 20;
constexpr std::size_t events_per_look_max = 1'000;
/// A console that begins anew so often while the rig waits for it is that of a board which does.
constexpr int boots_suspicious = 3;

std::unique_ptr<rig::Target> make_process(const TargetProcess& process, const rig::Clock& clock,
                                          BenchLines& lines) {
    rig::ProcessSpec spec{.program = process.program,
                          .arguments = process.arguments,
                          .environment = process.environment,
                          .folder = {},
                          .remedy = "build the firmware with ci/build"};
    auto plug_wire = lines.are_on_a_wire()
                         ? rig::ProcessTarget::PlugWire([&lines] { return lines.plug_wire(); })
                         : rig::ProcessTarget::PlugWire();
    return std::make_unique<rig::ProcessTarget>(clock, std::move(spec), std::move(plug_wire));
}

}  // namespace

BenchTarget::BenchTarget(std::unique_ptr<rig::Target> target, std::string ready_text,
                         const rig::Clock& clock, Loop& loop, BenchLines& lines,
                         BenchEvents& events)
    : ready_text_(std::move(ready_text)),
      clock_(clock),
      loop_(loop),
      lines_(lines),
      events_(events),
      target_(std::move(target)),
      watches_(loop) {}

BenchTarget::BenchTarget(const TargetProcess& process, const rig::Clock& clock, Loop& loop,
                         BenchLines& lines, BenchEvents& events)
    : BenchTarget(make_process(process, clock, lines), process.ready_text, clock, loop, lines,
                  events) {
    if (ready_text_.empty()) {
        lines_.on_hello([this] { set_ready(true); });
    }
}

BenchTarget::BenchTarget(const TargetBoard& board, const rig::Clock& clock, Loop& loop,
                         BenchLines& lines, BenchEvents& events)
    : BenchTarget(std::make_unique<rig::BoardTarget>(clock, board.console), board.ready_text, clock,
                  loop, lines, events) {
    events_.on_connection([this] { set_ready(true); });
}

BenchTarget::BenchTarget(const TargetEmulator& emulator, const rig::Clock& clock, Loop& loop,
                         BenchLines& lines, BenchEvents& events)
    : BenchTarget(std::make_unique<rig::EmulatorTarget>(clock, emulator.spec,
                                                        [&lines] { return lines.plug_emulator(); }),
                  emulator.ready_text, clock, loop, lines, events) {
    emulator_ = static_cast<rig::EmulatorTarget*>(target_.get());
    lines_.on_hello([this] { take_hello(); });
}

rig::EmulatorTarget& BenchTarget::emulator() const {
    if (emulator_ == nullptr) {
        throw rig::Remedied<rig::NoBench>(
            "this bench's target is no emulated board, and only such a one can be "
            "paused, unplugged from its network, given a bad link or typed to",
            "take a bench of kind emulator (--rig-bench emulator)");
    }
    return *emulator_;
}

void BenchTarget::set_link_faults(const rig::LinkFaults& faults) {
    emulator().set_link_faults(faults);
    look();
}

rig::LinkCounts BenchTarget::end_link_faults() {
    const rig::LinkCounts counts = emulator().end_link_faults();
    look();  // what was under way has left
    return counts;
}

void BenchTarget::start() {
    if (target_->is_running()) {
        return;
    }
    set_ready(false);
    target_->start();
    lines_.watch();
    look();
}

void BenchTarget::reset() {
    set_ready(false);
    lines_.release_buttons();
    lines_.look_at_rest();  // what the old board still said
    target_->reset();
    lines_.watch();
    look();
}

void BenchTarget::stop() {
    target_->stop();
    look();
}

void BenchTarget::stop_now() {
    target_->stop_now();
    look();
}

// What it does ------------------------------------------------------------------------------------

void BenchTarget::look() {
    std::vector<rig::TargetEvent> events;
    bool may_have_more = true;
    while (may_have_more && events.size() < events_per_look_max) {
        may_have_more = target_->read(events);
    }
    bool has_started = false;
    for (const rig::TargetEvent& event : events) {
        std::visit([this](const auto& what) { take(what); }, event);
        has_started = has_started || std::holds_alternative<rig::TargetStarted>(event);
    }
    if (has_started || !watches_.are_of(target_->descriptors())) {
        watches_.begin(target_->descriptors(), [this] { look(); });
    }
    loop_.cancel(timer_);
    timer_ = 0;
    if (const TimestampNs deadline_ns = target_->next_deadline_ns(); deadline_ns != 0) {
        timer_ = loop_.at(deadline_ns, [this] { look(); });
    }
}

void BenchTarget::take(const rig::ConsoleText& text) {
    events_.take(ConsoleLine{.at_ns = text.at_ns, .text = text.text});
    {
        const std::lock_guard lock(mutex_);
        console_.push_back(text.text);
        if (console_.size() > console_lines_shown_max) {
            console_.erase(console_.begin());
        }
        if (first_line_count_ == 0 && !text.text.empty()) {
            first_line_ = text.text;
        }
        first_line_count_ += first_line_ == text.text && !first_line_.empty() ? 1 : 0;
    }
    if (!ready_text_.empty() && text.text.find(ready_text_) != std::string::npos) {
        take_ready_text(text.at_ns);
    }
}

void BenchTarget::take_ready_text(TimestampNs at_ns) {
    bool came_before = false;
    {
        const std::lock_guard lock(mutex_);
        came_before = std::exchange(has_said_ready_, true);
    }
    if (came_before && target_->may_restart_unseen()) {
        events_.take(TargetChanged{
            .at_ns = at_ns,
            .what = fmt::format("target restarted by itself: its console says \"{}\" again",
                                ready_text_),
            .is_running = true});
    }
    if (emulator_ == nullptr) {
        set_ready(true);
        return;
    }
    const std::lock_guard lock(mutex_);
    is_ready_ = has_said_hello_;
    changed_.notify_all();
}

void BenchTarget::take_hello() {
    const std::lock_guard lock(mutex_);
    has_said_hello_ = true;
    is_ready_ = has_said_ready_ || ready_text_.empty();
    changed_.notify_all();
}

void BenchTarget::take(const rig::ConsoleChanged& change) {
    events_.take(
        RigNote{.at_ns = change.at_ns, .what = change.what, .is_error = change.is_trouble});
}

void BenchTarget::take(const rig::CarrierFailed& failure) {
    events_.take(RigNote{.at_ns = failure.at_ns, .what = failure.what, .is_error = true});
}

void BenchTarget::take(const rig::TargetStarted& started) {
    events_.take(TargetChanged{
        .at_ns = started.at_ns, .what = "target " + rig::describe(started), .is_running = true});
    {
        const std::lock_guard lock(mutex_);
        console_.clear();
        first_line_.clear();
        first_line_count_ = 0;
        has_said_ready_ = false;
        has_said_hello_ = false;
        is_running_ = true;
        is_ready_ = !lines_.are_on_a_wire() && emulator_ == nullptr && ready_text_.empty();
    }
    pid_ = started.pid;
    changed_.notify_all();
}

void BenchTarget::take(const rig::TargetEnded& ended) {
    if (!target_->is_running()) {
        pid_ = 0;
        lines_.look_at_rest();  // edges from before its end come first
    }
    events_.take(TargetChanged{
        .at_ns = ended.at_ns, .what = "target " + rig::describe(ended), .is_running = false});
    {
        const std::lock_guard lock(mutex_);
        is_running_ = false;
        is_ready_ = false;
        end_ = ended.how;
    }
    changed_.notify_all();
}

// Waiting for it ----------------------------------------------------------------------------------

void BenchTarget::set_ready(bool is_ready) {
    {
        const std::lock_guard lock(mutex_);
        is_ready_ = is_ready;
    }
    changed_.notify_all();
}

void BenchTarget::wait_until_ready(rig::Deadline deadline, const Interrupted& interrupted) const {
    std::unique_lock lock(mutex_);
    static_cast<void>(wait_patiently(changed_, lock, clock_, deadline, interrupted,
                                     [this] { return is_ready_ || !is_running_; }));
    if (is_ready_) {
        return;
    }
    throw rig::TargetFailure(fmt::format(
        "the target {}{}; its console:{}",
        is_running_ ? "was not ready in time" : fmt::format("ended before it was ready: {}", end_),
        boot_loop(), last_console()));
}

void BenchTarget::wait_until_ended(rig::Deadline deadline, const Interrupted& interrupted) const {
    std::unique_lock lock(mutex_);
    static_cast<void>(wait_patiently(changed_, lock, clock_, deadline, interrupted,
                                     [this] { return !is_running_; }));
}

std::string BenchTarget::boot_loop() const {
    if (first_line_count_ < boots_suspicious) {
        return {};
    }
    return fmt::format(": it seems to restart again and again, its first line \"{}\" came {} times",
                       first_line_, first_line_count_);
}

std::string BenchTarget::last_console() const {
    std::string text;
    for (const std::string& line : console_) {
        text += "\n    " + line;
    }
    return text.empty() ? "\n    (nothing)" : text;
}

}  // namespace harness
