// The heap that the server takes for an idle connection, in the clear and over TLS. The connections
// are held by another process, so that what they cost on that side does not count.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "harness/bench/bench.hpp"
#include "harness/client/client.hpp"
#include "harness/tls/tls_library.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t heap_in_use() {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

std::uint16_t port_of(const std::string& endpoint) {
    return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

/// A process that holds connections open, so that what they cost on its side does not count here.
class Holder {
  public:
    /// Forks at once, before there are threads; connects when it is told the port.
    Holder(int connections, bool secure) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            rig::throw_system_error(errno, "make a pipe");
        }
        const rig::UniqueFd read_end(ends[0]);
        write_end_.reset(ends[1]);
        pid_ = ::fork();
        if (pid_ == 0) {
            write_end_.reset();
            hold(read_end.get(), connections, secure);
            ::_exit(0);
        }
    }
    ~Holder() {
        write_end_.reset();
        ::waitpid(pid_, nullptr, 0);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    void connect_to(std::uint16_t port) const {
        static_cast<void>(::write(write_end_.get(), &port, sizeof port));
    }

  private:
    static void hold(int told, int connections, bool secure) {
        std::uint16_t port = 0;
        if (::read(told, &port, sizeof port) != sizeof port) {
            return;
        }
        const rig::SystemClock clock;
        const harness::TlsLibrary library;
        harness::ClientTarget target{.host = "127.0.0.1", .port = port, .tls = {}};
        if (secure) {
            target.tls = harness::TlsClientConfig{.verify_chain = false};
        }
        std::vector<std::unique_ptr<harness::Client>> clients;
        for (int i = 0; i < connections; ++i) {
            clients.push_back(std::make_unique<harness::Client>(library, clock, target,
                                                                rig::Deadline::after(clock, 10s)));
        }
        static_cast<void>(::read(told, &port, sizeof port));  // until the parent is done
    }
    rig::UniqueFd write_end_;
    pid_t pid_ = 0;
};

void wait_for_connections(harness::Bench& bench, std::size_t count, bool secure) {
    std::size_t handshakes = 0;
    harness::Cursor cursor = 0;
    while (bench.connections_open() < count || (secure && handshakes < count)) {
        const auto slice = bench.timeline().since(cursor, 10'000);
        cursor = slice.next;
        handshakes += static_cast<std::size_t>(
            std::count_if(slice.events.begin(), slice.events.end(), [](const auto& event) {
                return std::holds_alternative<harness::HandshakeEnded>(event);
            }));
        std::this_thread::sleep_for(1ms);
    }
}

/// Heap of the server for each of a thousand idle connections, all of the timeline included.
void idle(benchmark::State& state, bool secure) {
    raise_descriptor_limit();
    constexpr int connections = 1000;
    const Holder warm_up(1, secure);
    const Holder holder(connections, secure);
    const rig::SystemClock clock;
    const harness::TlsLibrary library;
    harness::BenchOptions options;
    if (secure) {
        options.server.tls_port = 0;
        options.server.tls = {.certificate_file = WWEP_TEST_CERTS "/server-ecdsa.pem",
                              .key_file = WWEP_TEST_CERTS "/server-ecdsa.key",
                              .client_ca_file = {},
                              .ciphers = {}};
    } else {
        options.server.plain_port = 0;
    }
    harness::Bench bench(options, clock, library);
    const auto port =
        port_of(secure ? bench.tls_endpoints().front() : bench.plain_endpoints().front());
    for (auto _ : state) {
        warm_up.connect_to(port);
        wait_for_connections(bench, 1, secure);
        const std::size_t before = heap_in_use();
        holder.connect_to(port);
        wait_for_connections(bench, connections + 1, secure);
        state.counters["bytes_per_connection"] =
            static_cast<double>(heap_in_use() - before) / connections;
    }
}
BENCHMARK_CAPTURE(idle, plain, false)->Name("server_idle_connection/plain")->Iterations(1);
BENCHMARK_CAPTURE(idle, tls, true)->Name("server_idle_connection/tls")->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
