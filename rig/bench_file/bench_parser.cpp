// parse_bench_file(): section by section, each key once, all problems collected.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "rig/bench_file/bench_defaults.hpp"
#include "rig/bench_file/bench_draft.hpp"

namespace rig {
namespace {

void parse_bench(BenchDraft& draft, TomlSection section) {
    section.require("name", "a name for this bench, as in name = \"bench-1\"");
    section.require("kind", "one of sim, kernel, emulator, board");
    const auto name = section.text("name");
    if (name && !is_name(*name, "-_.")) {
        section.wrong("name", fmt::format("\"{}\" may hold letters, digits, \"-\", \"_\" and \".\" "
                                          "only",
                                          *name));
    }
    draft.kind = section.choice("kind", kind_spellings);
    const auto loopback = section.text("loopback");
    section.finish();
    draft.bench = default_bench(draft.kind.value_or(BenchKind::board));
    set_if(draft.bench.name, name);
    if (loopback) {
        const auto colon = loopback->find(':');
        if (colon == std::string::npos) {
            section.wrong("loopback", fmt::format("\"{}\" is not two lines with a colon between "
                                                  "them; expected BUTTON:LED",
                                                  *loopback));
        } else {
            draft.bench.loopback = {.button = loopback->substr(0, colon),
                                    .led = loopback->substr(colon + 1)};
        }
    }
}

/// After [lines]: it names two of them.
void check_loopback(const BenchDraft& draft, TomlSection section) {
    if (draft.bench.loopback) {
        draft.check_direction(section, "loopback", draft.bench.loopback->button, Direction::output);
        draft.check_direction(section, "loopback", draft.bench.loopback->led, Direction::input);
    }
}

void parse_budgets(Budgets& budgets, TomlSection section) {
    set_if(budgets.dns_ms, section.integer("dns_ms", 1, bench_ms_max));
    set_if(budgets.connect_ms, section.integer("connect_ms", 1, bench_ms_max));
    set_if(budgets.reply_ms, section.integer("reply_ms", 1, bench_ms_max));
    budgets.press_to_led_ms = section.integer("press_to_led_ms", 1, bench_ms_max);
    budgets.press_to_frame_ms = section.integer("press_to_frame_ms", 1, bench_ms_max);
    section.finish();
}

// A board that is a server may have neither button nor LED, and so may one whose file says so: the
// rig can still serve it, switch it and read its console.
void check_that_lines_are_there(const BenchDraft& draft, BenchProblems& problems) {
    const bool may_be_none = draft.bench.target.role == TargetRole::server || draft.has_empty_lines;
    if (draft.bench.lines.empty() && (draft.is_surely({BenchKind::kernel, BenchKind::emulator}) ||
                                      (draft.is_surely({BenchKind::board}) && !may_be_none))) {
        problems.add(0, "lines", "missing; expected a table for each line, as in [lines.button0]");
    }
}

BenchFile parse(const toml::table& document, BenchProblems& problems) {
    BenchDraft draft;
    TomlSection root("", &document, problems);
    parse_bench(draft, root.section("bench"));
    parse_lines(draft, root.section("lines"));
    check_loopback(draft, root.section("bench"));
    pair_buttons(draft.bench);
    parse_target(draft, root.section("target"));
    check_that_lines_are_there(draft, problems);
    parse_budgets(draft.bench.budgets, root.section("budgets"));
    parse_server(draft, root.section("server"));
    root.finish();
    return std::move(draft.bench);
}

}  // namespace

bool BenchDraft::may_be(std::initializer_list<BenchKind> kinds) const {
    return !kind || is_surely(kinds);
}

bool BenchDraft::is_surely(std::initializer_list<BenchKind> kinds) const {
    return kind && std::find(kinds.begin(), kinds.end(), *kind) != kinds.end();
}

std::string BenchDraft::for_kinds_only(std::string_view kinds) const {
    return fmt::format("not for a bench of kind {}, only for {}", to_string(*kind), kinds);
}

void BenchDraft::check_direction(TomlSection& section, std::string_view key,
                                 const std::string& line, Direction expected) const {
    const auto index = bench.find_line(line);
    if (!index) {
        section.wrong(key, fmt::format("there is no [lines.{}]", line));
    } else if (bench.lines[*index].direction != expected) {
        section.wrong(key,
                      fmt::format("lines.{} is an {}; expected an {}", line,
                                  to_string(bench.lines[*index].direction), to_string(expected)));
    }
}

bool is_name(std::string_view text, std::string_view punctuation) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               punctuation.find(c) != std::string_view::npos;
    });
}

BenchFile parse_bench_file(std::string_view text, std::string_view name_for_errors) {
    BenchProblems problems(name_for_errors);
    BenchFile bench;
    if (text.size() > bench_file_bytes_max) {
        problems.add(0, "", fmt::format("it is longer than {} bytes", bench_file_bytes_max));
        throw BenchFileError(problems.texts());
    }
    try {
        const toml::table document = toml::parse(text);
        bench = parse(document, problems);
    } catch (const toml::parse_error& error) {
        // The parser of TOML stops at its first error; everything else is collected.
        problems.add(error.source().begin.line, "",
                     fmt::format("not valid TOML: {}", error.description()));
    }
    if (!problems.is_empty()) {
        throw BenchFileError(problems.texts());
    }
    return bench;
}

}  // namespace rig
