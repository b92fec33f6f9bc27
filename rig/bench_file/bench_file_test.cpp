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

BenchFile parsed(std::string_view text) {
    return rig::parse_bench_file(text, "bench-1.toml");
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
press_to_led_ms = 50
press_to_frame_ms = 400

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
    EXPECT_EQ(bench.budgets, (rig::Budgets{10000, 2000, 500, 50, 400}));
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

TEST(BenchFile, template_of_a_board_names_chips_by_label_and_every_limit_of_a_step) {
    const std::string text = rig::template_bench_file(BenchKind::board, "bench-7");
    for (const rig::LineSpec& line : parsed(text).lines) {
        EXPECT_EQ(line.chip, "pinctrl-bcm2711") << line.name;
    }
    for (const char* const word :
         {"pinctrl-bcm2835", "pinctrl-rp1", "loopback", "ready_timeout_ms", "hold_ms", "off_ms",
          "timeout_ms = 10000 }", "flash_timeout_ms"}) {
        EXPECT_THAT(text, HasSubstr(word));
    }
}

TEST(BenchFile, template_of_kind_sim_is_the_built_in_bench) {
    const std::string text = rig::template_bench_file(BenchKind::sim, "sim");
    EXPECT_EQ(rig::to_json(parsed(text)), rig::to_json(rig::built_in_sim_bench()));
}

TEST(BenchFile, template_of_kind_emulator_is_the_built_in_bench) {
    const std::string text = rig::template_bench_file(BenchKind::emulator, "emulator");
    EXPECT_EQ(rig::to_json(parsed(text)), rig::to_json(rig::built_in_emulator_bench()));
    EXPECT_THAT(text, testing::HasSubstr("speed = \"host\""));
    EXPECT_EQ(parsed("[bench]\nname = \"e\"\nkind = \"emulator\"\n[target]\nspeed = \"mcu\"\n")
                  .target.speed,
              rig::TargetSpeed::mcu);
}

TEST(BenchFile, becomes_json_in_its_own_nouns_with_what_was_filled_in) {
    EXPECT_EQ(rig::to_json(parsed(board_file)), R"({
  "bench": {
    "name": "bench-1",
    "kind": "board",
    "folder": null,
    "loopback": null
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
    "role": "client",
    "serves": null,
    "console": null,
    "reset": null,
    "power": null,
    "flash": [],
    "flash_timeout_ms": 120000,
    "app": null,
    "app_settings": {},
    "app_lab_names": false,
    "program": null,
    "arguments": [],
    "environment": {},
    "speed": null,
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
    "reply_ms": 500,
    "press_to_led_ms": null,
    "press_to_frame_ms": null
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

TEST(BenchFile, target_that_is_a_server_says_where_it_serves) {
    const rig::BenchFile bench = parsed(
        "[bench]\nname = \"a\"\nkind = \"board\"\n"
        "[target]\ndevice = \"02:00:00:00:00:01\"\n"
        "role = \"server\"\n"
        "serves = { address = \"198.51.100.20\", plain_port = 0, "
        "tls_port = 40508, one_at_a_time = true, client_identity = \"client-rsa\" }\n"
        "[server]\naddress = \"198.51.100.3\"\n");

    EXPECT_TRUE(bench.lines.empty());
    EXPECT_EQ(bench.target.role, rig::TargetRole::server);
    EXPECT_EQ(bench.target.serves.address, "198.51.100.20");
    EXPECT_EQ(bench.target.serves.plain_port, 0);
    EXPECT_EQ(bench.target.serves.tls_port, 40508);
    EXPECT_EQ(bench.target.serves.one_at_a_time, true);
    EXPECT_EQ(bench.target.serves.keep_open, std::nullopt);
    EXPECT_EQ(bench.target.serves.client_identity, "client-rsa");
    EXPECT_NE(rig::to_json(bench).find("\"one_at_a_time\": true"), std::string::npos);
    EXPECT_NE(rig::to_json(bench).find("\"client_identity\": \"client-rsa\""), std::string::npos);
}

TEST(BenchFile, simulated_server_runs_one_of_ours_unless_the_file_names_another) {
    const std::string file = "[bench]\nname = \"a\"\nkind = \"sim\"\n[target]\nrole = \"server\"\n";

    EXPECT_EQ(parsed(file).target.program, "server_table");
    EXPECT_EQ(parsed(file).target.ready, "listening: 0");
    EXPECT_EQ(parsed(file + "program = \"dual_server\"\n").target.program, "dual_server");
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
      },
      "off_ms": 500,
      "timeout_ms": 10000
    },)"));
    const std::string by_line = rig::to_json(
        parsed(board_file + "power = { line = \"button0\" }\nreset = { command = [\"r\"] }\n"));
    EXPECT_THAT(by_line, HasSubstr(R"("reset": {
      "command": [
        "r"
      ],
      "timeout_ms": 10000
    },
    "power": {
      "line": "button0",
      "off_ms": 500
    },)"));
}

TEST(BenchFile, knows_which_lines_are_the_boards_controls) {
    const BenchFile bench = parsed(board_file + "power = { line = \"button0\" }\n");
    EXPECT_TRUE(bench.controls_target("button0"));
    EXPECT_FALSE(bench.controls_target("led0"));
    EXPECT_FALSE(bench.controls_target("")) << "a reset by a command has no line";
}

TEST(BenchFile, gives_each_step_of_a_board_its_own_deadline) {
    const BenchFile bench = parsed(board_file +
                                   "reset = { command = [\"r\"], timeout_ms = 1 }\n"
                                   "power = { command = { on = [\"a\"], off = [\"b\"] }, "
                                   "timeout_ms = 2, off_ms = 3 }\n"
                                   "flash = [\"f\", \"{image}\"]\nflash_timeout_ms = 4\n");
    EXPECT_EQ(bench.target.reset->timeout_ms, 1);
    EXPECT_EQ(bench.target.power->timeout_ms, 2);
    EXPECT_EQ(bench.target.power->off_ms, 3);
    EXPECT_EQ(bench.target.flash_timeout_ms, 4);
}

TEST(BenchFile, lets_a_board_have_no_lines_when_it_says_so) {
    const std::string without = R"([bench]
name = "bench-1"
kind = "board"
[lines]
[target]
device = "02:00:00:00:00:01"
[server]
address = "198.51.100.3"
)";
    EXPECT_TRUE(parsed(without).lines.empty());
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
        std::string path = folder_ / "bench.toml";
        std::ofstream(path) << text;
        return path;
    }

    std::filesystem::path folder_;
};

