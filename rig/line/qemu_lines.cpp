#include "rig/line/qemu_lines.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "rig/base/errors.hpp"

namespace rig {
namespace {

constexpr std::size_t log_pipe_bytes = 1024 * 1024;
constexpr std::size_t log_line_bytes_max = 4096;

struct Key {
    Pin pin;
    std::string_view code;  ///< QEMU's name of it
};

constexpr std::array<Key, 5> keys{{{{'E', 0}, "up"},
                                   {{'E', 1}, "down"},
                                   {{'E', 2}, "left"},
                                   {{'E', 3}, "right"},
                                   {{'F', 1}, "ctrl"}}};

const Key* key_of(const Pin& pin) {
    const auto* const found =
        std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.pin == pin; });
    return found == keys.end() ? nullptr : found;
}

Pin pin_of(const LineSpec& spec) {
    const auto pin = pin_from(spec.line);
    if (!pin) {
        throw NoBench(
            fmt::format("line {}: an emulated board has pins PA0 to PG7, not \"{}\"; "
                        "correct `line` in the bench file",
                        spec.name, spec.line));
    }
    if (spec.direction == Direction::output &&
        (key_of(*pin) == nullptr || spec.active != Active::low)) {
        throw NoBench(
            fmt::format("line {}: the buttons of the emulated board are on PE0 to PE3 and "
                        "PF1, active low; correct the bench file",
                        spec.name));
    }
    return *pin;
}

std::array<UniqueFd, 2> make_socket_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw_system_error(errno, "make a QMP socket for the emulated board");
    }
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::array<UniqueFd, 2> make_log_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw_system_error(errno, "make a pipe for the emulated board's log");
    }
    std::array<UniqueFd, 2> result{UniqueFd(ends[0]), UniqueFd(ends[1])};
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        throw_system_error(errno, "make the pipe of the emulated board's log non-blocking");
    }
    // Roomier where it may be: QEMU stands still while it is full.
    static_cast<void>(::fcntl(ends[0], F_SETPIPE_SZ, static_cast<int>(log_pipe_bytes)));
    return result;
}

}  // namespace

QemuLines::QemuLines(std::vector<LineSpec> specs, const Clock& clock)
    : clock_(clock), wall_offset_(clock), specs_(std::move(specs)) {
    for (const LineSpec& spec : specs_) {
        const Pin pin = pin_of(spec);
        const auto same = std::find(pins_.begin(), pins_.end(), pin);
        if (same != pins_.end()) {
            throw NoBench(fmt::format("lines {} and {} are both on pin {}",
                                      specs_[static_cast<std::size_t>(same - pins_.begin())].name,
                                      spec.name, spec.line));
        }
        pins_.push_back(pin);
        states_.push_back(
            {.level = spec.direction == Direction::output ? Level::high : Level::low});
    }
}

QemuPlug QemuLines::plug() {
    auto [our_events, its_events] = make_socket_pair();
    auto [our_keys, its_keys] = make_socket_pair();
    auto [our_log, its_log] = make_log_pipe();
    cut();
    events_.emplace(std::move(our_events));
    keys_.emplace(std::move(our_keys));
    log_ = std::move(our_log);
    // Asked ahead: its answer says that QEMU listens, and whether the board runs already.
    events_->send(R"({"execute":"query-status"})");
    for (std::size_t line = 0; line < states_.size(); ++line) {
        const bool is_button = specs_[line].direction == Direction::output;
        states_[line].level = is_button ? Level::high : Level::low;
    }
    return {std::move(its_events), std::move(its_keys), std::move(its_log)};
}

void QemuLines::unplug() {
    cut();
}

void QemuLines::cut() {
    events_.reset();
    keys_.reset();
    log_.reset();
    log_text_.clear();
    ports_.clear();
    is_in_reset_ = true;
}

std::vector<int> QemuLines::descriptors() const {
    std::vector<int> result;
    if (events_) {
        result.push_back(events_->fd());
    }
    if (log_) {
        result.push_back(log_.get());
    }
    return result;
}

Level QemuLines::level(std::uint32_t line) const {
    return states_.at(line).level;
}

// What QEMU says ----------------------------------------------------------------------------------

bool QemuLines::read_edges(std::vector<Edge>& edges) {
    if (!events_) {
        return false;
    }
    // The log says which chip, so it has to wait until it is known which port each of them is.
    const bool may_have_more = !ports_.empty() && read_log(edges);
    take_messages(edges);
    if (events_ && events_->is_over()) {
        while (!ports_.empty() && read_log(edges)) {
        }
        cut();
    }
    return may_have_more;
}

void QemuLines::take_messages(std::vector<Edge>& edges) {
    while (const auto message = events_->next()) {
        const bool is_event = message->kind == QmpMessage::Kind::event;
        if (is_event && message->text == "RESET") {
            take_reset(message->wall_ns, edges);
            set_all_keys();
        } else if (is_event && message->text == "RESUME") {
            look_for_ports();
            set_all_keys();
        } else if (message->kind == QmpMessage::Kind::answer) {  // to what plug() has asked
            look_for_ports();
            if (message->text.find(R"("running":true)") != std::string::npos) {
                set_all_keys();
            }
        }
    }
}

