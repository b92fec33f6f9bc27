#include "rig/bench_file/bench_defaults.hpp"

namespace rig {
namespace {

LineSpec simulated_line(std::string name, std::string pin, Direction direction, Active active) {
    LineSpec line;
    line.name = std::move(name);
    line.line = std::move(pin);
    line.direction = direction;
    line.active = active;
    return line;
}

}  // namespace

BenchFile default_bench(BenchKind kind) {
    BenchFile bench;
    bench.kind = kind;
    bench.server.names = {"wwep.ww101.cypress.com", "wwep.wa101.cypress.com",
                          "wwep.wv101.cypress.com", "wwp.ww101.cypress.com"};
    if (kind == BenchKind::board) {
        bench.server.identity = "server-rsa";  // Boards of the lab's age know no other.
        return bench;
    }
    if (kind == BenchKind::sim) {
        bench.lines = {simulated_line("button0", "0", Direction::output, Active::low),
                       simulated_line("button1", "1", Direction::output, Active::low),
                       simulated_line("led0", "2", Direction::input, Active::high),
                       simulated_line("led1", "3", Direction::input, Active::high)};
    }
    if (kind == BenchKind::emulator) {
        bench.lines = {simulated_line("button0", "PF1", Direction::output, Active::low),
                       simulated_line("button1", "PE0", Direction::output, Active::low),
                       simulated_line("led0", "PF0", Direction::input, Active::high),
                       simulated_line("led1", "PF2", Direction::input, Active::high)};
    }
    // Our own firmware runs there.
    bench.target.mac = {0x02, 0, 0, 0, 0, 0x01};
    bench.target.program = "dual_client";
    bench.target.ready = "ready";
    bench.target.contract.led_before_frame = LedBeforeFrame::yes;
    bench.target.contract.verifies = {Verifies::chain, Verifies::time};
    return bench;
}

void pair_buttons(BenchFile& bench) {
    for (const LineSpec& line : bench.lines) {
        if (line.direction != Direction::output || !line.name.starts_with("button")) {
            continue;
        }
        ButtonContract button;
        const std::string led = "led" + line.name.substr(std::string_view("button").size());
        const auto led_index = bench.find_line(led);
        if (led_index && bench.lines[*led_index].direction == Direction::input) {
            button.led = led;
        }
        button.secure = line.name == "button1";
        bench.target.contract.buttons[line.name] = std::move(button);
    }
}

namespace {

BenchFile built_in_bench(BenchKind kind) {
    BenchFile bench = default_bench(kind);
    bench.name = to_string(kind);
    pair_buttons(bench);
    return bench;
}

}  // namespace

BenchFile built_in_sim_bench() {
    return built_in_bench(BenchKind::sim);
}

BenchFile built_in_emulator_bench() {
    return built_in_bench(BenchKind::emulator);
}

}  // namespace rig
