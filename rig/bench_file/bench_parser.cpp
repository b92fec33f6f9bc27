// parse_bench_file(): section by section, each key once, all problems collected.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include "rig/bench_file/bench_defaults.hpp"
#include "rig/bench_file/bench_file.hpp"
#include "rig/bench_file/toml_section.hpp"

namespace rig {
namespace {

constexpr std::int64_t ms_max = 3'600'000;
constexpr std::int64_t debounce_us_max = 1'000'000;
constexpr std::int64_t debounce_ms_max = 10'000;
constexpr std::int64_t baud_max = 4'000'000;
constexpr std::int64_t retries_max = 100;
constexpr std::int64_t pin_max = 31;  // What a wire can name.

template <typename T>
void set_if(T& value, std::optional<T> said) {
    if (said) {
        value = std::move(*said);
    }
}

bool is_name(std::string_view text, std::string_view punctuation) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               punctuation.find(c) != std::string_view::npos;
    });
}

bool is_address(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> binary{};
    return ::inet_pton(AF_INET, text.c_str(), binary.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), binary.data()) == 1;
}

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

class BenchParser {
  public:
    explicit BenchParser(BenchProblems& problems) : problems_(problems) {}

    BenchFile parse(const toml::table& document);

  private:
    void parse_bench(TomlSection section);
    void parse_lines(TomlSection section);
    void parse_line(TomlSection section, const std::string& name);
    void parse_place(TomlSection& section, LineSpec& line);
    void parse_drive(TomlSection& section, LineSpec& line);
    void check_places(TomlSection& lines);
    void parse_target(TomlSection section);
    void parse_firmware(TomlSection& section);
    void parse_console(TomlSection& section);
    void parse_reset(TomlSection& section);
    void parse_power(TomlSection& section);
    void parse_flash(TomlSection& section);
    void parse_contract(TomlSection section);
    void parse_verifies(TomlSection& section);
    void parse_button_contract(TomlSection section, const std::string& name);
    void parse_budgets(TomlSection section);
    void parse_server(TomlSection section);

    /// True unless the kind is known and another: what cannot be judged is not complained about.
    [[nodiscard]] bool may_be(std::initializer_list<BenchKind> kinds) const;
    [[nodiscard]] bool is_surely(std::initializer_list<BenchKind> kinds) const;
    [[nodiscard]] std::string for_kinds_only(std::string_view kinds) const;
    void check_output_line(TomlSection& section, std::string_view key, const std::string& name);
    /// Reads a table that may be switched off by the text "none"; not present in that case.
    [[nodiscard]] std::optional<TomlSection> table_or_none(TomlSection& section,
                                                           std::string_view key,
                                                           std::string_view example);

    BenchProblems& problems_;
    std::optional<BenchKind> kind_;
    BenchFile bench_;
};

bool BenchParser::may_be(std::initializer_list<BenchKind> kinds) const {
    return !kind_ || is_surely(kinds);
}

bool BenchParser::is_surely(std::initializer_list<BenchKind> kinds) const {
    return kind_ && std::find(kinds.begin(), kinds.end(), *kind_) != kinds.end();
}

std::string BenchParser::for_kinds_only(std::string_view kinds) const {
    return fmt::format("not for a bench of kind {}, only for {}", to_string(*kind_), kinds);
}

BenchFile BenchParser::parse(const toml::table& document) {
    TomlSection root("", &document, problems_);
    parse_bench(root.section("bench"));
    parse_lines(root.section("lines"));
    pair_buttons(bench_);
    parse_target(root.section("target"));
    parse_budgets(root.section("budgets"));
    parse_server(root.section("server"));
    root.finish();
    return std::move(bench_);
}

void BenchParser::parse_bench(TomlSection section) {
    section.require("name", "a name for this bench, as in name = \"bench-1\"");
    section.require("kind", "one of sim, kernel, emulator, board");
    const auto name = section.text("name");
    if (name && !is_name(*name, "-_.")) {
        section.wrong("name", fmt::format("\"{}\" may hold letters, digits, \"-\", \"_\" and \".\" "
                                          "only",
                                          *name));
    }
    kind_ = section.choice("kind", kind_spellings);
    section.finish();
    bench_ = default_bench(kind_.value_or(BenchKind::board));
    set_if(bench_.name, name);
}

