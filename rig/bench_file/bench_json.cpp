#include <nlohmann/json.hpp>

#include <utility>

#include "rig/bench_file/bench_file.hpp"

namespace rig {
namespace {

using nlohmann::ordered_json;

/// What a bench does not have is null, so that every key is always there.
ordered_json text_or_null(const std::string& text) {
    return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json number_or_null(const std::optional<std::int64_t>& number) {
    return number ? ordered_json(*number) : ordered_json();
}

ordered_json json_of(const LineSpec& line) {
    ordered_json json;
    json["chip"] = text_or_null(line.chip);
    json["line"] = line.line;
    json["direction"] = to_string(line.direction);
    json["active"] = to_string(line.active);
    if (line.direction == Direction::output) {
        json["drive"] = to_string(line.drive);
    } else {
        json["debounce_us"] = line.debounce_us;
    }
    json["bias"] = to_string(line.bias);
    return json;
}

ordered_json json_of(const Contract& contract) {
    ordered_json json;
    json["first_value"] = contract.first_value;
    json["led_before_frame"] = to_string(contract.led_before_frame);
    json["reads_reply"] = contract.reads_reply;
    json["debounce_ms"] = contract.debounce_ms;
    json["retries"] = contract.retries;
    json["verifies"] = ordered_json::array();
    for (const Verifies what : contract.verifies) {
        json["verifies"].push_back(to_string(what));
    }
    json["buttons"] = ordered_json::object();
    for (const auto& [name, button] : contract.buttons) {
        ordered_json& entry = json["buttons"][name];
        entry["led"] = text_or_null(button.led);
        entry["secure"] = button.secure;
    }
    return json;
}

ordered_json json_of(const std::optional<SerialConsole>& console) {
    if (!console) {
        return nullptr;
    }
    return {{"port", console->port}, {"baud", console->baud}};
}

ordered_json json_of(const std::optional<ResetSpec>& reset) {
    if (!reset) {
        return nullptr;
    }
    if (reset->line.empty()) {
        return {{"command", reset->command}, {"timeout_ms", reset->timeout_ms}};
    }
    return {{"line", reset->line}, {"hold_ms", reset->hold_ms}};
}

ordered_json json_of(const std::optional<PowerSpec>& power) {
    if (!power) {
        return nullptr;
    }
    if (power->line.empty()) {
        ordered_json command = {{"on", power->on_command}, {"off", power->off_command}};
        return {{"command", std::move(command)},
                {"off_ms", power->off_ms},
                {"timeout_ms", power->timeout_ms}};
    }
    return {{"line", power->line}, {"off_ms", power->off_ms}};
}

ordered_json json_of(const std::optional<bool>& answer) {
    return answer ? ordered_json(*answer) : ordered_json(nullptr);
}

ordered_json json_of(const ServesSpec& serves) {
    ordered_json json;
    json["address"] = text_or_null(serves.address);
    json["plain_port"] = serves.plain_port;
    json["tls_port"] = serves.tls_port;
    json["one_at_a_time"] = json_of(serves.one_at_a_time);
    json["keep_open"] = json_of(serves.keep_open);
    json["client_identity"] = text_or_null(serves.client_identity);
    return json;
}

ordered_json json_of(const BenchFile& bench) {
    const TargetSpec& target = bench.target;
    ordered_json json;
    json["device"] = mac_text(target.mac);
    json["device_id"] = bench.device_id();
    json["role"] = to_string(target.role);
    json["serves"] =
        target.role == TargetRole::server ? json_of(target.serves) : ordered_json(nullptr);
    json["console"] = json_of(target.console);
    json["reset"] = json_of(target.reset);
    json["power"] = json_of(target.power);
    json["flash"] = target.flash;
    json["flash_timeout_ms"] = target.flash_timeout_ms;
    json["app"] = text_or_null(target.app);
    json["app_settings"] = target.app_settings;
    json["app_lab_names"] = target.app_lab_names;
    json["program"] = text_or_null(target.program);
    json["arguments"] = target.arguments;
    json["environment"] = target.environment;
    json["speed"] =
        bench.kind == BenchKind::emulator ? ordered_json(to_string(target.speed)) : ordered_json();
    json["root_certificate"] = target.root_certificate;
    json["ready"] = text_or_null(target.ready);
    json["ready_timeout_ms"] = target.ready_timeout_ms;
    json["contract"] = json_of(target.contract);
    return json;
}

ordered_json json_of(const ServerSpec& server) {
    ordered_json json;
    json["address"] = text_or_null(server.address);
    json["names"] = server.names;
    json["plain_port"] = server.plain_port;
    json["tls_port"] = server.tls_port;
    json["identity"] = server.identity;
    json["tls_profile"] = to_string(server.tls_profile);
    return json;
}

}  // namespace

std::string to_json(const BenchFile& bench) {
    ordered_json json;
    json["bench"] = {{"name", bench.name},
                     {"kind", to_string(bench.kind)},
                     {"folder", text_or_null(bench.folder)},
                     {"loopback", bench.loopback ? ordered_json(bench.loopback->button + ":" +
                                                                bench.loopback->led)
                                                 : ordered_json()}};
    json["lines"] = ordered_json::object();
    for (const LineSpec& line : bench.lines) {
        json["lines"][line.name] = json_of(line);
    }
    json["target"] = json_of(bench);
    json["budgets"] = {{"dns_ms", bench.budgets.dns_ms},
                       {"connect_ms", bench.budgets.connect_ms},
                       {"reply_ms", bench.budgets.reply_ms},
                       {"press_to_led_ms", number_or_null(bench.budgets.press_to_led_ms)},
                       {"press_to_frame_ms", number_or_null(bench.budgets.press_to_frame_ms)}};
    json["server"] = json_of(bench.server);
    // A path need not be UTF-8.
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace rig
