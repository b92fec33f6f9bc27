// BenchDraft is a bench file under check: what is known of the bench so far. Its sections are read
// one after the other, [bench] first, each by a function of its own. Private to rig/bench_file.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "rig/bench_file/bench_file.hpp"
#include "rig/bench_file/toml_section.hpp"

namespace rig {

constexpr std::int64_t bench_ms_max = 3'600'000;

struct BenchDraft {
    std::optional<BenchKind> kind;  ///< nothing: the file does not say it, or not rightly
    BenchFile bench;
    bool has_empty_lines = false;  ///< [lines] is there with nothing in it: on purpose

    /// True unless the kind is known and another: what cannot be judged is not complained about.
    [[nodiscard]] bool may_be(std::initializer_list<BenchKind> kinds) const;
    [[nodiscard]] bool is_surely(std::initializer_list<BenchKind> kinds) const;
    /// The complaint about a key of other kinds of bench. Only where the kind is known.
    [[nodiscard]] std::string for_kinds_only(std::string_view kinds) const;
    /// Reports a key that names `line`, unless there is such a line and it has that direction.
    void check_direction(TomlSection& section, std::string_view key, const std::string& line,
                         Direction expected) const;
};

/// [lines]
void parse_lines(BenchDraft& draft, TomlSection section);
/// [target]. After [lines]: it names some.
void parse_target(BenchDraft& draft, TomlSection section);
/// [target.contract]. After the rest of [target]: without a root certificate nothing is verified.
void parse_contract(BenchDraft& draft, TomlSection section);
/// [server]
void parse_server(BenchDraft& draft, TomlSection section);

template <typename T>
void set_if(T& value, std::optional<T> said) {
    if (said) {
        value = std::move(*said);
    }
}

/// Reads the name of one of the identities that certs/ makes; its default is `value`.
void parse_identity(TomlSection& section, std::string_view key, std::string& value);

/// Whether there is nothing but letters, digits and `punctuation`.
[[nodiscard]] bool is_name(std::string_view text, std::string_view punctuation);

}  // namespace rig
