#include "rig/bench_file/toml_section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <numeric>

namespace rig {
namespace {

std::string_view type_name(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "an array";
        case toml::node_type::string:
            return "a string";
        case toml::node_type::integer:
            return "an integer";
        case toml::node_type::floating_point:
            return "a floating-point number";
        case toml::node_type::boolean:
            return "a boolean";
        case toml::node_type::none:
            return "nothing";
        default:
            return "a date or time";
    }
}

FileLine line_of(const toml::node& node) {
    return node.source().begin.line;
}

/// Keys are compared as people mistake them: `plain-port` and `plainPort` are near `plain_port`.
std::string folded(std::string_view key) {
    std::string text;
    for (const char c : key) {
        if (c != '_' && c != '-') {
            text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
    }
    return text;
}

/// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

std::string nearest(std::string_view key, const std::vector<std::string>& candidates) {
    constexpr std::size_t key_bytes_max = 64;
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(1, key.size() / 3) + 1;
    if (key.size() > key_bytes_max) {
        return best;
    }
    for (const std::string& candidate : candidates) {
        const std::size_t candidate_distance = distance(folded(key), folded(candidate));
        if (candidate_distance < best_distance) {
            best = candidate;
            best_distance = candidate_distance;
        }
    }
    return best;
}

}  // namespace

void BenchProblems::add(FileLine line, std::string_view key_path, std::string_view what) {
    const std::string where = line == 0 ? file_name_ : fmt::format("{}:{}", file_name_, line);
    problems_.push_back({line, key_path.empty()
                                   ? fmt::format("{}: {}", where, what)
                                   : fmt::format("{}: {}: {}", where, key_path, what)});
}

std::vector<std::string> BenchProblems::texts() const {
    std::vector<Problem> ordered = problems_;
    std::stable_sort(ordered.begin(), ordered.end(), [](const Problem& a, const Problem& b) {
        return a.line - 1 < b.line - 1;  // 0, no line, wraps round to the end.
    });
    std::vector<std::string> texts;
    for (Problem& problem : ordered) {
        texts.push_back(std::move(problem.text));
    }
    return texts;
}

TomlSection::TomlSection(std::string path, const toml::table* table, BenchProblems& problems)
    : path_(std::move(path)), table_(table), problems_(problems) {}

std::vector<std::string> TomlSection::keys() const {
    std::vector<std::pair<toml::source_position, std::string>> found;
    if (table_ != nullptr) {
        for (const auto& [key, node] : *table_) {
            found.emplace_back(key.source().begin, key.str());
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> names;
    for (auto& [position, name] : found) {
        names.push_back(std::move(name));
    }
    return names;
}

const toml::node* TomlSection::find(std::string_view key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        known_.emplace_back(key);
    }
    return table_ == nullptr ? nullptr : table_->get(key);
}

std::optional<std::string> TomlSection::checked_text(std::string_view key, const toml::node& node) {
    const std::string& text = node.as_string()->get();
    if (text.empty()) {
        problems_.add(line_of(node), path_of(key), "must not be empty");
        return std::nullopt;
    }
    if (std::any_of(text.begin(), text.end(),
                    [](char c) { return c == 0x7F || (c >= 0 && c < ' '); })) {
        problems_.add(line_of(node), path_of(key), "must not hold control characters");
        return std::nullopt;
    }
    return text;
}

std::optional<std::string> TomlSection::text(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (!node->is_string()) {
        wrong_type(key, *node, "a string");
        return std::nullopt;
    }
    return checked_text(key, *node);
}

std::optional<std::int64_t> TomlSection::integer(std::string_view key, std::int64_t min,
                                                 std::int64_t max) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (!node->is_integer()) {
        wrong_type(key, *node, fmt::format("an integer from {} to {}", min, max));
        return std::nullopt;
    }
    const std::int64_t value = node->as_integer()->get();
    if (value < min || value > max) {
        wrong(key, fmt::format("{} is out of range; expected an integer from {} to {}", value, min,
                               max));
        return std::nullopt;
    }
    return value;
}

std::optional<bool> TomlSection::boolean(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (!node->is_boolean()) {
        wrong_type(key, *node, "true or false");
        return std::nullopt;
    }
    return node->as_boolean()->get();
}

std::optional<std::vector<std::string>> TomlSection::texts(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (!node->is_array()) {
        wrong_type(key, *node, "an array of strings");
        return std::nullopt;
    }
    std::vector<std::string> values;
    for (const toml::node& element : *node->as_array()) {
        if (!element.is_string()) {
            wrong_type(key, element, "an array of strings");
            return std::nullopt;
        }
        auto value = checked_text(key, element);
        if (!value) {
            return std::nullopt;
        }
        values.push_back(std::move(*value));
    }
    return values;
}

std::optional<std::vector<std::string>> TomlSection::command(std::string_view key) {
    auto words = texts(key);
    if (words && words->empty()) {
        wrong(key, "must not be empty; expected a program and its arguments");
        return std::nullopt;
    }
    return words;
}

TomlSection TomlSection::section(std::string_view key) {
    const toml::node* node = find(key);
    const toml::table* table = nullptr;
    if (node != nullptr) {
        table = node->as_table();
        if (table == nullptr) {
            wrong_type(key, *node, "a table");
        }
    }
    return {path_of(key), table, problems_};
}

void TomlSection::require(std::string_view key, std::string_view expected) {
    if (find(key) == nullptr) {
        const FileLine line = table_ == nullptr ? 0 : line_of(*table_);
        problems_.add(line, path_of(key), fmt::format("missing; expected {}", expected));
    }
}

void TomlSection::refuse(std::string_view key, std::string_view reason) {
    if (find(key) != nullptr) {
        wrong(key, reason);
    }
}

void TomlSection::wrong(std::string_view key, std::string_view what) {
    const toml::node* node = find(key);
    problems_.add(node == nullptr ? 0 : line_of(*node), path_of(key), what);
}

void TomlSection::wrong_type(std::string_view key, const toml::node& node,
                             std::string_view expected) {
    problems_.add(line_of(node), path_of(key),
                  fmt::format("expected {}, got {}", expected, type_name(node)));
}

void TomlSection::finish() {
    if (table_ == nullptr) {
        return;
    }
    for (const auto& [key, node] : *table_) {
        if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) {
            continue;
        }
        const std::string suggestion = nearest(key.str(), known_);
        problems_.add(key.source().begin.line, path_of(key.str()),
                      suggestion.empty()
                          ? fmt::format("unknown key; expected one of {}", fmt::join(known_, ", "))
                          : fmt::format("unknown key; did you mean \"{}\"?", suggestion));
    }
}

std::string TomlSection::path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

}  // namespace rig
