#include <fmt/format.h>

#include "rig/bench_file/bench_file.hpp"

namespace rig {
namespace {

constexpr std::string_view loopback =
    R"(# loopback = "button0:led0"         # two lines that are wired together: doctor --loopback drives them
)";

constexpr std::string_view kernel_lines = R"(
# The rig's side of the lines, on a chip of the kernel. "chip" is a path or, better, a label;
# "line" is an offset or a name.
[lines.button0]
chip = "rig-lines"
line = 0
active = "low"

[lines.button1]
chip = "rig-lines"
line = 1
active = "low"

[lines.led0]
chip = "rig-lines"
line = 2
active = "high"

[lines.led1]
chip = "rig-lines"
line = 3
active = "high"
)";

constexpr std::string_view emulator_lines = R"(
# Pins of the emulated board.
[lines.button0]
line = "PF1"
active = "low"

[lines.button1]
line = "PE0"
active = "low"

[lines.led0]
line = "PF0"
active = "high"

[lines.led1]
line = "PF2"
active = "high"
)";

constexpr std::string_view sim_lines = R"(
# Pins of the simulated board. Leave [lines] out for exactly these.
[lines.button0]
line = 0
active = "low"

[lines.button1]
line = 1
active = "low"

[lines.led0]
line = 2
active = "high"

[lines.led1]
line = 3
active = "high"
)";

constexpr std::string_view board_lines = R"(
# GPIO lines of this machine; `gpiodetect` and `gpioinfo` list them. "chip" is a label or a path, which
# may change from one boot to the next. The header of a Raspberry Pi 3 is on "pinctrl-bcm2835", that of
# a Pi 4 on "pinctrl-bcm2711", of a Pi 5 on "pinctrl-rp1". "line" is an offset or a name. Lines whose
# names begin with "led" are watched, all others are driven.
[lines.button0]
chip = "pinctrl-bcm2711"
line = 17
active = "low"
drive = "open-drain"                # or open-source, push-pull. Open drain never drives high
bias = "as-is"                      # or disabled, pull-up, pull-down

[lines.button1]
chip = "pinctrl-bcm2711"
line = 22
active = "low"
drive = "open-drain"

[lines.led0]
chip = "pinctrl-bcm2711"
line = 27
active = "high"
debounce_us = 0                     # what the kernel filters; 0 sees everything

[lines.led1]
chip = "pinctrl-bcm2711"
line = 23
active = "high"

# [lines.reset]
# chip = "pinctrl-bcm2711"
# line = 24
# active = "low"
)";

constexpr std::string_view process_target = R"(
[target]
device = "02:00:00:00:00:01"        # MAC address: the device ID follows from it
program = "dual_client"             # a firmware of ours, or a path; or, built when the bench opens:
# app = "path/to/application"       # folder of a WICED application with its makefile
# app_settings = { NAME = "value" } # variables of that makefile, as on make's command line
# arguments = []
# environment = { NAME = "value" }
root_certificate = "ca"             # the bench's own root; or "none", or a path
ready = "ready"                     # the console says this once the firmware is up
ready_timeout_ms = 10000
# role = "server"                   # the target serves; then program = "server_table", say,
# serves = { plain_port = 27708, tls_port = 0 }    # ready = "listening: 0"; 0: not there
# serves = { tls_port = 40508, client_identity = "client-ecdsa" }   # it wants a certificate
)";

constexpr std::string_view emulator_target = R"(
[target]
device = "02:00:00:00:00:01"        # MAC address: the device ID follows from it
program = "dual_client"             # a firmware of ours, which is built; or the path of an image; or
# app = "path/to/application"       # folder of a WICED application with its makefile
# app_settings = { NAME = "value" } # variables of that makefile, as on make's command line
speed = "host"                      # or "mcu": about as fast as a real one, for timing
root_certificate = "ca"             # the bench's own root; or "none", or a path
ready = "ready"                     # the console says this once the firmware is up
ready_timeout_ms = 10000
)";

constexpr std::string_view board_target = R"(
[target]
device = "02:00:00:00:00:01"        # the board's MAC address: the device ID follows from it
console = "none"                    # or { port = "/dev/ttyUSB0", baud = 115200 }
# ready = "ready"                   # the console says this once the firmware is up
# ready_timeout_ms = 10000          # how long that, or its first connection, may take
reset = "none"                      # or { line = "reset", hold_ms = 100 },
                                    # or { command = ["..."], timeout_ms = 10000 }
