#include "rig/bench_file/bench_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using rig::BenchFile;
using rig::BenchKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;
using testing::UnorderedElementsAre;

BenchFile parsed(std::string_view text) {
    return rig::parse_bench_file(text, "bench-1.toml");
}

std::vector<std::string> problems_of(std::string_view text) {
    try {
        (void)parsed(text);
    } catch (const rig::BenchFileError& error) {
        return error.problems();
    }
    return {};
}

/// A board's file, complete, to which a test adds what it is about. Its last line is line 13.
const std::string board_file = R"([bench]
name = "bench-1"
kind = "board"
[server]
address = "198.51.100.3"
[lines.button0]
chip = "gpiochip0"
line = 17
[lines.led0]
chip = "gpiochip0"
line = 27
[target]
device = "02:00:00:00:00:01"
)";

/// A simulated bench's file. Its last line is line 3.
const std::string sim_file = R"([bench]
name = "mine"
kind = "sim"
)";

/// The outline that the design document shows, with the line that its reset names.
constexpr std::string_view outline = R"([bench]
name = "bench-1"
kind = "board"                      # sim | kernel | emulator | board

[lines.button0]
chip = "/dev/gpiochip0"             # or a chip label; "line" may be an offset or a name
line = 17
active = "low"
drive = "open-drain"                # never push-pull unless said

[lines.led0]
chip = "/dev/gpiochip0"
line = 27
active = "high"

[lines.reset]
chip = "/dev/gpiochip0"
line = "RESET"

[target]
device = "02:00:00:00:00:01"        # MAC: the device ID follows from it
console = { port = "/dev/ttyUSB0", baud = 115200 }     # or none
reset = { line = "reset", hold_ms = 100 }              # or { command = [...] }
power = { command = { on = ["relay", "on"], off = ["relay", "off"] } }
flash = ["openocd", "-f", "board.cfg", "-c", "program {image} verify reset exit"]

[target.contract]
first_value = 1
led_before_frame = "either"
reads_reply = true
debounce_ms = 0
retries = 0
verifies = ["chain"]

[budgets]
dns_ms = 10000
connect_ms = 2000
reply_ms = 500

[server]
address = "198.51.100.3"
names = ["wwep.ww101.cypress.com"]
plain_port = 27708
tls_port = 40508
identity = "server-rsa"
tls_profile = "modern"
)";

TEST(BenchFile, holds_what_the_file_says) {
    const BenchFile bench = parsed(outline);
    EXPECT_EQ(bench.name, "bench-1");
    EXPECT_EQ(bench.kind, BenchKind::board);
    EXPECT_EQ(bench.device_id(), 0x0003);

    ASSERT_EQ(bench.lines.size(), 3U);
    const rig::LineSpec& button = bench.lines[0];
    EXPECT_EQ(button.name, "button0");
    EXPECT_EQ(button.chip, "/dev/gpiochip0");
    EXPECT_EQ(button.line, "17");
    EXPECT_EQ(button.direction, rig::Direction::output);
    EXPECT_EQ(button.active, rig::Active::low);
    EXPECT_EQ(button.drive, rig::Drive::open_drain);
    EXPECT_EQ(button.bias, rig::Bias::as_is);
    const rig::LineSpec& led = bench.lines[1];
    EXPECT_EQ(led.name, "led0");
    EXPECT_EQ(led.direction, rig::Direction::input);
    EXPECT_EQ(led.active, rig::Active::high);
    EXPECT_EQ(bench.lines[2].line, "RESET");
    EXPECT_EQ(bench.lines[2].direction, rig::Direction::output);

    const rig::TargetSpec& target = bench.target;
    EXPECT_EQ(target.console, (rig::SerialConsole{"/dev/ttyUSB0", 115200}));
    EXPECT_EQ(target.reset, (rig::ResetSpec{"reset", 100, {}}));
    EXPECT_EQ(target.power, (rig::PowerSpec{"", {"relay", "on"}, {"relay", "off"}}));
    EXPECT_EQ(target.flash.size(), 5U);
    EXPECT_EQ(target.program, "");
    EXPECT_EQ(target.ready, "");

    rig::Contract contract;
    contract.verifies = {rig::Verifies::chain};
    contract.buttons = {{"button0", {"led0", false}}};
    EXPECT_EQ(target.contract, contract);
    EXPECT_EQ(bench.budgets, (rig::Budgets{10000, 2000, 500}));
    EXPECT_EQ(bench.server, (rig::ServerSpec{"198.51.100.3",
                                             {"wwep.ww101.cypress.com"},
                                             27708,
                                             40508,
                                             "server-rsa",
                                             rig::TlsProfile::modern}));
}

