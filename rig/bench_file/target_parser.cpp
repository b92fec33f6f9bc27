#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

#include "rig/bench_file/bench_draft.hpp"
#include "rig/bench_file/spellings.hpp"

namespace rig {
namespace {

constexpr std::int64_t baud_max = 4'000'000;

std::optional<std::uint8_t> hex_digit(char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto at = digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    return static_cast<std::uint8_t>(at);
}

std::optional<std::array<std::uint8_t, 6>> mac_from(std::string_view text) {
    constexpr std::size_t stride = 3;
    std::array<std::uint8_t, 6> mac{};
    if (text.size() != mac.size() * stride - 1) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < mac.size(); ++i) {
        const auto high = hex_digit(text[i * stride]);
        const auto low = hex_digit(text[i * stride + 1]);
        const bool is_separated = i + 1 == mac.size() || text[i * stride + 2] == ':';
        if (!high || !low || !is_separated) {
            return std::nullopt;
        }
        mac[i] = static_cast<std::uint8_t>(*high << 4U | *low);
    }
    return mac;
}

/// Reads a table that may be switched off by the text "none"; not present in that case.
std::optional<TomlSection> table_or_none(TomlSection& section, std::string_view key,
                                         std::string_view example) {
    const toml::node* node = section.find(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (node->is_table()) {
        return section.section(key);
    }
    if (node->value<std::string_view>() != "none") {
        section.wrong(key, fmt::format("expected {} or \"none\"", example));
    }
    return std::nullopt;
}

/// Keys without `app` are refused, and so is a program besides an application to build.
void parse_app(BenchDraft& draft, TomlSection& section) {
    TargetSpec& target = draft.bench.target;
    const auto app = section.text("app");
    TomlSection settings = section.section("app_settings");
    const auto lab_names = section.boolean("app_lab_names");
    if (!app) {
        for (const std::string_view key : {"app_settings", "app_lab_names"}) {
            section.refuse(key, "needs an application; expected target.app too");
        }
    } else if (draft.is_surely({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
        section.refuse("program", "target.app says what runs there; expected one of the two");
        // The defaults are those of our own firmware; of this one nothing is known.
        target.program.clear();
        target.ready.clear();
        target.contract.led_before_frame = LedBeforeFrame::either;
        target.contract.verifies.clear();
    }
    set_if(target.app, app);
    for (const std::string& name : settings.keys()) {
        const auto value = settings.text(name);
        if (!is_name(name, "_") || hex_digit(name.front()).value_or(16) < 10) {
            settings.wrong(name, "is not the name of a variable");
        } else if (value) {
            target.app_settings.emplace(name, *value);
        }
    }
    set_if(target.app_lab_names, lab_names);
}

void parse_serves(BenchDraft& draft, TomlSection serves) {
    ServesSpec& spec = draft.bench.target.serves;
    if (draft.may_be({BenchKind::board})) {
        if (draft.is_surely({BenchKind::board})) {
            serves.require("address", "the address of the board's server");
        }
        set_if(spec.address, serves.text("address"));
    } else {
        serves.refuse("address", draft.for_kinds_only("board"));
    }
    constexpr std::int64_t port_max = std::numeric_limits<std::uint16_t>::max();
    if (const auto port = serves.integer("plain_port", 0, port_max)) {
        spec.plain_port = static_cast<std::uint16_t>(*port);
    }
    if (const auto port = serves.integer("tls_port", 0, port_max)) {
        spec.tls_port = static_cast<std::uint16_t>(*port);
    }
    if (spec.plain_port == spec.tls_port) {
        serves.wrong(serves.find("tls_port") != nullptr ? "tls_port" : "plain_port",
                     fmt::format("{} is the plain port and the TLS port", spec.tls_port));
    }
    spec.one_at_a_time = serves.boolean("one_at_a_time");
    spec.keep_open = serves.boolean("keep_open");
    parse_identity(serves, "client_identity", spec.client_identity);
    if (spec.tls_port == 0) {
        serves.refuse("client_identity",
                      "is shown over TLS only; expected a tls_port other than 0");
    }
    serves.finish();
}

// Before the firmware: what runs there unless the file says it follows from the role.
void parse_role(BenchDraft& draft, TomlSection& section) {
    TargetSpec& target = draft.bench.target;
    set_if(target.role, section.choice("role", target_role_spellings));
    if (target.role == TargetRole::client) {
        section.refuse("serves", "is for a target whose role is server");
        return;
    }
    if (draft.is_surely({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
        target.program = "server_table";
        target.ready = "listening: 0";
    }
    parse_serves(draft, section.section("serves"));
}

void parse_firmware(BenchDraft& draft, TomlSection& section) {
    TargetSpec& target = draft.bench.target;
    parse_app(draft, section);
    if (draft.may_be({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
        set_if(target.program, section.text("program"));
    } else {
        section.refuse("program", draft.for_kinds_only("sim, kernel and emulator"));
    }
    if (draft.may_be({BenchKind::sim, BenchKind::kernel})) {
        set_if(target.arguments, section.texts("arguments"));
        TomlSection environment = section.section("environment");
        for (const std::string& name : environment.keys()) {
            const auto value = environment.text(name);
            if (name.empty() || name.find('=') != std::string::npos || name == "WWEP_WIRE_FD") {
                environment.wrong(name, "cannot be set here");
            } else if (value) {
                target.environment.emplace(name, *value);
            }
        }
    } else {
        section.refuse("arguments", draft.for_kinds_only("sim and kernel"));
        section.refuse("environment", draft.for_kinds_only("sim and kernel"));
    }
    if (draft.may_be({BenchKind::emulator})) {
        set_if(target.speed, section.choice("speed", target_speed_spellings));
    } else {
        section.refuse("speed", draft.for_kinds_only("emulator"));
    }
    if (const auto root = section.text("root_certificate")) {
        target.root_certificate = *root;
        if (*root != "ca" && *root != "none" && root->find('/') == std::string::npos) {
            section.wrong(
                "root_certificate",
                fmt::format("\"{}\" is not one of ca, none, or a path with a slash", *root));
        }
        if (*root == "none") {
            target.contract.verifies.clear();  // The default; what the file says comes later.
        }
    }
}

void parse_console(BenchDraft& draft, TomlSection& section) {
    TargetSpec& target = draft.bench.target;
    if (auto console =
            table_or_none(section, "console", "{ port = \"/dev/ttyUSB0\", baud = 115200 }")) {
        if (draft.is_surely({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
            section.wrong("console", draft.for_kinds_only("board"));
        }
        target.console.emplace();
        console->require("port", "the path of a serial port");
        set_if(target.console->port, console->text("port"));
        set_if(target.console->baud, console->integer("baud", 50, baud_max));
        console->finish();
    }
    set_if(target.ready, section.text("ready"));
    set_if(target.ready_timeout_ms, section.integer("ready_timeout_ms", 1, bench_ms_max));
    if (draft.is_surely({BenchKind::board}) && !target.ready.empty() && !target.console) {
        section.wrong("ready", "needs a console to appear on; expected target.console too");
    }
}

void parse_reset(BenchDraft& draft, TomlSection& section) {
    auto reset =
        table_or_none(section, "reset", "{ line = \"reset\", hold_ms = 100 }, { command = [...] }");
    if (!reset) {
        return;
    }
    if (draft.is_surely({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
        section.wrong("reset", draft.for_kinds_only("board"));
    }
    ResetSpec spec;
    const bool has_line = reset->find("line") != nullptr;
    const bool has_command = reset->find("command") != nullptr;
    if (has_line == has_command) {
        section.wrong("reset", "expected either line or command");
    }
    if (const auto line = reset->text("line")) {
        spec.line = *line;
        draft.check_direction(*reset, "line", *line, Direction::output);
    }
    set_if(spec.command, reset->command("command"));
    set_if(spec.hold_ms, reset->integer("hold_ms", 1, bench_ms_max));
    if (has_command && !has_line) {
        reset->refuse("hold_ms", "is for a reset by a line, and this one is by a command");
        set_if(spec.timeout_ms, reset->integer("timeout_ms", 1, bench_ms_max));
    } else {
        reset->refuse("timeout_ms", "is for a reset by a command, and this one is by a line");
    }
    reset->finish();
    draft.bench.target.reset = std::move(spec);
}

void parse_power(BenchDraft& draft, TomlSection& section) {
    auto power = table_or_none(section, "power",
                               "{ line = \"power\" }, { command = { on = [...], off = [...] } }");
    if (!power) {
        return;
    }
    if (draft.is_surely({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
        section.wrong("power", draft.for_kinds_only("board"));
    }
    PowerSpec spec;
    const bool has_line = power->find("line") != nullptr;
    const bool has_command = power->find("command") != nullptr;
    if (has_line == has_command) {
        section.wrong("power", "expected either line or command");
    }
    if (const auto line = power->text("line")) {
        spec.line = *line;
        draft.check_direction(*power, "line", *line, Direction::output);
    }
    TomlSection command = power->section("command");
    if (command.is_present()) {
        command.require("on", "a program and its arguments");
        command.require("off", "a program and its arguments");
        set_if(spec.on_command, command.command("on"));
        set_if(spec.off_command, command.command("off"));
        command.finish();
        set_if(spec.timeout_ms, power->integer("timeout_ms", 1, bench_ms_max));
    } else {
        power->refuse("timeout_ms", "is for power by commands, and this one is by a line");
    }
    set_if(spec.off_ms, power->integer("off_ms", 1, bench_ms_max));
    power->finish();
    draft.bench.target.power = std::move(spec);
}

void parse_flash(BenchDraft& draft, TomlSection& section) {
    if (!draft.may_be({BenchKind::board})) {
        section.refuse("flash", draft.for_kinds_only("board"));
        return;
    }
    if (auto flash = section.command("flash")) {
        if (std::none_of(flash->begin(), flash->end(), [](const std::string& word) {
                return word.find("{image}") != std::string::npos;
            })) {
            section.wrong("flash",
                          "no argument holds {image}, which stands for the image to flash");
        }
        draft.bench.target.flash = std::move(*flash);
    }
    set_if(draft.bench.target.flash_timeout_ms,
           section.integer("flash_timeout_ms", 1, bench_ms_max));
}

}  // namespace

void parse_target(BenchDraft& draft, TomlSection section) {
    if (draft.is_surely({BenchKind::board})) {
        section.require("device", "the board's MAC address, as in device = \"02:00:00:00:00:01\"");
    }
    if (const auto device = section.text("device")) {
        if (const auto mac = mac_from(*device)) {
            draft.bench.target.mac = *mac;
        } else {
            section.wrong("device", fmt::format("\"{}\" is not a MAC address; expected six pairs "
                                                "of hex digits, as in \"02:00:00:00:00:01\"",
                                                *device));
        }
    }
    parse_role(draft, section);
    parse_firmware(draft, section);
    parse_console(draft, section);
    parse_reset(draft, section);
    parse_power(draft, section);
    parse_flash(draft, section);
    parse_contract(draft, section.section("contract"));
    section.finish();
}

}  // namespace rig
