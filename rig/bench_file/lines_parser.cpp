#include <fmt/format.h>

#include <limits>

#include "rig/bench_file/bench_draft.hpp"

namespace rig {
namespace {

constexpr std::int64_t debounce_us_max = 1'000'000;
constexpr std::int64_t pin_max = 31;  // What a wire can name.

void parse_place(const BenchDraft& draft, TomlSection& section, LineSpec& line) {
    if (draft.is_surely({BenchKind::sim, BenchKind::emulator})) {
        section.refuse("chip", draft.for_kinds_only("kernel and board"));
    } else {
        if (draft.kind) {
            section.require("chip", "the path, label or name of a GPIO chip");
        }
        set_if(line.chip, section.text("chip"));
    }

    const bool is_sim = draft.is_surely({BenchKind::sim});
    section.require("line", is_sim ? "the number of a pin of the simulated board"
                            : draft.is_surely({BenchKind::emulator})
                                ? "a pin of the emulated board, as in line = \"PF1\""
                                : "the offset of a line of the chip, or its name");
    const toml::node* node = section.find("line");
    if (node == nullptr) {
        return;
    }
    if (draft.is_surely({BenchKind::emulator})) {
        set_if(line.line, section.text("line"));
        const std::string& pin = line.line;
        const bool is_pin = pin.size() == 3 && pin[0] == 'P' && pin[1] >= 'A' && pin[1] <= 'G' &&
                            pin[2] >= '0' && pin[2] <= '7';
        if (!pin.empty() && !is_pin) {
            section.wrong("line", fmt::format("\"{}\" is not a pin of the emulated board; expected "
                                              "PA0 to PG7",
                                              pin));
        }
    } else if (node->is_string() && !is_sim) {
        set_if(line.line, section.text("line"));
    } else if (const auto offset = section.integer(
                   "line", 0,
                   is_sim ? pin_max : std::int64_t{std::numeric_limits<std::uint16_t>::max()})) {
        line.line = std::to_string(*offset);
    }
}

void parse_drive(TomlSection& section, LineSpec& line) {
    if (line.direction == Direction::input) {
        section.refuse("drive", "is for outputs, and this line is an input");
        set_if(line.debounce_us, section.integer("debounce_us", 0, debounce_us_max));
        return;
    }
    section.refuse("debounce_us", "is for inputs, and this line is an output");
    line.drive = line.active == Active::low ? Drive::open_drain : Drive::open_source;
    set_if(line.drive, section.choice("drive", drive_spellings));
    // A released line must be an inactive one: a rig that dies would press the button for ever.
    if (line.drive == Drive::open_drain && line.active == Active::high) {
        section.wrong("drive",
                      "\"open-drain\" cannot drive high, and this line is active high; "
                      "expected open-source or push-pull");
    }
    if (line.drive == Drive::open_source && line.active == Active::low) {
        section.wrong("drive",
                      "\"open-source\" cannot drive low, and this line is active low; "
                      "expected open-drain or push-pull");
    }
}

void parse_line(BenchDraft& draft, TomlSection section, const std::string& name) {
    if (!section.is_present()) {
        return;  // No table: said already.
    }
    LineSpec line;
    line.name = name;
    line.direction = name.starts_with("led") ? Direction::input : Direction::output;
    set_if(line.direction, section.choice("direction", direction_spellings));
    line.active = line.direction == Direction::output ? Active::low : Active::high;
    set_if(line.active, section.choice("active", active_spellings));
    parse_place(draft, section, line);
    parse_drive(section, line);
    set_if(line.bias, section.choice("bias", bias_spellings));
    section.finish();
    draft.bench.lines.push_back(std::move(line));
}

void check_places(const BenchDraft& draft, TomlSection& lines) {
    for (std::size_t i = 0; i < draft.bench.lines.size(); ++i) {
        for (std::size_t j = 0; j < i && !draft.bench.lines[i].line.empty(); ++j) {
            const LineSpec& first = draft.bench.lines[j];
            const LineSpec& second = draft.bench.lines[i];
            if (first.chip == second.chip && first.line == second.line) {
                TomlSection section = lines.section(second.name);
                section.wrong(
                    "line", second.chip.empty()
                                ? fmt::format("pin {} is lines.{} already", second.line, first.name)
                                : fmt::format("line {} of {} is lines.{} already", second.line,
                                              second.chip, first.name));
                break;
            }
        }
    }
}

}  // namespace

void parse_lines(BenchDraft& draft, TomlSection section) {
    const std::vector<std::string> names = section.keys();
    if (names.empty()) {
        draft.has_empty_lines = section.is_present();
        return;  // whether some are needed depends on the target
    }
    draft.bench.lines.clear();
    for (const std::string& name : names) {
        if (!is_name(name, "_-")) {
            section.wrong(name,
                          "the name of a line may hold letters, digits, \"_\" and \"-\" only");
        }
        parse_line(draft, section.section(name), name);
    }
    if (draft.bench.lines.size() > bench_lines_max) {
        section.problems().add(0, "lines",
                               fmt::format("{} lines are described; at most {} can be",
                                           draft.bench.lines.size(), bench_lines_max));
    }
    check_places(draft, section);
}

}  // namespace rig