TEST(BenchFile, of_kind_sim_needs_nothing_but_its_name) {
    BenchFile expected = rig::built_in_sim_bench();
    expected.name = "mine";
    EXPECT_EQ(rig::to_json(parsed(sim_file)), rig::to_json(expected));
}

TEST(BenchFile, built_in_is_the_simulated_board_with_the_labs_firmware) {
    const BenchFile bench = rig::built_in_sim_bench();
    EXPECT_EQ(bench.name, "sim");
    EXPECT_EQ(bench.kind, BenchKind::sim);
    std::vector<std::string> places;
    for (const rig::LineSpec& line : bench.lines) {
        places.push_back(line.name + " " + line.line + " " +
                         std::string(to_string(line.direction)) + " " +
                         std::string(to_string(line.active)));
    }
    EXPECT_THAT(places, ElementsAre("button0 0 output low", "button1 1 output low",
                                    "led0 2 input high", "led1 3 input high"));
    EXPECT_EQ(rig::mac_text(bench.target.mac), "02:00:00:00:00:01");
    EXPECT_EQ(bench.target.program, "dual_client");
    EXPECT_EQ(bench.target.ready, "ready");
    EXPECT_EQ(bench.target.contract.led_before_frame, rig::LedBeforeFrame::yes);
    EXPECT_THAT(bench.target.contract.verifies,
                ElementsAre(rig::Verifies::chain, rig::Verifies::time));
    EXPECT_THAT(bench.target.contract.buttons,
                ElementsAre(Pair("button0", rig::ButtonContract{"led0", false}),
                            Pair("button1", rig::ButtonContract{"led1", true})));
    EXPECT_THAT(bench.server.names, ElementsAre("wwep.ww101.cypress.com", "wwep.wa101.cypress.com",
                                                "wwep.wv101.cypress.com", "wwp.ww101.cypress.com"));
    EXPECT_EQ(bench.server.address, "");
    EXPECT_EQ(bench.server.plain_port, 27708);
    EXPECT_EQ(bench.server.tls_port, 40508);
    EXPECT_EQ(bench.server.identity, "server-ecdsa");
}

TEST(BenchFile, keeps_lines_in_the_order_of_the_file) {
    const BenchFile bench = parsed(
        sim_file + "[lines.led7]\nline = 1\n[lines.button3]\nline = 2\n[lines.aux]\nline = 0\n");
    ASSERT_EQ(bench.lines.size(), 3U);
    EXPECT_EQ(bench.lines[0].name, "led7");
    EXPECT_EQ(bench.find_line("button3"), 1U);
    EXPECT_EQ(bench.find_line("aux"), 2U);
    EXPECT_EQ(bench.find_line("button0"), std::nullopt);
}

TEST(BenchFile, drives_an_active_high_button_by_open_source) {
    const BenchFile bench = parsed(sim_file + "[lines.button0]\nline = 1\nactive = \"high\"\n");
    EXPECT_EQ(bench.lines[0].drive, rig::Drive::open_source);
}

TEST(BenchFile, says_which_led_a_button_flips_and_whether_it_is_secure) {
    const BenchFile bench = parsed(sim_file + R"([target.contract.buttons.button0]
led = "led1"
[target.contract.buttons.button1]
led = "none"
secure = false
)");
    EXPECT_THAT(bench.target.contract.buttons,
                ElementsAre(Pair("button0", rig::ButtonContract{"led1", false}),
                            Pair("button1", rig::ButtonContract{"", false})));
}

TEST(BenchFile, lets_a_button_keep_its_led_when_only_its_security_is_said) {
    const BenchFile bench =
        parsed(sim_file + "[target.contract.buttons]\nbutton1.secure = false\n");
    EXPECT_EQ(bench.target.contract.buttons.at("button1"), (rig::ButtonContract{"led1", false}));
}

TEST(BenchFile, verifies_nothing_by_default_when_the_firmware_has_no_root_certificate) {
    const BenchFile bench = parsed(sim_file + "[target]\nroot_certificate = \"none\"\n");
    EXPECT_THAT(bench.target.contract.verifies, IsEmpty());
}

