// How long a good client waits for its reply while hostile peers do their worst, and what heap that
// takes. The peers are another process's, so that what they cost there does not count as memory;
// the processor is shared, as it is on a rig.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "harness/bench/bench.hpp"
#include "harness/client/client.hpp"
#include "harness/server/attack.hpp"
#include "harness/tls/tls_library.hpp"
#include "harness/tls/tls_session.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using harness::Attack;

constexpr auto attacked_for = 4s;
constexpr auto asked_every = 5ms;
constexpr auto ticked_every = 20ms;

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

double heap_mb() {
    const auto info = ::mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
}

std::uint16_t port_of(const std::string& endpoint) {
    return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

/// Hostile peers in a process of their own, until this goes.
class Attackers {
  public:
    Attackers(Attack::Kind kind, std::uint16_t port, std::size_t count, const std::string& hello)
        : pid_(::fork()) {
        if (pid_ == 0) {
            Attack attack(kind, port, count, hello);
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) {
                attack.tick();
                std::this_thread::sleep_for(ticked_every);
            }
        }
    }
    ~Attackers() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Attackers(const Attackers&) = delete;
    Attackers& operator=(const Attackers&) = delete;

  private:
    pid_t pid_;
};

/// Milliseconds from the connection to the whole reply.
double ask(const harness::TlsLibrary& library, const rig::Clock& clock, std::uint16_t port) {
    const auto began_ns = clock.monotonic_ns();
    const auto give_up = rig::Deadline::after(clock, 30s);
    harness::Client client(library, clock, {.host = "127.0.0.1", .port = port, .tls = {}}, give_up);
    if (client.transact("W0FAC0B1234", give_up).kind != harness::Answer::Kind::accepted) {
        throw rig::RigError("a good client was not answered");
    }
    return static_cast<double>(clock.monotonic_ns() - began_ns) / 1e6;
}

void attacked(benchmark::State& state, Attack::Kind kind, std::size_t count, bool secure) {
    raise_descriptor_limit();
    const rig::SystemClock clock;
    const harness::TlsLibrary library;
    harness::BenchOptions options;
    options.server.plain_port = 0;
    options.server.tls_port = 0;
    options.server.limits.mode = harness::ConversationMode::keep_open;
    options.server.tls = {.certificate_file = WWEP_TEST_CERTS "/server-ecdsa.pem",
                          .key_file = WWEP_TEST_CERTS "/server-ecdsa.key",
                          .client_ca_file = {},
                          .ciphers = {}};
    const harness::TlsContext context(library, harness::TlsClientConfig{.verify_chain = false});
    const harness::TlsSession session(context);
    const std::string hello(session.to_send().begin(), session.to_send().end());
    harness::Bench bench(options, clock, library);
    const auto plain_port = port_of(bench.plain_endpoints().front());
    for (auto _ : state) {
        const double before_mb = heap_mb();
        std::vector<double> waits_ms;
        std::size_t open_max = 0;
        const Attackers attackers(
            kind, secure ? port_of(bench.tls_endpoints().front()) : plain_port, count, hello);
        const auto end = rig::Deadline::after(clock, attacked_for);
        while (!end.has_passed(clock)) {
            waits_ms.push_back(ask(library, clock, plain_port));
            open_max = std::max(open_max, bench.connections_open());
            std::this_thread::sleep_for(asked_every);
        }
        std::sort(waits_ms.begin(), waits_ms.end());
        state.counters["p50_ms"] = waits_ms[waits_ms.size() / 2];
        state.counters["p99_ms"] = waits_ms[waits_ms.size() * 99 / 100];
        state.counters["max_ms"] = waits_ms.back();
        state.counters["asked"] = static_cast<double>(waits_ms.size());
        state.counters["open_max"] = static_cast<double>(open_max);
        state.counters["heap_mb"] = heap_mb() - before_mb;
    }
}

void add(const char* name, Attack::Kind kind, std::size_t count, bool secure) {
    benchmark::RegisterBenchmark(
        name, [=](benchmark::State& state) { attacked(state, kind, count, secure); })
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
    add("server_attacked/no_one", Attack::Kind::idle, 0, false);
    add("server_attacked/idle_10000", Attack::Kind::idle, 10'000, false);
    add("server_attacked/slow_loris_1000", Attack::Kind::slow_loris, 1000, false);
    add("server_attacked/half_handshake_1000", Attack::Kind::half_handshake, 1000, true);
    add("server_attacked/handshake_flood_20", Attack::Kind::handshake_flood, 20, true);
    add("server_attacked/never_reads_200", Attack::Kind::never_reads, 200, false);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