TEST_F(BenchFileOnDisk, finds_its_relative_paths_beside_itself) {
    const BenchFile bench =
        rig::load_bench_file(write(sim_file + "[target]\nprogram = \"./firmware\"\n"
                                              "root_certificate = \"certs/../root.pem\"\n"));
    EXPECT_EQ(bench.folder, folder_.string());
    EXPECT_EQ(bench.target.program, (folder_ / "firmware").string());
    EXPECT_EQ(bench.target.root_certificate, (folder_ / "root.pem").string());

    const BenchFile by_name = rig::load_bench_file(write(sim_file));
    EXPECT_EQ(by_name.target.program, "dual_client");
    EXPECT_EQ(by_name.target.app, "");
    EXPECT_EQ(by_name.target.root_certificate, "ca");
}

TEST_F(BenchFileOnDisk, promises_nothing_for_an_application_of_anyones) {
    const BenchFile bench =
        rig::load_bench_file(write(sim_file + "[target]\napp = \"apps/mine\"\n"
                                              "app_settings = { FIRST = \"0\" }\n"));
    EXPECT_EQ(bench.target.app, (folder_ / "apps/mine").string());
    EXPECT_EQ(bench.target.app_settings.at("FIRST"), "0");
    EXPECT_FALSE(bench.target.app_lab_names);
    EXPECT_EQ(bench.target.program, "");
    EXPECT_EQ(bench.target.ready, "");
    EXPECT_EQ(bench.target.contract.led_before_frame, rig::LedBeforeFrame::either);
    EXPECT_TRUE(bench.target.contract.verifies.empty());
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