TEST(BenchFile, takes_none_for_a_control_that_the_board_lacks) {
    const BenchFile bench =
        parsed(board_file + "console = \"none\"\nreset = \"none\"\npower = \"none\"\n");
    EXPECT_EQ(bench.target.console, std::nullopt);
    EXPECT_EQ(bench.target.reset, std::nullopt);
    EXPECT_EQ(bench.target.power, std::nullopt);
}

TEST(BenchFile, sums_the_bytes_of_the_mac_address_to_the_device_id) {
    BenchFile bench;
    bench.target.mac = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    EXPECT_EQ(bench.device_id(), 0x05FA);
    EXPECT_EQ(parsed(sim_file + "[target]\ndevice = \"aA:bB:00:01:02:03\"\n").device_id(),
              0xAA + 0xBB + 0x06);
}

class TemplateOfKind : public testing::TestWithParam<BenchKind> {};

TEST_P(TemplateOfKind, parses_as_it_is_and_says_what_would_be_filled_in) {
    const std::string text = rig::template_bench_file(GetParam(), "bench-7");
    BenchFile bench;
    ASSERT_NO_THROW(bench = parsed(text)) << text;
    EXPECT_EQ(bench.name, "bench-7");
    EXPECT_EQ(bench.kind, GetParam());
    EXPECT_THAT(bench.target.contract.buttons,
                ElementsAre(Pair("button0", rig::ButtonContract{"led0", false}),
                            Pair("button1", rig::ButtonContract{"led1", true})));
}

INSTANTIATE_TEST_SUITE_P(BenchFile, TemplateOfKind,
                         testing::Values(BenchKind::sim, BenchKind::kernel, BenchKind::emulator,
                                         BenchKind::board),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

TEST(BenchFile, template_of_kind_sim_is_the_built_in_bench) {
    const std::string text = rig::template_bench_file(BenchKind::sim, "sim");
    EXPECT_EQ(rig::to_json(parsed(text)), rig::to_json(rig::built_in_sim_bench()));
}

TEST(BenchFile, becomes_json_in_its_own_nouns_with_what_was_filled_in) {
    EXPECT_EQ(rig::to_json(parsed(board_file)), R"({
  "bench": {
    "name": "bench-1",
    "kind": "board",
    "folder": null
  },
  "lines": {
    "button0": {
      "chip": "gpiochip0",
      "line": "17",
      "direction": "output",
      "active": "low",
      "drive": "open-drain",
      "bias": "as-is"
    },
    "led0": {
      "chip": "gpiochip0",
      "line": "27",
      "direction": "input",
      "active": "high",
      "debounce_us": 0,
      "bias": "as-is"
    }
  },
  "target": {
    "device": "02:00:00:00:00:01",
    "device_id": 3,
    "console": null,
    "reset": null,
    "power": null,
    "flash": [],
    "app": null,
    "program": null,
    "arguments": [],
    "environment": {},
    "root_certificate": "ca",
    "ready": null,
    "ready_timeout_ms": 10000,
    "contract": {
      "first_value": 1,
      "led_before_frame": "either",
      "reads_reply": true,
      "debounce_ms": 0,
      "retries": 0,
      "verifies": [],
      "buttons": {
        "button0": {
          "led": "led0",
          "secure": false
        }
      }
    }
  },
  "budgets": {
    "dns_ms": 10000,
    "connect_ms": 2000,
    "reply_ms": 500
  },
  "server": {
    "address": "198.51.100.3",
    "names": [
      "wwep.ww101.cypress.com",
      "wwep.wa101.cypress.com",
      "wwep.wv101.cypress.com",
      "wwp.ww101.cypress.com"
    ],
    "plain_port": 27708,
    "tls_port": 40508,
    "identity": "server-rsa",
    "tls_profile": "modern"
  }
})");
}

TEST(BenchFile, becomes_json_with_the_controls_of_its_board) {
    const std::string by_command = rig::to_json(parsed(outline));
    EXPECT_THAT(by_command, HasSubstr(R"("console": {
      "port": "/dev/ttyUSB0",
      "baud": 115200
    },
    "reset": {
      "line": "reset",
      "hold_ms": 100
    },
    "power": {
      "command": {
        "on": [
          "relay",
          "on"
        ],
        "off": [
          "relay",
          "off"
        ]
      }
    },)"));
    const std::string by_line = rig::to_json(
        parsed(board_file + "power = { line = \"button0\" }\nreset = { command = [\"r\"] }\n"));
    EXPECT_THAT(by_line, HasSubstr(R"("reset": {
      "command": [
        "r"
      ]
    },
    "power": {
      "line": "button0"
    },)"));
}

