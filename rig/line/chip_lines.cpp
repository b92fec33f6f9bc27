#include "rig/line/chip_lines.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <gpiod.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"
#include "rig/line/chip_places.hpp"
#include "rig/line/line_errors.hpp"
#include "rig/line/line_settings.hpp"
#include "rig/line/lost_edges.hpp"

namespace rig {
namespace {

constexpr const char* unplugged_remedy = "plug it in again and open the bench anew";

void reconfigure(gpiod::line_request& request, unsigned offset,
                 const gpiod::line_settings& settings) {
    gpiod::line_config config;
    config.add_line_settings(offset, settings);
    request.reconfigure_lines(config);
}

}  // namespace

struct ChipLines::Chip {
    OpenChip open;
    std::optional<gpiod::line_request> inputs;
    gpiod::edge_event_buffer events{edges_per_read_max};
    std::unordered_map<unsigned, std::uint32_t> line_of_offset;  // of inputs
    LostEdges lost;                                              // of inputs
    bool is_gone = false;
};

struct ChipLines::Line {
    LinePlace place;
    std::optional<gpiod::line_request> output;
    bool is_output = false;  // as the kernel has it now; false: high impedance
    Level level = Level::low;
    std::uint64_t seqno = 0;
    std::uint64_t kernel_seqno = 0;
};

ChipLines::ChipLines(std::vector<LineSpec> specs, const Clock& clock, ChipLinesOptions options)
    : clock_(clock), options_(std::move(options)), specs_(std::move(specs)) {
    ChipPlaces found = find_places(specs_, options_.device_folder);
    for (OpenChip& chip : found.chips) {
        chips_.push_back(
            {.open = std::move(chip), .inputs = std::nullopt, .line_of_offset = {}, .lost = {}});
    }
    for (std::uint32_t line = 0; line < specs_.size(); ++line) {
        const LinePlace place = found.places[line];
        lines_.push_back({.place = place, .output = std::nullopt});
        if (specs_[line].direction == Direction::output) {
            lines_[line].level = idle_level(specs_[line]);
            request_output(line);
        } else {
            chips_[place.chip].line_of_offset[place.offset] = line;
        }
    }
    for (Chip& chip : chips_) {
        if (!chip.line_of_offset.empty()) {
            request_inputs(chip);
        }
    }
}

ChipLines::~ChipLines() {
    for (std::uint32_t line = 0; line < lines_.size(); ++line) {
        release(line);
    }
}

void ChipLines::request_output(std::uint32_t line) {
    const LineSpec& spec = specs_[line];
    Line& state = lines_[line];
    Chip& chip = chips_[state.place.chip];
    state.is_output = spec.drive != Drive::push_pull;
    const gpiod::line_settings settings =
        state.is_output ? output_settings(spec, state.level) : floating_settings();
    try {
        state.output = chip.open.chip.prepare_request()
                           .set_consumer(options_.consumer)
                           .add_line_settings(state.place.offset, settings)
                           .do_request();
    } catch (const std::exception& error) {
        throw request_trouble(errno_of(error), spec, chip.open, state.place.offset);
    }
}

void ChipLines::request_inputs(Chip& chip) {
    auto request = chip.open.chip.prepare_request();
    request.set_consumer(options_.consumer).set_event_buffer_size(options_.event_buffer_size);
    std::vector<unsigned> offsets;
    for (const auto& [offset, line] : chip.line_of_offset) {
        request.add_line_settings(offset, input_settings(specs_[line]));
        offsets.push_back(offset);
    }
    std::sort(offsets.begin(), offsets.end());
    try {
        chip.inputs = request.do_request();
        for (const unsigned offset : offsets) {
            lines_[chip.line_of_offset[offset]].level = from_gpiod(chip.inputs->get_value(offset));
        }
    } catch (const std::exception& error) {
        // The kernel does not say which of the lines it meant: a busy one has a consumer.
        const int trouble = errno_of(error);
        unsigned culprit = offsets.front();
        for (const unsigned offset : offsets) {
            if (trouble == EBUSY && chip.open.chip.get_line_info(offset).used()) {
                culprit = offset;
                break;
            }
        }
        throw request_trouble(trouble, specs_[chip.line_of_offset[culprit]], chip.open, culprit);
    }
}

std::vector<int> ChipLines::descriptors() const {
    std::vector<int> descriptors;
    for (const Chip& chip : chips_) {
        if (chip.is_gone) {
            continue;
        }
        // The chip's own descriptor tells that it was unplugged, also where it has no inputs.
        descriptors.push_back(chip.open.chip.fd());
        if (chip.inputs) {
            descriptors.push_back(chip.inputs->fd());
        }
    }
    return descriptors;
}

bool ChipLines::read_edges(std::vector<Edge>& edges) {
    const auto begin = static_cast<std::ptrdiff_t>(edges.size());
    bool may_have_more = false;
    for (Chip& chip : chips_) {
        if (!chip.is_gone) {
            may_have_more |= read_chip(chip, edges);
        }
    }
    if (chips_.size() > 1) {
        std::stable_sort(edges.begin() + begin, edges.end(),
                         [](const Edge& a, const Edge& b) { return a.at_ns < b.at_ns; });
    }
    return may_have_more;
}

bool ChipLines::read_chip(Chip& chip, std::vector<Edge>& edges) {
    std::array<pollfd, 2> ready{
        {{.fd = chip.open.chip.fd(), .events = POLLIN, .revents = 0},
         {.fd = chip.inputs ? chip.inputs->fd() : -1, .events = POLLIN, .revents = 0}}};
    if (::poll(ready.data(), ready.size(), 0) <= 0) {
        return false;
    }
    bool may_have_more = false;
    try {
        // A chip that goes leaves edges behind which can no longer be read.
        if ((ready[1].revents & POLLIN) != 0) {
            const std::size_t count = chip.inputs->read_edge_events(chip.events);
            may_have_more = count == edges_per_read_max;
            for (const gpiod::edge_event& event : chip.events) {
                const bool is_rising = event.type() == gpiod::edge_event::event_type::RISING_EDGE;
                const std::uint64_t missing = take_event(
                    chip.line_of_offset.at(event.line_offset()),
                    is_rising ? Level::high : Level::low,
                    static_cast<TimestampNs>(event.timestamp_ns().ns()), event.line_seqno(), edges);
                chip.lost.take(event.global_seqno(), missing);
            }
            chip.lost.look(clock_.monotonic_ns());
        }
    } catch (const std::exception& error) {
        give_up(chip, "read edges", errno_of(error));
    }
    if (((ready[0].revents | ready[1].revents) & (POLLERR | POLLHUP)) != 0) {
        give_up(chip, "watch lines", ENODEV);
    }
    return may_have_more;
}

std::uint64_t ChipLines::take_event(std::uint32_t line, Level level, TimestampNs at_ns,
                                    std::uint64_t seqno, std::vector<Edge>& edges) {
    Line& state = lines_[line];
    std::uint64_t missing = 0;
    if (seqno > state.kernel_seqno) {
        missing = seqno - state.kernel_seqno - 1;
    }
    // The first edge may repeat the level: that was read after the line was requested.
    if (missing == 0 && state.kernel_seqno != 0 && level == state.level) {
        missing = 1;
    }
    state.kernel_seqno = seqno;
    state.seqno += missing + 1;
    state.level = level;
    edges.push_back({.at_ns = at_ns,
                     .seqno = state.seqno,
                     .line = line,
                     .level = level,
                     .source = EdgeSource::kernel});
    return missing;
}

std::uint64_t ChipLines::edges_lost() const {
    const TimestampNs now_ns = clock_.monotonic_ns();
    std::uint64_t lost = 0;
    for (const Chip& chip : chips_) {
        lost += chip.lost.count(now_ns);
    }
    return lost;
}

void ChipLines::give_up(Chip& chip, std::string_view verb, int error_number) {
    if (error_number == ENODEV) {
        chip.is_gone = true;
        throw Remedied<RigError>(fmt::format("{} \"{}\" was unplugged while the rig used it",
                                             chip.open.name, chip.open.label),
                                 unplugged_remedy);
    }
    throw Remedied<RigError>(fmt::format("{} of {} \"{}\": {}", verb, chip.open.name,
                                         chip.open.label, std::strerror(error_number)),
                             "the kernel's log may say why: sudo dmesg | tail");
}

Edge ChipLines::drive(std::uint32_t line, Level level) {
    const LineSpec& spec = specs_.at(line);
    if (spec.direction != Direction::output) {
        throw input_is_not_driven(spec);
    }
    Line& state = lines_[line];
    Chip& chip = chips_[state.place.chip];
    if (chip.is_gone || !state.output) {
        throw Remedied<RigError>(
            fmt::format("{}: {}", describe_line(spec, chip.open, state.place.offset),
                        chip.is_gone ? "the chip was unplugged"
                                     : "the line was given back to the kernel, which would not "
                                       "let go of it otherwise"),
            chip.is_gone ? unplugged_remedy : "open the bench anew");
    }
    const Edge no_edge{.line = line, .level = level, .source = EdgeSource::rig};
    const bool holds_idle_by_floating = !state.is_output && spec.drive != Drive::push_pull;
    if (state.level == level && (state.is_output || holds_idle_by_floating)) {
        return no_edge;
    }
    try {
        if (state.is_output) {
            state.output->set_value(state.place.offset, to_gpiod(level));
        } else {
            reconfigure(*state.output, state.place.offset, output_settings(spec, level));
        }
    } catch (const std::exception& error) {
        give_up(chip, fmt::format("drive line {}", spec.name), errno_of(error));
    }
    const TimestampNs at_ns = clock_.monotonic_ns();
    state.is_output = true;
    if (std::exchange(state.level, level) == level) {
        return no_edge;
    }
    return {.at_ns = at_ns,
            .seqno = ++state.seqno,
            .line = line,
            .level = level,
            .source = EdgeSource::rig};
}

void ChipLines::release(std::uint32_t line) noexcept {
    if (line >= lines_.size() || !lines_[line].output) {
        return;
    }
    Line& state = lines_[line];
    state.level = idle_level(specs_[line]);
    if (!std::exchange(state.is_output, false)) {
        return;
    }
    try {
        reconfigure(*state.output, state.place.offset, floating_settings());
    } catch (const std::exception&) {
        state.output.reset();  // The kernel frees a line that is given back.
    }
}

Level ChipLines::level(std::uint32_t line) const {
    return lines_.at(line).level;
}

bool ChipLines::is_connected() const {
    return std::none_of(chips_.begin(), chips_.end(),
                        [](const Chip& chip) { return chip.is_gone; });
}

}  // namespace rig
