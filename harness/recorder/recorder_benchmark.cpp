// How many events the recorder takes and commits: round trips of five events, the server's and the
// lines' together, waited for at the end.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "harness/recorder/recorder.hpp"

namespace {

void take_round_trip(harness::Recorder& recorder, std::int64_t id) {
    while (!recorder.has_room()) {
        std::this_thread::yield();
    }
    recorder.take(harness::EdgeSeen{id, "led0", rig::Level::high, rig::EdgeSource::kernel, 1});
    recorder.take(harness::ConnectionOpened{id, id, "127.0.0.1:50311", "127.0.0.1:27708", false});
    harness::FrameReceived frame;
    frame.id = id;
    frame.connection_id = id;
    frame.verdict = harness::FrameVerdict::write;
    frame.device = 0x0FAC;
    frame.reg = 5;
    frame.value = 1;
    frame.raw = "W0FAC050001";
    recorder.take(frame);
    recorder.take(harness::ReplySent{id, id, id, "A0FAC050001"});
    recorder.take(harness::ConnectionClosed{id, id, "answered", 0});
}

void record_round_trips(benchmark::State& state) {
    constexpr std::int64_t events_each = 5;
    const rig::SystemClock clock;
    std::string name = std::filesystem::temp_directory_path() / "recorder-benchmark-XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(name.data());
    std::int64_t id = 0;
    std::uint64_t dropped = 0;
    {
        harness::Recorder recorder(folder / "run.sqlite", {}, clock);
        for (auto _ : state) {
            for (int turn = 0; turn < 1'000; ++turn) {
                take_round_trip(recorder, ++id);
            }
            if (!recorder.flush(rig::Deadline::after(clock, std::chrono::seconds(60)))) {
                state.SkipWithError("not committed");
                break;
            }
        }
        dropped = recorder.events_dropped();
    }
    std::filesystem::remove_all(folder);
    state.SetItemsProcessed(id * events_each);
    state.counters["dropped"] = static_cast<double>(dropped);
}

BENCHMARK(record_round_trips)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
