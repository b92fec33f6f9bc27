// From the call of start_press to the change of level on the board's side of the wire, and how many
// whole round trips of the simulated bench fit into a second, one after another, nothing lost.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "harness/bench/bench.hpp"
#include "harness/tls/tls_library.hpp"

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;

class SimBench {
  public:
    explicit SimBench(bool records) {
        std::string name = std::filesystem::temp_directory_path() / "press-benchmark-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        harness::BenchOptions options;
        options.bench_file = rig::built_in_sim_bench();
        // An address of its own: the firmware's port is fixed.
        const std::string address = "127.77." + std::to_string(::getpid() / 250 % 250) + "." +
                                    std::to_string(1 + ::getpid() % 250);
        options.server.addresses = {address};
        options.server.plain_port = 27708;
        options.target = harness::TargetProcess{
            .program = WWEP_DUAL_CLIENT,
            .arguments = {},
            .environment = {{"WWEP_MAC", "02:00:00:00:00:01"},
                            {"WWEP_ROUTES", "wwep.ww101.cypress.com=" + address}},
            .ready_text = "ready"};
        if (records) {
            options.recording_path = folder_ / "run.sqlite";
        }
        bench_.emplace(options, clock_, library_);
        bench_->start_target(rig::Deadline::after(clock_, patience), nullptr);
    }
    ~SimBench() {
        bench_.reset();
        std::filesystem::remove_all(folder_);
    }
    SimBench(const SimBench&) = delete;
    SimBench& operator=(const SimBench&) = delete;

    harness::Bench& operator*() { return *bench_; }
    /// One whole round trip; false: something of it was missing.
    bool press() {
        const auto id = bench_->start_press("button0", 1ms, "ideal");
        return bench_->wait_trip(id, harness::Until::settled,
                                 rig::Deadline::after(clock_, patience), nullptr);
    }
    [[nodiscard]] const rig::Clock& clock() const { return clock_; }

  private:
    const rig::SystemClock clock_;
    const harness::TlsLibrary library_;
    std::filesystem::path folder_;
    std::optional<harness::Bench> bench_;
};

double median_us(std::vector<rig::TimestampNs>& values_ns) {
    std::sort(values_ns.begin(), values_ns.end());
    return static_cast<double>(values_ns[values_ns.size() / 2]) / 1e3;
}

void press_to_level(benchmark::State& state) {
    SimBench bench(false);
    std::vector<rig::TimestampNs> call_to_level_ns;
    std::vector<rig::TimestampNs> uncertainty_ns;
    for (auto _ : state) {
        const auto called_ns = bench.clock().monotonic_ns();
        const auto id = (*bench).start_press("button0", 1ms, "ideal");
        const auto trip = (*bench).round_trip(id);
        call_to_level_ns.push_back(trip.press.after_ns - called_ns);
        uncertainty_ns.push_back(trip.press.after_ns - trip.press.before_ns);
        state.PauseTiming();
        if (!(*bench).wait_trip(id, harness::Until::settled,
                                rig::Deadline::after(bench.clock(), patience), nullptr)) {
            state.SkipWithError("a round trip did not settle");
            break;
        }
        state.ResumeTiming();
    }
    state.counters["call_to_level_us"] = median_us(call_to_level_ns);
    state.counters["uncertainty_us"] = median_us(uncertainty_ns);
}
BENCHMARK(press_to_level)->Name("press_call_to_level")->Iterations(500)->UseRealTime();

void sustained(benchmark::State& state) {
    constexpr int presses = 10'000;
    SimBench bench(true);
    std::int64_t lost = 0;
    for (auto _ : state) {
        for (int i = 0; i < presses; ++i) {
            lost += bench.press() ? 0 : 1;
        }
    }
    state.SetItemsProcessed(presses);
    state.counters["lost"] = static_cast<double>(lost);
    state.counters["rig_errors"] = static_cast<double>((*bench).rig_errors().size());
}
BENCHMARK(sustained)
    ->Name("presses_sustained")
    ->Iterations(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