void BenchParser::parse_lines(TomlSection section) {
    const std::vector<std::string> names = section.keys();
    if (names.empty()) {
        if (is_surely({BenchKind::kernel, BenchKind::emulator, BenchKind::board})) {
            problems_.add(0, "lines",
                          "missing; expected a table for each line, as in [lines.button0]");
        }
        return;
    }
    bench_.lines.clear();
    for (const std::string& name : names) {
        if (!is_name(name, "_-")) {
            section.wrong(name,
                          "the name of a line may hold letters, digits, \"_\" and \"-\" only");
        }
        parse_line(section.section(name), name);
    }
    if (bench_.lines.size() > bench_lines_max) {
        problems_.add(0, "lines",
                      fmt::format("{} lines are described; at most {} can be", bench_.lines.size(),
                                  bench_lines_max));
    }
    check_places(section);
}

void BenchParser::parse_line(TomlSection section, const std::string& name) {
    if (!section.is_present()) {
        return;  // No table: said already.
    }
    LineSpec line;
    line.name = name;
    line.direction = name.starts_with("led") ? Direction::input : Direction::output;
    set_if(line.direction, section.choice("direction", direction_spellings));
    line.active = line.direction == Direction::output ? Active::low : Active::high;
    set_if(line.active, section.choice("active", active_spellings));
    parse_place(section, line);
    parse_drive(section, line);
    set_if(line.bias, section.choice("bias", bias_spellings));
    section.finish();
    bench_.lines.push_back(std::move(line));
}

