#include "rig/line/wire_lines.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "rig/base/errors.hpp"
#include "rig/line/line_errors.hpp"

namespace rig {
namespace {

constexpr std::uint8_t wire_version = 1;
constexpr std::size_t record_size = 24;

enum class Kind : std::uint8_t { hello = 1, edge = 2, drive = 3, initial = 4 };

constexpr std::uint8_t wire_released = 2;

/// One record of WIRE.md, in memory order. Both ends run on one machine, which is little-endian on
/// everything that the rig supports; the assertion below says so to whoever ports it.
struct Record {
    std::uint8_t kind = 0;
    std::uint8_t pin = 0;
    std::uint8_t level = 0;
    std::uint8_t version = wire_version;
    std::uint32_t reserved = 0;
    std::uint64_t seqno = 0;
    std::uint64_t at_ns = 0;
};
static_assert(sizeof(Record) == record_size);
static_assert(std::endian::native == std::endian::little);

unsigned pin_of(const LineSpec& spec) {
    unsigned pin = 0;
    const char* const end = spec.line.data() + spec.line.size();
    const auto [rest, error] = std::from_chars(spec.line.data(), end, pin);
    if (error != std::errc() || rest != end || pin >= WireLines::pins_max) {
        throw NoBench(fmt::format(
            "line {}: a simulated board has pins 0 to {}, not \"{}\"; correct `line` in the bench "
            "file",
            spec.name, WireLines::pins_max - 1, spec.line));
    }
    return pin;
}

Level idle_level(const LineSpec& spec) {
    // An output rests at its inactive level: the board's pull holds a button there.
    return spec.direction == Direction::output ? level_when(false, spec.active) : Level::low;
}

}  // namespace

WireLines::WireLines(std::vector<LineSpec> specs, const Clock& clock)
    : clock_(clock), specs_(std::move(specs)) {
    line_of_.fill(-1);
    for (std::size_t line = 0; line < specs_.size(); ++line) {
        const unsigned pin = pin_of(specs_[line]);
        int& line_of_pin = line_of_.at(pin);
        if (line_of_pin >= 0) {
            throw NoBench(fmt::format("lines {} and {} are both on pin {}",
                                      specs_[static_cast<std::size_t>(line_of_pin)].name,
                                      specs_[line].name, pin));
        }
        line_of_pin = static_cast<int>(line);
        pins_.push_back(pin);
        states_.push_back({.level = idle_level(specs_[line])});
    }
}

UniqueFd WireLines::plug() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw_system_error(errno, "make the wire of the simulated board");
    }
    socket_.reset(ends[0]);
    UniqueFd board_end(ends[1]);
    received_.clear();
    said_hello_ = false;
    trouble_.clear();
    for (std::size_t line = 0; line < states_.size(); ++line) {
        states_[line].wire_seqno = 0;
        states_[line].is_driven = false;
        states_[line].level = idle_level(specs_[line]);
    }
    return board_end;
}

void WireLines::unplug() {
    socket_.reset();
}

std::vector<int> WireLines::descriptors() const {
    return socket_ ? std::vector<int>{socket_.get()} : std::vector<int>{};
}

bool WireLines::read_edges(std::vector<Edge>& edges) {
    if (!socket_) {
        return false;
    }
    std::array<std::byte, edges_per_read_max * record_size> buffer;
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    const int error = errno;
    if (got < 0) {
        if (error == EAGAIN || error == EINTR) {
            return false;
        }
        // A board that was killed with records unread resets the wire: it is gone, nothing more.
        cut(error == ECONNRESET ? std::string()
                                : fmt::format("reading the wire failed: {}", std::strerror(error)));
        return false;
    }
    if (got == 0) {
        cut("");
        return false;
    }
    received_.insert(received_.end(), buffer.data(), buffer.data() + got);
    std::size_t taken = 0;
    for (; socket_ && received_.size() - taken >= record_size; taken += record_size) {
        take_record(received_.data() + taken, edges);
    }
    received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(taken));
    return socket_ && static_cast<std::size_t>(got) == buffer.size();
}