// What a file is refused for. Each text is what a person reads.

TEST(BenchFileError, names_file_line_key_and_what_was_expected) {
    EXPECT_THAT(
        problems_of(board_file + "[lines.aux]\nchip = \"c\"\nline = 1\ndrive = \"pushpull\"\n"),
        ElementsAre("bench-1.toml:17: lines.aux.drive: \"pushpull\" is not one of "
                    "open-drain, open-source, push-pull"));
}

TEST(BenchFileError, reports_every_problem_in_the_order_of_the_file) {
    const std::string text = R"([server]
tls_port = 70000
[bench]
name = "a b"
kind = "bord"
[target]
device = 12
colour = "red"
)";
    const std::vector<std::string> expected = {
        "bench-1.toml:2: server.tls_port: 70000 is out of range; expected an integer from 1 to "
        "65535",
        "bench-1.toml:4: bench.name: \"a b\" may hold letters, digits, \"-\", \"_\" and \".\" only",
        "bench-1.toml:5: bench.kind: \"bord\" is not one of sim, kernel, emulator, board",
        "bench-1.toml:7: target.device: expected a string, got an integer",
        "bench-1.toml:8: target.colour: unknown key; expected one of device, app, program, "
        "arguments, environment, root_certificate, console, ready, ready_timeout_ms, reset, power, "
        "flash, contract",
    };
    EXPECT_EQ(problems_of(text), expected);
    try {
        (void)parsed(text);
        FAIL();
    } catch (const rig::NoBench& error) {
        EXPECT_THAT(error.what(), StartsWith(expected[0] + "\n" + expected[1] + "\n"));
    }
}

TEST(BenchFileError, says_what_a_board_needs) {
    EXPECT_THAT(
        problems_of("[bench]\nname = \"b\"\nkind = \"board\"\n[lines.button0]\n"),
        ElementsAre(
            "bench-1.toml:4: lines.button0.chip: missing; expected the path, label or name of a "
            "GPIO chip",
            "bench-1.toml:4: lines.button0.line: missing; expected the offset of a line of the "
            "chip, or its name",
            "bench-1.toml: target.device: missing; expected the board's MAC address, as in device "
            "= \"02:00:00:00:00:01\"",
            "bench-1.toml: server.address: missing; expected the address of this machine that the "
            "board connects to"));
    EXPECT_THAT(problems_of("[bench]\nname = \"b\"\nkind = \"kernel\"\n"),
                ElementsAre("bench-1.toml: lines: missing; expected a table for each line, as in "
                            "[lines.button0]"));
}

TEST(BenchFileError, says_what_an_empty_file_lacks) {
    EXPECT_THAT(problems_of(""),
                ElementsAre("bench-1.toml: bench.name: missing; expected a name for this bench, as "
                            "in name = \"bench-1\"",
                            "bench-1.toml: bench.kind: missing; expected one of sim, kernel, "
                            "emulator, board"));
}

TEST(BenchFileError, suggests_the_key_that_was_meant) {
    EXPECT_THAT(problems_of(sim_file + R"([sever]
[budgets]
conect_ms = 1
[server]
plain-port = 1
tlsPort = 2
[lines.led0]
line = 2
actve = "low"
)"),
                UnorderedElementsAre(
                    "bench-1.toml:4: sever: unknown key; did you mean \"server\"?",
                    "bench-1.toml:6: budgets.conect_ms: unknown key; did you mean \"connect_ms\"?",
                    "bench-1.toml:8: server.plain-port: unknown key; did you mean \"plain_port\"?",
                    "bench-1.toml:9: server.tlsPort: unknown key; did you mean \"tls_port\"?",
                    "bench-1.toml:12: lines.led0.actve: unknown key; did you mean \"active\"?"));
}

TEST(BenchFileError, tells_where_toml_itself_is_broken) {
    EXPECT_THAT(problems_of("[bench]\nname = \n"),
                ElementsAre(StartsWith("bench-1.toml:2: not valid TOML: ")));
    EXPECT_THAT(problems_of(sim_file + "kind = \"sim\"\n"),
                ElementsAre(StartsWith("bench-1.toml:4: not valid TOML: ")));
}