void BenchParser::parse_place(TomlSection& section, LineSpec& line) {
    if (is_surely({BenchKind::sim, BenchKind::emulator})) {
        section.refuse("chip", for_kinds_only("kernel and board"));
    } else {
        if (kind_) {
            section.require("chip", "the path, label or name of a GPIO chip");
        }
        set_if(line.chip, section.text("chip"));
    }

    const bool is_sim = is_surely({BenchKind::sim});
    section.require("line", is_sim ? "the number of a pin of the simulated board"
                            : is_surely({BenchKind::emulator})
                                ? "a pin of the emulated board, as in line = \"PF1\""
                                : "the offset of a line of the chip, or its name");
    const toml::node* node = section.find("line");
    if (node == nullptr) {
        return;
    }
    if (is_surely({BenchKind::emulator})) {
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

void BenchParser::parse_drive(TomlSection& section, LineSpec& line) {
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

void BenchParser::check_places(TomlSection& lines) {
    for (std::size_t i = 0; i < bench_.lines.size(); ++i) {
        for (std::size_t j = 0; j < i && !bench_.lines[i].line.empty(); ++j) {
            const LineSpec& first = bench_.lines[j];
            const LineSpec& second = bench_.lines[i];
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

void BenchParser::parse_target(TomlSection section) {
    if (is_surely({BenchKind::board})) {
        section.require("device", "the board's MAC address, as in device = \"02:00:00:00:00:01\"");
    }
    if (const auto device = section.text("device")) {
        if (const auto mac = mac_from(*device)) {
            bench_.target.mac = *mac;
        } else {
            section.wrong("device", fmt::format("\"{}\" is not a MAC address; expected six pairs "
                                                "of hex digits, as in \"02:00:00:00:00:01\"",
                                                *device));
        }
    }
    parse_firmware(section);
    parse_console(section);
    parse_reset(section);
    parse_power(section);
    parse_flash(section);
    parse_contract(section.section("contract"));
    section.finish();
}

void BenchParser::parse_firmware(TomlSection& section) {
    TargetSpec& target = bench_.target;
    set_if(target.app, section.text("app"));
    if (may_be({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
        set_if(target.program, section.text("program"));
    } else {
        section.refuse("program", for_kinds_only("sim, kernel and emulator"));
    }
    if (may_be({BenchKind::sim, BenchKind::kernel})) {
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
        section.refuse("arguments", for_kinds_only("sim and kernel"));
        section.refuse("environment", for_kinds_only("sim and kernel"));
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

std::optional<TomlSection> BenchParser::table_or_none(TomlSection& section, std::string_view key,
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

void BenchParser::parse_console(TomlSection& section) {
    TargetSpec& target = bench_.target;
    if (auto console =
            table_or_none(section, "console", "{ port = \"/dev/ttyUSB0\", baud = 115200 }")) {
        if (is_surely({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
            section.wrong("console", for_kinds_only("board"));
        }
        target.console.emplace();
        console->require("port", "the path of a serial port");
        set_if(target.console->port, console->text("port"));
        set_if(target.console->baud, console->integer("baud", 50, baud_max));
        console->finish();
    }
    set_if(target.ready, section.text("ready"));
    set_if(target.ready_timeout_ms, section.integer("ready_timeout_ms", 1, ms_max));
    if (is_surely({BenchKind::board}) && !target.ready.empty() && !target.console) {
        section.wrong("ready", "needs a console to appear on; expected target.console too");
    }
}

void BenchParser::check_output_line(TomlSection& section, std::string_view key,
                                    const std::string& name) {
    const auto index = bench_.find_line(name);
    if (!index) {
        section.wrong(key, fmt::format("there is no [lines.{}]", name));
    } else if (bench_.lines[*index].direction != Direction::output) {
        section.wrong(key, fmt::format("lines.{} is an input; expected an output", name));
    }
}

void BenchParser::parse_reset(TomlSection& section) {
    auto reset =
        table_or_none(section, "reset", "{ line = \"reset\", hold_ms = 100 }, { command = [...] }");
    if (!reset) {
        return;
    }
    if (is_surely({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
        section.wrong("reset", for_kinds_only("board"));
    }
    ResetSpec spec;
    const bool has_line = reset->find("line") != nullptr;
    const bool has_command = reset->find("command") != nullptr;
    if (has_line == has_command) {
        section.wrong("reset", "expected either line or command");
    }
    if (const auto line = reset->text("line")) {
        spec.line = *line;
        check_output_line(*reset, "line", *line);
    }
    set_if(spec.command, reset->command("command"));
    set_if(spec.hold_ms, reset->integer("hold_ms", 1, ms_max));
    if (has_command && !has_line) {
        reset->refuse("hold_ms", "is for a reset by a line, and this one is by a command");
    }
    reset->finish();
    bench_.target.reset = std::move(spec);
}

void BenchParser::parse_power(TomlSection& section) {
    auto power = table_or_none(section, "power",
                               "{ line = \"power\" }, { command = { on = [...], off = [...] } }");
    if (!power) {
        return;
    }
    if (is_surely({BenchKind::sim, BenchKind::kernel, BenchKind::emulator})) {
        section.wrong("power", for_kinds_only("board"));
    }
    PowerSpec spec;
    const bool has_line = power->find("line") != nullptr;
    const bool has_command = power->find("command") != nullptr;
    if (has_line == has_command) {
        section.wrong("power", "expected either line or command");
    }
    if (const auto line = power->text("line")) {
        spec.line = *line;
        check_output_line(*power, "line", *line);
    }
    TomlSection command = power->section("command");
    if (command.is_present()) {
        command.require("on", "a program and its arguments");
        command.require("off", "a program and its arguments");
        set_if(spec.on_command, command.command("on"));
        set_if(spec.off_command, command.command("off"));
        command.finish();
    }
    power->finish();
    bench_.target.power = std::move(spec);
}

void BenchParser::parse_flash(TomlSection& section) {
    if (!may_be({BenchKind::board})) {
        section.refuse("flash", for_kinds_only("board"));
        return;
    }
    if (auto flash = section.command("flash")) {
        if (std::none_of(flash->begin(), flash->end(), [](const std::string& word) {
                return word.find("{image}") != std::string::npos;
            })) {
            section.wrong("flash",
                          "no argument holds {image}, which stands for the image to flash");
        }
        bench_.target.flash = std::move(*flash);
    }
}

void BenchParser::parse_contract(TomlSection section) {
    Contract& contract = bench_.target.contract;
    set_if(contract.first_value, section.integer("first_value", 0, 1));
    set_if(contract.led_before_frame,
           section.choice("led_before_frame", led_before_frame_spellings));
    set_if(contract.reads_reply, section.boolean("reads_reply"));
    set_if(contract.debounce_ms, section.integer("debounce_ms", 0, debounce_ms_max));
    set_if(contract.retries, section.integer("retries", 0, retries_max));
    parse_verifies(section);
    TomlSection buttons = section.section("buttons");
    for (const std::string& name : buttons.keys()) {
        check_output_line(buttons, name, name);
        parse_button_contract(buttons.section(name), name);
    }
    section.finish();
}

void BenchParser::parse_verifies(TomlSection& section) {
    const auto words = section.texts("verifies");
    if (!words) {
        return;
    }
    std::vector<Verifies> verifies;
    for (const std::string& word : *words) {
        const auto what = value_spelt(word, verifies_spellings);
        if (!what) {
            section.wrong("verifies", not_one_of(word, verifies_spellings));
        } else if (std::find(verifies.begin(), verifies.end(), *what) != verifies.end()) {
            section.wrong("verifies", fmt::format("\"{}\" is there twice", word));
        } else {
            verifies.push_back(*what);
        }
    }
    if (!verifies.empty() && bench_.target.root_certificate == "none") {
        section.wrong("verifies",
                      "nothing can be verified while target.root_certificate is "
                      "\"none\"; expected []");
    }
    bench_.target.contract.verifies = std::move(verifies);
}

void BenchParser::parse_button_contract(TomlSection section, const std::string& name) {
    ButtonContract& button = bench_.target.contract.buttons[name];
    if (const auto led = section.text("led"); led == "none") {
        button.led.clear();
    } else if (led) {
        const auto index = bench_.find_line(*led);
        if (!index) {
            section.wrong("led", fmt::format("there is no [lines.{}]", *led));
        } else if (bench_.lines[*index].direction != Direction::input) {
            section.wrong("led", fmt::format("lines.{} is an output; expected an input", *led));
        }
        button.led = *led;
    }
    set_if(button.secure, section.boolean("secure"));
    section.finish();
}

void BenchParser::parse_budgets(TomlSection section) {
    set_if(bench_.budgets.dns_ms, section.integer("dns_ms", 1, ms_max));
    set_if(bench_.budgets.connect_ms, section.integer("connect_ms", 1, ms_max));
    set_if(bench_.budgets.reply_ms, section.integer("reply_ms", 1, ms_max));
    section.finish();
}

void BenchParser::parse_server(TomlSection section) {
    ServerSpec& server = bench_.server;
    if (is_surely({BenchKind::board})) {
        section.require("address", "the address of this machine that the board connects to");
    }
    if (const auto address = section.text("address")) {
        server.address = *address;
        if (!is_address(*address)) {
            section.wrong("address",
                          fmt::format("\"{}\" is not an IPv4 or IPv6 address", *address));
        } else if (is_surely({BenchKind::sim}) && !address->starts_with("127.")) {
            section.wrong("address", fmt::format("{} is not a loopback address; expected one in "
                                                 "127.0.0.0/8 on a bench of kind sim",
                                                 *address));
        }
    }
    if (auto names = section.texts("names")) {
        if (names->empty()) {
            section.wrong("names", "must not be empty; expected host names");
        }
        for (const std::string& name : *names) {
            if (!is_name(name, "-.")) {
                section.wrong("names", fmt::format("\"{}\" is not a host name", name));
            }
        }
        server.names = std::move(*names);
    }
    constexpr std::int64_t port_max = std::numeric_limits<std::uint16_t>::max();
    if (const auto port = section.integer("plain_port", 1, port_max)) {
        server.plain_port = static_cast<std::uint16_t>(*port);
    }
    if (const auto port = section.integer("tls_port", 1, port_max)) {
        server.tls_port = static_cast<std::uint16_t>(*port);
    }
    if (server.plain_port == server.tls_port) {
        section.wrong(section.find("tls_port") != nullptr ? "tls_port" : "plain_port",
                      fmt::format("{} is the plain port and the TLS port", server.tls_port));
    }
    if (const auto identity = section.text("identity")) {
        server.identity = *identity;
        if (!is_name(*identity, "-_.")) {
            section.wrong("identity", fmt::format("\"{}\" is not the name of an identity, as in "
                                                  "\"server-rsa\"",
                                                  *identity));
        }
    }
    set_if(server.tls_profile, section.choice("tls_profile", tls_profile_spellings));
    section.finish();
}

}  // namespace

BenchFile parse_bench_file(std::string_view text, std::string_view name_for_errors) {
    BenchProblems problems(name_for_errors);
    BenchFile bench;
    if (text.size() > bench_file_bytes_max) {
        problems.add(0, "", fmt::format("it is longer than {} bytes", bench_file_bytes_max));
        throw BenchFileError(problems.texts());
    }
    try {
        const toml::table document = toml::parse(text);
        bench = BenchParser(problems).parse(document);
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