power = "none"                      # or { line = "power", off_ms = 500 }; off_ms: of a power cycle
                                    # or { command = { on = ["..."], off = ["..."] },
                                    #      off_ms = 500, timeout_ms = 10000 }
# flash = ["openocd", "-f", "board.cfg", "-c", "program {image} verify reset exit"]
# flash_timeout_ms = 120000
# app = "path/to/application"       # folder of the WICED application that runs there
# role = "server"                   # the board serves; then it needs no [lines], but
# serves = { address = "198.51.100.20", plain_port = 27708, tls_port = 0 }    # 0: not there;
                                    # client_identity = "client-rsa" if it wants a certificate
)";

/// {0}: led_before_frame, {1}: verifies; {2}, {3}: the space before their comments.
constexpr std::string_view contract = R"(
# What the firmware promises; scenarios judge by it.
[target.contract]
first_value = 1                     # what the first press after a reset sends
led_before_frame = "{0}"{2}# yes, no or either
reads_reply = true
debounce_ms = 0                     # shorter presses are ignored; 0: each closing may count
retries = 0
verifies = {1}{3}# any of chain, name, time

[target.contract.buttons.button0]
led = "led0"

[target.contract.buttons.button1]
led = "led1"
secure = true                       # its frame travels over TLS

# How long the firmware gives each step.
[budgets]
dns_ms = 10000
connect_ms = 2000
reply_ms = 500
# press_to_led_ms = 50              # left out: latencies are shown, not judged
# press_to_frame_ms = 500
)";

constexpr std::string_view own_server = R"(
[server]
# address = "127.0.0.2"             # left out: the bench takes a loopback address of its own
)";

constexpr std::string_view board_server = R"(
[server]
address = "198.51.100.3"            # of this machine, as the board reaches it
)";

/// {0}: identity; {1}: the space before its comment.
constexpr std::string_view server_rest = R"(names = [
    "wwep.ww101.cypress.com",
    "wwep.wa101.cypress.com",
    "wwep.wv101.cypress.com",
    "wwp.ww101.cypress.com",
]
plain_port = 27708
tls_port = 40508
identity = "{0}"{1}# boards of the lab's age know RSA; server-ecdsa is the cheaper one
tls_profile = "modern"              # TLS 1.2 and 1.3; legacy adds TLS 1.1 and the CBC suites
)";

constexpr std::size_t comment_column = 36;

/// Spaces from the end of `key = value` to the column of the comments.
std::string padding(std::size_t bytes_before) {
    return std::string(bytes_before < comment_column ? comment_column - bytes_before : 1, ' ');
}

std::string contract_text(std::string_view led_before_frame, std::string_view verifies) {
    return fmt::format(
        fmt::runtime(contract), led_before_frame, verifies,
        padding(std::string_view("led_before_frame = \"\"").size() + led_before_frame.size()),
        padding(std::string_view("verifies = ").size() + verifies.size()));
}

std::string server_text(std::string_view identity) {
    return fmt::format(fmt::runtime(server_rest), identity,
                       padding(std::string_view("identity = \"\"").size() + identity.size()));
}

}  // namespace

std::string template_bench_file(BenchKind kind, std::string_view bench_name) {
    const std::string head = fmt::format("[bench]\nname = \"{}\"\nkind = \"{}\"\n{}", bench_name,
                                         to_string(kind), loopback);
    const std::string own_contract = contract_text("yes", "[\"chain\", \"time\"]");
    const std::string simulated_rest =
        own_contract + std::string(own_server) + server_text("server-ecdsa");
    switch (kind) {
        case BenchKind::sim:
            return fmt::format("{}{}{}{}", head, sim_lines, process_target, simulated_rest);
        case BenchKind::kernel:
            return fmt::format("{}{}{}{}", head, kernel_lines, process_target, simulated_rest);
        case BenchKind::emulator:
            return fmt::format("{}{}{}{}", head, emulator_lines, emulator_target, simulated_rest);
        case BenchKind::board:
            break;
    }
    return fmt::format("{}{}{}{}{}{}", head, board_lines, board_target,
                       contract_text("either", "[]"), board_server, server_text("server-rsa"));
}

}  // namespace rig