TEST(BenchFileError, refuses_two_names_for_one_line) {
    EXPECT_THAT(problems_of(board_file + "[lines.led1]\nchip = \"gpiochip0\"\nline = 27\n"),
                ElementsAre("bench-1.toml:16: lines.led1.line: line 27 of gpiochip0 is lines.led0 "
                            "already"));
    EXPECT_THAT(problems_of(sim_file + "[lines]\na.line = 3\nb.line = 3\n"),
                ElementsAre("bench-1.toml:6: lines.b.line: pin 3 is lines.a already"));
}

TEST(BenchFileError, refuses_keys_that_mean_nothing_on_that_kind_of_bench) {
    EXPECT_THAT(
        problems_of(sim_file + R"([lines.button0]
chip = "gpiochip0"
line = 0
[target]
console = { port = "/dev/ttyUSB0" }
reset = { command = ["true"] }
power = { command = { on = ["true"], off = ["true"] } }
flash = ["flash", "{image}"]
)"),
        ElementsAre("bench-1.toml:5: lines.button0.chip: not for a bench of kind sim, only for "
                    "kernel and board",
                    "bench-1.toml:8: target.console: not for a bench of kind sim, only for board",
                    "bench-1.toml:9: target.reset: not for a bench of kind sim, only for board",
                    "bench-1.toml:10: target.power: not for a bench of kind sim, only for board",
                    "bench-1.toml:11: target.flash: not for a bench of kind sim, only for board"));
    EXPECT_THAT(
        problems_of(board_file +
                    "program = \"x\"\narguments = [\"y\"]\nenvironment = { A = \"b\" }\n"),
        ElementsAre(
            "bench-1.toml:14: target.program: not for a bench of kind board, only for sim, "
            "kernel and emulator",
            "bench-1.toml:15: target.arguments: not for a bench of kind board, only for sim "
            "and kernel",
            "bench-1.toml:16: target.environment: not for a bench of kind board, only for "
            "sim and kernel"));
}

TEST(BenchFileError, refuses_pins_that_the_board_does_not_have) {
    EXPECT_THAT(problems_of(sim_file + "[lines.led0]\nline = 32\n"),
                ElementsAre("bench-1.toml:5: lines.led0.line: 32 is out of range; expected an "
                            "integer from 0 to 31"));
    EXPECT_THAT(
        problems_of(sim_file + "[lines.led0]\nline = \"GPIO2\"\n"),
        ElementsAre("bench-1.toml:5: lines.led0.line: expected an integer from 0 to 31, got "
                    "a string"));
    EXPECT_THAT(
        problems_of("[bench]\nname = \"e\"\nkind = \"emulator\"\n[lines.led0]\nline = \"PH0\"\n"),
        ElementsAre("bench-1.toml:5: lines.led0.line: \"PH0\" is not a pin of the emulated board; "
                    "expected PA0 to PG7"));
    EXPECT_THAT(problems_of(sim_file + "[lines]\nled0 = 2\n\"led 1\" = { line = 3 }\n"),
                ElementsAre("bench-1.toml:5: lines.led0: expected a table, got an integer",
                            "bench-1.toml:6: lines.led 1: the name of a line may hold letters, "
                            "digits, \"_\" and \"-\" only"));
}

TEST(BenchFileError, refuses_a_drive_that_would_press_the_button_when_it_is_let_go) {
    EXPECT_THAT(
        problems_of(sim_file +
                    "[lines.button0]\nline = 0\nactive = \"high\"\ndrive = \"open-drain\"\n"),
        ElementsAre("bench-1.toml:7: lines.button0.drive: \"open-drain\" cannot drive high, "
                    "and this line is active high; expected open-source or push-pull"));
    EXPECT_THAT(
        problems_of(sim_file + "[lines.button0]\nline = 0\ndrive = \"open-source\"\n"),
        ElementsAre("bench-1.toml:6: lines.button0.drive: \"open-source\" cannot drive low, "
                    "and this line is active low; expected open-drain or push-pull"));
}

TEST(BenchFileError, refuses_keys_of_the_other_direction) {
    EXPECT_THAT(problems_of(sim_file + R"([lines.led0]
line = 2
drive = "open-drain"
[lines.button0]
line = 0
debounce_us = 10
)"),
                ElementsAre("bench-1.toml:6: lines.led0.drive: is for outputs, and this line is an "
                            "input",
                            "bench-1.toml:9: lines.button0.debounce_us: is for inputs, and this "
                            "line is an output"));
}