void WireLines::take_record(const std::byte* bytes, std::vector<Edge>& edges) {
    Record record;
    std::memcpy(&record, bytes, sizeof record);
    if (record.version != wire_version) {
        cut(fmt::format("the board speaks version {} of the wire, this rig version {}",
                        record.version, wire_version));
        return;
    }
    const auto kind = static_cast<Kind>(record.kind);
    if (kind == Kind::hello) {
        said_hello_ = true;
        return;
    }
    if ((kind != Kind::edge && kind != Kind::initial) || record.pin >= pins_max ||
        record.level > 1) {
        cut(fmt::format("the board sent a record that makes no sense: kind {}, pin {}, level {}",
                        record.kind, record.pin, record.level));
        return;
    }
    const int line = line_of_.at(record.pin);
    if (line < 0) {
        return;  // a pin that this bench does not watch
    }
    const auto index = static_cast<std::uint32_t>(line);
    LineState& state = states_[index];
    const auto level = static_cast<Level>(record.level);
    if (kind == Kind::initial) {
        state.level = level;
        return;
    }
    // A sequence number that does not rise is a defect of the board; it counts as one loss.
    const std::uint64_t missing =
        record.seqno > state.wire_seqno ? record.seqno - state.wire_seqno - 1 : std::uint64_t{1};
    edges_lost_ += missing;
    state.wire_seqno = record.seqno;
    state.seqno += missing + 1;
    state.level = level;
    edges.push_back({.at_ns = static_cast<TimestampNs>(record.at_ns),
                     .seqno = state.seqno,
                     .line = index,
                     .level = level,
                     .source = EdgeSource::board});
}

Edge WireLines::drive(std::uint32_t line, Level level) {
    const LineSpec& spec = specs_.at(line);
    if (spec.direction != Direction::output) {
        throw input_is_not_driven(spec);
    }
    LineState& state = states_[line];
    if (state.level == level && (state.is_driven || level == idle_level(spec))) {
        return {.line = line, .level = level, .source = EdgeSource::rig};
    }
    const bool lets_go = spec.drive == Drive::open_drain && level == Level::high;
    const auto wire_level = lets_go ? wire_released : static_cast<std::uint8_t>(level);
    if (!send_drive(line, wire_level)) {
        throw RigError(fmt::format("line {}: {}", spec.name, trouble_));
    }
    state.level = level;
    state.is_driven = !lets_go;
    return {.at_ns = clock_.monotonic_ns(),
            .seqno = ++state.seqno,
            .line = line,
            .level = level,
            .source = EdgeSource::rig};
}

void WireLines::release(std::uint32_t line) noexcept {
    if (line >= specs_.size() || specs_[line].direction != Direction::output) {
        return;
    }
    LineState& state = states_[line];
    if (state.is_driven && !send_drive(line, wire_released)) {
        socket_.reset();  // End of file releases every pin of the board.
    }
    state.is_driven = false;
    state.level = idle_level(specs_[line]);
}

bool WireLines::send_drive(std::uint32_t line, std::uint8_t wire_level) noexcept {
    if (!socket_) {
        return trouble_.empty();
    }
    const Record record{.kind = static_cast<std::uint8_t>(Kind::drive),
                        .pin = static_cast<std::uint8_t>(pins_[line]),
                        .level = wire_level,
                        .seqno = ++states_[line].wire_seqno,
                        .at_ns = static_cast<std::uint64_t>(clock_.monotonic_ns())};
    const ssize_t sent = ::send(socket_.get(), &record, sizeof record, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(sizeof record)) {
        return true;
    }
    const int error = errno;
    if (sent < 0 && (error == EPIPE || error == ECONNRESET)) {
        return true;  // read_edges() will find that nobody is there
    }
    // A record that fits only in part cannot be taken back, so that wire is of no use any more.
    cut(sent >= 0 || error == EAGAIN ? "the board does not read its wire"
                                     : std::string("the board is gone: ") + std::strerror(error));
    return false;
}

Level WireLines::level(std::uint32_t line) const {
    return states_.at(line).level;
}

void WireLines::cut(std::string why) {
    socket_.reset();
    trouble_ = std::move(why);
}

}  // namespace rig
