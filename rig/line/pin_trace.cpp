#include "rig/line/pin_trace.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace rig {
namespace {

constexpr std::string_view folder = "/machine/unattached";
constexpr unsigned ports_count = 7;
constexpr unsigned pins_per_port = 8;

/// Takes a number off the front of `text`.
template <typename Number>
bool take_number(std::string_view& text, Number& number) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    return error == std::errc();
}

bool take_text(std::string_view& text, std::string_view expected) {
    const bool is_there = text.starts_with(expected);
    text.remove_prefix(is_there ? expected.size() : 0);
    return is_there;
}

/// "4185@1795277265.095501:" before the event's name.
bool take_stamp(std::string_view& text, std::int64_t& wall_ns) {
    std::int64_t process = 0;
    std::int64_t seconds = 0;
    std::int64_t microseconds = 0;
    const bool is_there = take_number(text, process) && take_text(text, "@") &&
                          take_number(text, seconds) && take_text(text, ".") &&
                          take_number(text, microseconds) && take_text(text, ":");
    wall_ns = seconds * ns_per_s + microseconds * ns_per_us;
    return is_there;
}

}  // namespace

std::optional<Pin> pin_from(std::string_view text) {
    if (text.size() != 3 || text[0] != 'P' || text[1] < 'A' ||
        text[1] >= static_cast<char>('A' + ports_count) || text[2] < '0' ||
        text[2] >= static_cast<char>('0' + pins_per_port)) {
        return std::nullopt;
    }
    return Pin{.port = text[1], .number = static_cast<unsigned>(text[2] - '0')};
}

std::optional<PinChange> parse_pin_change(std::string_view line, bool& is_damaged) {
    constexpr std::string_view event = "pl061_set_output ";
    if (line.find(event) == std::string_view::npos) {
        return std::nullopt;
    }
    PinChange change;
    unsigned level = 0;
    if (take_stamp(line, change.wall_ns) && take_text(line, event)) {
        const auto end = line.find(' ');
        change.chip = line.substr(0, end);
        line.remove_prefix(change.chip.size());
        if (take_text(line, " setting output ") && take_number(line, change.number) &&
            take_text(line, " to ") && take_number(line, level) && line.empty() &&
            change.number < pins_per_port && level <= 1) {
            change.level = static_cast<Level>(level);
            return change;
        }
    }
    is_damaged = true;
    return std::nullopt;
}

std::map<std::string, char> ports_from_qom_list(std::string_view answer_json) {
    const auto answer = nlohmann::json::parse(answer_json, nullptr, false);
    std::map<unsigned, std::string> chips;  // by the number of the device
    for (const auto& entry : answer.is_array() ? answer : nlohmann::json::array()) {
        if (!entry.is_object() || entry.value("type", "") != "child<pl061_luminary>") {
            continue;
        }
        const std::string name = entry.value("name", "");
        std::string_view text = name;
        unsigned number = 0;
        if (take_text(text, "device[") && take_number(text, number) && text == "]") {
            chips[number] = std::string(folder) + "/" + name;
        }
    }
    std::map<std::string, char> ports;
    if (chips.size() == ports_count) {
        char port = 'A';
        for (const auto& [number, path] : chips) {
            ports[path] = port++;
        }
    }
    return ports;
}

}  // namespace rig