TEST(BenchFileError, refuses_what_is_no_mac_address) {
    for (const std::string text : {"02:00:00:00:00", "02-00-00-00-00-01", "02:00:00:00:00:0g",
                                   "02:00:00:00:00:01:", "0200.0000.0001xxx"}) {
        EXPECT_THAT(problems_of(sim_file + "[target]\ndevice = \"" + text + "\"\n"),
                    ElementsAre("bench-1.toml:5: target.device: \"" + text +
                                "\" is not a MAC address; expected six pairs of hex digits, as in "
                                "\"02:00:00:00:00:01\""));
    }
}

TEST(BenchFileError, refuses_controls_that_cannot_be_used) {
    EXPECT_THAT(
        problems_of(board_file + R"(reset = { line = "reset" }
power = { line = "led0" }
flash = ["openocd"]
console = "ttyUSB0"
ready = "up"
)"),
        ElementsAre(
            "bench-1.toml:14: target.reset.line: there is no [lines.reset]",
            "bench-1.toml:15: target.power.line: lines.led0 is an input; expected an output",
            "bench-1.toml:16: target.flash: no argument holds {image}, which stands for the "
            "image to flash",
            "bench-1.toml:17: target.console: expected { port = \"/dev/ttyUSB0\", baud = "
            "115200 } or \"none\"",
            "bench-1.toml:18: target.ready: needs a console to appear on; expected "
            "target.console too"));
    EXPECT_THAT(
        problems_of(board_file + "reset = {}\npower = { command = { on = [] } }\n"),
        ElementsAre("bench-1.toml:14: target.reset: expected either line or command",
                    "bench-1.toml:15: target.power.command.off: missing; expected a program "
                    "and its arguments",
                    "bench-1.toml:15: target.power.command.on: must not be empty; expected "
                    "a program and its arguments"));
    EXPECT_THAT(problems_of(board_file + "reset = { command = [\"r\"], hold_ms = 3 }\n"),
                ElementsAre("bench-1.toml:14: target.reset.hold_ms: is for a reset by a line, and "
                            "this one is by a command"));
}

TEST(BenchFileError, refuses_a_contract_that_contradicts_itself_or_the_lines) {
    EXPECT_THAT(problems_of(sim_file + R"([target]
root_certificate = "none"
[target.contract]
first_value = 2
led_before_frame = true
verifies = ["chain", "chain", "host"]
[target.contract.buttons.button7]
[target.contract.buttons.button0]
led = "button1"
[target.contract.buttons.button1]
led = "led9"
)"),
                ElementsAre("bench-1.toml:7: target.contract.first_value: 2 is out of range; "
                            "expected an integer from 0 to 1",
                            "bench-1.toml:8: target.contract.led_before_frame: expected a string, "
                            "got a boolean",
                            "bench-1.toml:9: target.contract.verifies: \"chain\" is there twice",
                            "bench-1.toml:9: target.contract.verifies: \"host\" is not one of "
                            "chain, name, time",
                            "bench-1.toml:9: target.contract.verifies: nothing can be verified "
                            "while target.root_certificate is \"none\"; expected []",
                            "bench-1.toml:10: target.contract.buttons.button7: there is no "
                            "[lines.button7]",
                            "bench-1.toml:12: target.contract.buttons.button0.led: lines.button1 "
                            "is an output; expected an input",
                            "bench-1.toml:14: target.contract.buttons.button1.led: there is no "
                            "[lines.led9]"));
}

TEST(BenchFileError, refuses_a_server_that_cannot_be) {
    EXPECT_THAT(problems_of(sim_file + R"([server]
address = "rig.local"
names = []
plain_port = 1234
tls_port = 1234
identity = "my key"
)"),
                ElementsAre("bench-1.toml:5: server.address: \"rig.local\" is not an IPv4 or IPv6 "
                            "address",
                            "bench-1.toml:6: server.names: must not be empty; expected host names",
                            "bench-1.toml:8: server.tls_port: 1234 is the plain port and the TLS "
                            "port",
                            "bench-1.toml:9: server.identity: \"my key\" is not the name of an "
                            "identity, as in \"server-rsa\""));
    EXPECT_THAT(problems_of(sim_file + "[server]\naddress = \"192.0.2.1\"\nnames = [\"a_b\"]\n"),
                ElementsAre("bench-1.toml:5: server.address: 192.0.2.1 is not a loopback address; "
                            "expected one in 127.0.0.0/8 on a bench of kind sim",
                            "bench-1.toml:6: server.names: \"a_b\" is not a host name"));
}

