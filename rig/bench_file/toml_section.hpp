// TomlSection is one table of a bench file under check: it hands out the values of keys, collects
// what is wrong with them in BenchProblems, and at the end reports every key that nobody asked for.
// Refers to the parsed document and to the problems, which must outlive it. Private to
// rig/bench_file, the only user of toml++.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rig/bench_file/spellings.hpp"

namespace rig {

/// Line of a file, from 1; 0: nowhere in particular.
using FileLine = std::uint32_t;

class BenchProblems {
  public:
    explicit BenchProblems(std::string_view file_name) : file_name_(file_name) {}

    void add(FileLine line, std::string_view key_path, std::string_view what);
    [[nodiscard]] bool is_empty() const { return problems_.empty(); }
    /// In the file's order; what has no line comes last.
    [[nodiscard]] std::vector<std::string> texts() const;

  private:
    struct Problem {
        FileLine line;
        std::string text;
    };
    std::string file_name_;
    std::vector<Problem> problems_;
};

class TomlSection {
  public:
    /// `table` may be null: the section is not in the file.
    TomlSection(std::string path, const toml::table* table, BenchProblems& problems);

    [[nodiscard]] bool is_present() const { return table_ != nullptr; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] BenchProblems& problems() const { return problems_; }

    /// The names of all keys, in the file's order, without marking them as known.
    [[nodiscard]] std::vector<std::string> keys() const;
    /// The node of a key, null if it is missing. Marks the key as known, as all that follow do.
    [[nodiscard]] const toml::node* find(std::string_view key);

    // Each gives nothing if the key is missing or wrong; wrong is a problem, missing is not.
    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t min,
                                                      std::int64_t max);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    [[nodiscard]] std::optional<std::vector<std::string>> texts(std::string_view key);
    /// As texts(), but an empty array is wrong.
    [[nodiscard]] std::optional<std::vector<std::string>> command(std::string_view key);
    template <typename Enum, std::size_t count>
    [[nodiscard]] std::optional<Enum> choice(std::string_view key,
                                             const Spellings<Enum, count>& spellings);
    /// A table below this one; not present if the key is missing or no table.
    [[nodiscard]] TomlSection section(std::string_view key);

    /// Reports a key as missing, unless it is there.
    void require(std::string_view key, std::string_view expected);
    /// Reports a key that is there and must not be.
    void refuse(std::string_view key, std::string_view reason);
    /// Reports a problem with the value of a key.
    void wrong(std::string_view key, std::string_view what);
    /// Reports keys that nobody has asked for. Call it last.
    void finish();

  private:
    [[nodiscard]] std::string path_of(std::string_view key) const;
    [[nodiscard]] std::optional<std::string> checked_text(std::string_view key,
                                                          const toml::node& node);
    void wrong_type(std::string_view key, const toml::node& node, std::string_view expected);

    std::string path_;
    const toml::table* table_;
    BenchProblems& problems_;
    std::vector<std::string> known_;
};

/// `"pushpull" is not one of open-drain, open-source, push-pull`
template <typename Enum, std::size_t count>
std::string not_one_of(std::string_view text, const Spellings<Enum, count>& spellings) {
    std::string what = "\"" + std::string(text) + "\" is not one of ";
    for (const auto& [spelling, value] : spellings) {
        what += spelling;
        what += value == spellings.back().second ? "" : ", ";
    }
    return what;
}

template <typename Enum, std::size_t count>
std::optional<Enum> value_spelt(std::string_view text, const Spellings<Enum, count>& spellings) {
    for (const auto& [spelling, value] : spellings) {
        if (spelling == text) {
            return value;
        }
    }
    return std::nullopt;
}

template <typename Enum, std::size_t count>
std::optional<Enum> TomlSection::choice(std::string_view key,
                                        const Spellings<Enum, count>& spellings) {
    const auto spelt = text(key);
    if (!spelt) {
        return std::nullopt;
    }
    const auto value = value_spelt(*spelt, spellings);
    if (!value) {
        wrong(key, not_one_of(*spelt, spellings));
    }
    return value;
}

}  // namespace rig