void QemuLines::take_reset(std::int64_t wall_ns, std::vector<Edge>& edges) {
    while (!ports_.empty() && read_log(edges)) {
    }
    is_in_reset_ = true;
    for (std::size_t line = 0; line < states_.size(); ++line) {
        if (specs_[line].direction == Direction::input && states_[line].changed_wall_ns < wall_ns) {
            states_[line].level = Level::low;  // QEMU logs changes by the firmware only
        }
    }
}

void QemuLines::look_for_ports() {
    if (!ports_.empty()) {
        return;
    }
    const auto answer =
        call(R"({"execute":"qom-list","arguments":{"path":"/machine/unattached"}})");
    if (!answer) {
        return;
    }
    ports_ = ports_from_qom_list(*answer);
    if (ports_.empty()) {
        throw RigError("this QEMU's lm3s6965evb has other GPIO chips than the rig knows");
    }
}

bool QemuLines::read_log(std::vector<Edge>& edges) {
    if (!log_) {
        return false;
    }
    std::array<char, log_bytes_per_read_max> buffer;
    const ssize_t got = ::read(log_.get(), buffer.data(), buffer.size());
    if (got < 0) {
        return errno == EINTR;
    }
    if (got == 0) {
        log_.reset();
        return false;
    }
    log_text_.append(buffer.data(), static_cast<std::size_t>(got));
    std::size_t taken = 0;
    for (auto end = log_text_.find('\n'); end != std::string::npos;
         end = log_text_.find('\n', taken)) {
        take_log_line(std::string_view(log_text_).substr(taken, end - taken), edges);
        taken = end + 1;
    }
    log_text_.erase(0, taken);
    if (log_text_.size() > log_line_bytes_max) {
        log_text_.clear();  // no line of QEMU's is as long: what it was cannot be told any more
        ++edges_lost_;
    }
    return static_cast<std::size_t>(got) == buffer.size();
}

void QemuLines::take_log_line(std::string_view text, std::vector<Edge>& edges) {
    bool is_damaged = false;
    const auto change = parse_pin_change(text, is_damaged);
    edges_lost_ += is_damaged ? 1 : 0;
    const auto port = change ? ports_.find(change->chip) : ports_.end();
    if (port == ports_.end()) {
        return;
    }
    const auto found =
        std::find(pins_.begin(), pins_.end(), Pin{.port = port->second, .number = change->number});
    if (found == pins_.end()) {
        return;  // a pin that this bench does not watch
    }
    const auto line = static_cast<std::uint32_t>(found - pins_.begin());
    LineState& state = states_[line];
    if (specs_[line].direction == Direction::output || state.level == change->level) {
        return;  // the pull-up of a button, say
    }
    const TimestampNs now_ns = clock_.monotonic_ns();
    state.level = change->level;
    state.changed_wall_ns = change->wall_ns;
    edges.push_back({.at_ns = wall_offset_.monotonic_of(change->wall_ns, now_ns).value_or(now_ns),
                     .seqno = ++state.seqno,
                     .line = line,
                     .level = state.level,
                     .source = EdgeSource::board});
}

// What QEMU is told -------------------------------------------------------------------------------

void QemuLines::set_all_keys() {
    const bool was_in_reset = is_in_reset_;
    try {
        for (std::uint32_t line = 0; line < specs_.size(); ++line) {
            if (specs_[line].direction == Direction::input) {
                continue;
            }
            if (was_in_reset) {
                set_key(line, Level::low);  // which the pin reads already
            }
            set_key(line, states_[line].level);
        }
    } catch (const QmpRefusal&) {
        return;  // it was paused meanwhile: when it goes on it says so
    }
    is_in_reset_ = false;
    hellos_ += was_in_reset && keys_ ? 1U : 0U;
}

Edge QemuLines::drive(std::uint32_t line, Level level) {
    const LineSpec& spec = specs_.at(line);
    if (spec.direction != Direction::output) {
        throw RigError(fmt::format("line {} is an input: the rig does not drive it", spec.name));
    }
    LineState& state = states_[line];
    if (state.level == level) {
        return {.line = line, .level = level, .source = EdgeSource::rig};
    }
    try {
        set_key(line, level);
    } catch (const RigError& error) {
        throw RigError(fmt::format("line {}: {}", spec.name, error.what()));
    }
    state.level = level;
    return {.at_ns = clock_.monotonic_ns(),
            .seqno = ++state.seqno,
            .line = line,
            .level = level,
            .source = EdgeSource::rig};
}

void QemuLines::release(std::uint32_t line) noexcept {
    if (line >= specs_.size() || specs_[line].direction != Direction::output ||
        states_[line].level == Level::high) {
        return;
    }
    states_[line].level = Level::high;
    try {
        set_key(line, Level::high);
    } catch (const std::exception&) {
        // Paused: it is told when it goes on. Hung: nobody reads its pins any more.
    }
}

void QemuLines::set_key(std::uint32_t line, Level level) {
    static_cast<void>(call(fmt::format(
        R"({{"execute":"input-send-event","arguments":{{"events":[{{"type":"key","data":{{)"
        R"("down":{},"key":{{"type":"qcode","data":"{}"}}}}}}]}}}})",
        level == Level::low, key_of(pins_[line])->code)));
}

std::optional<std::string> QemuLines::call(std::string_view command) {
    // Nothing: QEMU has gone, or is not there yet; who reads its events learns of that.
    return keys_ ? keys_->call(command, clock_,
                               Deadline::after(clock_, std::chrono::nanoseconds(answer_within_ns)))
                 : std::nullopt;
}

}  // namespace rig