TEST(BenchFileError, refuses_texts_that_are_empty_or_hold_control_characters) {
    EXPECT_THAT(problems_of(sim_file + "[target]\nprogram = \"\"\narguments = [\"a\\u0000b\"]\n"
                                       "environment = { WWEP_WIRE_FD = \"5\" }\n"),
                ElementsAre("bench-1.toml:5: target.program: must not be empty",
                            "bench-1.toml:6: target.arguments: must not hold control characters",
                            "bench-1.toml:7: target.environment.WWEP_WIRE_FD: cannot be set here"));
}

TEST(BenchFileError, refuses_more_lines_than_a_bench_can_have) {
    std::string text = "[bench]\nname = \"b\"\nkind = \"kernel\"\n";
    for (std::size_t i = 0; i < rig::bench_lines_max; ++i) {
        text +=
            "[lines.l" + std::to_string(i) + "]\nchip = \"c\"\nline = " + std::to_string(i) + "\n";
    }
    EXPECT_THAT(problems_of(text), IsEmpty());
    text += "[lines.more]\nchip = \"d\"\nline = 0\n";
    EXPECT_THAT(problems_of(text),
                ElementsAre("bench-1.toml: lines: 65 lines are described; at most 64 can be"));
}

class BenchFileOnDisk : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::path(testing::TempDir()) /
                  ("bench_file_" + std::to_string(::getpid()));
        std::filesystem::create_directory(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& text) {
        const std::string path = folder_ / "bench.toml";
        std::ofstream(path) << text;
        return path;
    }

    std::filesystem::path folder_;
};

TEST_F(BenchFileOnDisk, finds_its_relative_paths_beside_itself) {
    const BenchFile bench = rig::load_bench_file(
        write(sim_file + "[target]\nprogram = \"./firmware\"\napp = \"apps/mine\"\n"
                         "root_certificate = \"certs/../root.pem\"\n"));
    EXPECT_EQ(bench.folder, folder_.string());
    EXPECT_EQ(bench.target.program, (folder_ / "firmware").string());
    EXPECT_EQ(bench.target.app, (folder_ / "apps/mine").string());
    EXPECT_EQ(bench.target.root_certificate, (folder_ / "root.pem").string());

    const BenchFile by_name = rig::load_bench_file(write(sim_file));
    EXPECT_EQ(by_name.target.program, "dual_client");
    EXPECT_EQ(by_name.target.app, "");
    EXPECT_EQ(by_name.target.root_certificate, "ca");
}

TEST_F(BenchFileOnDisk, is_named_in_every_problem) {
    const std::string path = write("");
    try {
        (void)rig::load_bench_file(path);
        FAIL();
    } catch (const rig::BenchFileError& error) {
        EXPECT_THAT(error.problems()[0], StartsWith(path + ": bench.name: missing"));
    }
}

TEST_F(BenchFileOnDisk, is_no_bench_when_it_cannot_be_read) {
    const std::string missing = folder_ / "missing.toml";
    try {
        (void)rig::load_bench_file(missing);
        FAIL();
    } catch (const rig::BenchFileError& error) {
        EXPECT_THAT(error.problems(),
                    ElementsAre(missing + ": cannot be read: No such file or directory"));
    }
    try {
        (void)rig::load_bench_file(folder_.string());
        FAIL();
    } catch (const rig::BenchFileError& error) {
        EXPECT_THAT(error.problems(),
                    ElementsAre(folder_.string() + ": cannot be read: Is a directory"));
    }
}

TEST_F(BenchFileOnDisk, is_refused_when_it_is_far_too_long) {
    const std::string path = write(std::string(rig::bench_file_bytes_max + 1, '#'));
    try {
        (void)rig::load_bench_file(path);
        FAIL();
    } catch (const rig::BenchFileError& error) {
        EXPECT_THAT(error.problems(),
                    ElementsAre(path + ": cannot be read: it is longer than 1048576 bytes"));
    }
}

}  // namespace
