#include <nlohmann/json.hpp>

#include "rig/bench_file/bench_file.hpp"

namespace rig {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const LineSpec& line) {
    ordered_json json;
    if (!line.chip.empty()) {
        json["chip"] = line.chip;
    }
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
        if (!button.led.empty()) {
            entry["led"] = button.led;
        }
        entry["secure"] = button.secure;
    }
    return json;
}

void add_controls(const TargetSpec& target, ordered_json& json) {
    if (target.console) {
        json["console"] = {{"port", target.console->port}, {"baud", target.console->baud}};
    }
    if (target.reset && target.reset->line.empty()) {
        json["reset"] = {{"command", target.reset->command}};
    } else if (target.reset) {
        json["reset"] = {{"line", target.reset->line}, {"hold_ms", target.reset->hold_ms}};
    }
    if (target.power && target.power->line.empty()) {
        json["power"]["command"] = {{"on", target.power->on_command},
                                    {"off", target.power->off_command}};
    } else if (target.power) {
        json["power"] = {{"line", target.power->line}};
    }
    if (!target.flash.empty()) {
        json["flash"] = target.flash;
    }
}

ordered_json json_of(const BenchFile& bench) {
    const TargetSpec& target = bench.target;
    ordered_json json;
    json["device"] = mac_text(target.mac);
    json["device_id"] = bench.device_id();
    add_controls(target, json);
    if (!target.app.empty()) {
        json["app"] = target.app;
    }
    if (!target.program.empty()) {
        json["program"] = target.program;
        json["arguments"] = target.arguments;
        json["environment"] = target.environment;
    }
    json["root_certificate"] = target.root_certificate;
    if (!target.ready.empty()) {
        json["ready"] = target.ready;
        json["ready_timeout_ms"] = target.ready_timeout_ms;
    }
    json["contract"] = json_of(target.contract);
    return json;
}

ordered_json json_of(const ServerSpec& server) {
    ordered_json json;
    if (!server.address.empty()) {
        json["address"] = server.address;
    }
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
    json["bench"] = {{"name", bench.name}, {"kind", to_string(bench.kind)}};
    json["lines"] = ordered_json::object();
    for (const LineSpec& line : bench.lines) {
        json["lines"][line.name] = json_of(line);
    }
    json["target"] = json_of(bench);
    json["budgets"] = {{"dns_ms", bench.budgets.dns_ms},
                       {"connect_ms", bench.budgets.connect_ms},
                       {"reply_ms", bench.budgets.reply_ms}};
    json["server"] = json_of(bench.server);
    // A path need not be UTF-8.
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace rig
