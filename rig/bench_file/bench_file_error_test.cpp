// What a bench file is refused for. Each text is what a person reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "rig/bench_file/bench_file.hpp"

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

rig::BenchFile parsed(std::string_view text) {
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

TEST(BenchFileError, role_of_the_target_is_checked_with_what_belongs_to_it) {
    EXPECT_THAT(problems_of(sim_file + "[target]\nserves = { plain_port = 1 }\n"),
                ElementsAre("bench-1.toml:5: target.serves: is for a target whose role is server"));
    EXPECT_THAT(
        problems_of(sim_file + "[target]\nrole = \"server\"\n[target.serves]\n"
                               "address = \"127.0.0.1\"\nplain_port = 0\nkeep_open = 1\n"),
        ElementsAre(
            "bench-1.toml:7: target.serves.address: not for a bench of kind sim, only for "
            "board",
            "bench-1.toml:8: target.serves.plain_port: 0 is the plain port and the TLS port",
            "bench-1.toml:9: target.serves.keep_open: expected true or false, got an "
            "integer"));
    EXPECT_THAT(
        problems_of(sim_file + "[target]\nrole = \"server\"\n[target.serves]\n"
                               "client_identity = \"a/b\"\n"),
        ElementsAre("bench-1.toml:7: target.serves.client_identity: \"a/b\" is not the name "
                    "of an identity, as in \"server-rsa\"",
                    "bench-1.toml:7: target.serves.client_identity: is shown over TLS only; "
                    "expected a tls_port other than 0"));
}

TEST(BenchFileError, names_file_line_key_and_what_was_expected) {
    EXPECT_THAT(
        problems_of(board_file + "[lines.aux]\nchip = \"c\"\nline = 1\ndrive = \"pushpull\"\n"),
        ElementsAre("bench-1.toml:17: lines.aux.drive: \"pushpull\" is not one of "
                    "open-drain, open-source, push-pull"));
}

TEST(BenchFileError, an_application_and_a_program_exclude_each_other) {
    EXPECT_THAT(problems_of(sim_file + "[target]\napp = \"mine\"\nprogram = \"dual_client\"\n"),
                ElementsAre("bench-1.toml:6: target.program: target.app says what runs there; "
                            "expected one of the two"));
}

TEST(BenchFileError, settings_of_an_application_need_one_and_names) {
    EXPECT_THAT(problems_of(sim_file + "[target]\napp_lab_names = true\n"),
                ElementsAre("bench-1.toml:5: target.app_lab_names: needs an application; expected "
                            "target.app too"));
    EXPECT_THAT(problems_of(sim_file + "[target]\napp = \"\"\n"),
                ElementsAre("bench-1.toml:5: target.app: must not be empty"));
    EXPECT_THAT(
        problems_of(sim_file + "[target]\napp = \"a\"\napp_settings = { 2B = \"x\", C = 1 }\n"),
        ElementsAre("bench-1.toml:6: target.app_settings.2B: is not the name of a variable",
                    "bench-1.toml:6: target.app_settings.C: expected a string, got an integer"));
}

TEST(BenchFileError, reports_every_problem_in_the_order_of_the_file) {
    const std::string text = R"([server]
plain_port = 7
tls_port = 7
[bench]
name = "a b"
kind = "bord"
[target]
device = 12
colour = "red"
)";
    const std::string known_keys =
        "device, role, serves, app, app_settings, app_lab_names, program, arguments, environment, "
        "speed, "
        "root_certificate, console, ready, ready_timeout_ms, reset, power, flash, "
        "flash_timeout_ms, contract";
    const std::vector<std::string> expected = {
        "bench-1.toml:3: server.tls_port: 7 is the plain port and the TLS port",
        "bench-1.toml:5: bench.name: \"a b\" may hold letters, digits, \"-\", \"_\" and \".\" only",
        "bench-1.toml:6: bench.kind: \"bord\" is not one of sim, kernel, emulator, board",
        "bench-1.toml:8: target.device: expected a string, got an integer",
        "bench-1.toml:9: target.colour: unknown key; expected one of " + known_keys,
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
                    "program = \"x\"\narguments = [\"y\"]\nenvironment = { A = \"b\" }\n"
                    "speed = \"mcu\"\n"),
        ElementsAre(
            "bench-1.toml:14: target.program: not for a bench of kind board, only for sim, "
            "kernel and emulator",
            "bench-1.toml:15: target.arguments: not for a bench of kind board, only for sim "
            "and kernel",
            "bench-1.toml:16: target.environment: not for a bench of kind board, only for "
            "sim and kernel",
            "bench-1.toml:17: target.speed: not for a bench of kind board, only for emulator"));
}

TEST(BenchFileError, refuses_a_loopback_that_is_not_a_button_and_an_led) {
    const auto with = [](const std::string& loopback) {
        return "[bench]\nname = \"mine\"\nkind = \"sim\"\nloopback = \"" + loopback + "\"\n";
    };
    EXPECT_THAT(problems_of(with("button0")),
                ElementsAre("bench-1.toml:4: bench.loopback: \"button0\" is not two lines with a "
                            "colon between them; expected BUTTON:LED"));
    EXPECT_THAT(problems_of(with("led0:button0")),
                ElementsAre("bench-1.toml:4: bench.loopback: lines.led0 is an input; expected an "
                            "output",
                            "bench-1.toml:4: bench.loopback: lines.button0 is an output; expected "
                            "an input"));
    EXPECT_THAT(problems_of(with("button0:led7")),
                ElementsAre("bench-1.toml:4: bench.loopback: there is no [lines.led7]"));
    EXPECT_EQ(rig::parse_bench_file(with("button0:led1"), "x").loopback,
              (rig::LoopbackSpec{.button = "button0", .led = "led1"}));
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
        EXPECT_THAT(problems_of((sim_file + "[target]\ndevice = \"").append(text).append("\"\n")),
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
    EXPECT_THAT(problems_of(board_file + "reset = { line = \"button0\", timeout_ms = 3 }\n"),
                ElementsAre("bench-1.toml:14: target.reset.timeout_ms: is for a reset by a "
                            "command, and this one is by a line"));
    EXPECT_THAT(problems_of(board_file + "power = { line = \"button0\", timeout_ms = 3 }\n"),
                ElementsAre("bench-1.toml:14: target.power.timeout_ms: is for power by commands, "
                            "and this one is by a line"));
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

}  // namespace
