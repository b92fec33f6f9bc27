// The server with its recording on, against a bare epoll program that answers eleven bytes with
// eleven bytes and records nothing. Both run in one process, turn by turn, so that what the machine
// does else hits both; the counters are medians over the turns and `ratio` is ours over theirs.
// Ours has not ended before the recording has every frame of the turn. `cpu_us` is the processor's
// time for a round trip, load generator, server and recorder together: on a machine that does other
// things as well it means more than the rates.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "harness/bench/bench.hpp"
#include "harness/tls/tls_library.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;

constexpr int turns = 7;
constexpr auto turn_time = 400ms;
constexpr std::string_view request = "W0FAC0B1234";

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void add(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/// The least that a server can do: accept, read, write, and close if it serves one frame only.
class BareServer {
  public:
    explicit BareServer(bool closes) : closes_(closes) {
        const int on = 1;
        ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        auto address = loopback(0);
        socklen_t size = sizeof address;
        if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::listen(listener_.get(), 4096) != 0 ||
            ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            rig::throw_system_error(errno, "listen");
        }
        port_ = ntohs(address.sin_port);
        add(epoll_.get(), listener_.get());
        add(epoll_.get(), stop_.get());
        thread_ = std::thread([this] { run(); });
    }
    ~BareServer() {
        const std::uint64_t one = 1;
        static_cast<void>(::write(stop_.get(), &one, sizeof one));
        thread_.join();
    }
    BareServer(const BareServer&) = delete;
    BareServer& operator=(const BareServer&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    void run() {
        std::array<epoll_event, 128> events{};
        while (true) {
            const int count = ::epoll_wait(epoll_.get(), events.data(), 128, -1);
            for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(count, 0)); ++i) {
                const int fd = events.at(i).data.fd;
                if (fd == stop_.get()) {
                    return;
                }
                fd == listener_.get() ? accept_all() : answer(fd);
            }
        }
    }
    void accept_all() {
        while (true) {
            const int fd =
                ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                return;
            }
            no_delay(fd);
            add(epoll_.get(), fd);
        }
    }
    void answer(int fd) const {
        std::array<char, 4096> buffer{};
        const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (got <= 0) {
            ::close(fd);
            return;
        }
        buffer[0] = 'A';
        static_cast<void>(::send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL));
        if (closes_) {
            ::close(fd);
        }
    }

    const bool closes_;
    rig::UniqueFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    rig::UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    rig::UniqueFd stop_{::eventfd(0, EFD_CLOEXEC)};
    std::uint16_t port_ = 0;
    std::thread thread_;
};

/// What one turn came to.
struct Turn {
    double per_s = 0;
    double cpu_us = 0;  ///< of the whole process, for a round trip
};

/// Plays one turn: `ask` exchanges frames and returns how many, `settle` ends what they began.
template <class Ask, class Settle>
Turn play(Ask&& ask, Settle&& settle) {
    const rig::SystemClock clock;
    const auto cpu_us = [] {
        rusage used{};
        ::getrusage(RUSAGE_SELF, &used);
        return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
               static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    };
    const double cpu_before_us = cpu_us();
    const auto began_ns = clock.monotonic_ns();
    const auto answers = static_cast<double>(ask());
    settle();
    const auto took_ns = static_cast<double>(clock.monotonic_ns() - began_ns);
    return {.per_s = answers * 1e9 / took_ns, .cpu_us = (cpu_us() - cpu_before_us) / answers};
}

/// One epoll thread that keeps one request in flight on each of its connections.
class Load {
  public:
    Load(std::uint16_t port, int connections) : port_(port) {
        for (int i = 0; i < connections; ++i) {
            open();
        }
    }
    /// Round trips within `time`, on connections that stay open.
    std::int64_t run(std::chrono::milliseconds time) {
        for (const auto& socket : sockets_) {
            ask(socket.get());
        }
        std::int64_t answers = 0;
        const auto began = now();
        std::size_t in_flight = sockets_.size();
        bool is_over = false;
        std::array<epoll_event, 256> events{};
        while (in_flight > 0) {
            const int count = ::epoll_wait(epoll_.get(), events.data(), 256, 2000);
            if (count <= 0) {
                rig::throw_system_error(ETIMEDOUT, "wait for a reply");
            }
            is_over = is_over || now() - began >= time;
            for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
                const int fd = events.at(i).data.fd;
                std::array<char, 64> buffer{};
                if (::recv(fd, buffer.data(), buffer.size(), 0) <= 0) {
                    rig::throw_system_error(errno, "read a reply");
                }
                ++answers;
                if (is_over) {
                    --in_flight;
                } else {
                    ask(fd);
                }
            }
        }
        return answers;
    }

  private:
    static std::chrono::nanoseconds now() {
        return std::chrono::nanoseconds(rig::SystemClock().monotonic_ns());
    }
    void open() {
        rig::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const auto address = loopback(port_);
        if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0) {
            rig::throw_system_error(errno, "connect");
        }
        no_delay(socket.get());
        add(epoll_.get(), socket.get());
        sockets_.push_back(std::move(socket));
    }
    static void ask(int fd) {
        static_cast<void>(::send(fd, request.data(), request.size(), MSG_NOSIGNAL));
    }

    const std::uint16_t port_;
    rig::UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    std::vector<rig::UniqueFd> sockets_;
};

/// Round trips within `time` with a connection for each, one after another.
std::int64_t connect_each(std::uint16_t port, std::chrono::milliseconds time) {
    const rig::SystemClock clock;
    const auto deadline = rig::Deadline::after(clock, time);
    std::int64_t answers = 0;
    const auto address = loopback(port);
    while (!deadline.has_passed(clock)) {
        const rig::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        std::array<char, 64> buffer{};
        if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
                0 ||
            ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0 ||
            ::recv(socket.get(), buffer.data(), buffer.size(), 0) <= 0) {
            rig::throw_system_error(errno, "one round trip");
        }
        ++answers;
    }
    return answers;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// A bench that is a server with a recording, in a folder that goes with it.
class RecordedServer {
  public:
    explicit RecordedServer(harness::ConversationMode mode) {
        std::string name = std::filesystem::temp_directory_path() / "server-benchmark-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        harness::BenchOptions options;
        options.server.plain_port = 0;
        options.server.limits.mode = mode;
        options.recording_path = folder_ / "run.sqlite";
        bench_.emplace(options, clock_, library_);
        const std::string endpoint = bench_->plain_endpoints().front();
        port_ = static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
    }
    ~RecordedServer() {
        bench_.reset();
        std::filesystem::remove_all(folder_);
    }
    RecordedServer(const RecordedServer&) = delete;
    RecordedServer& operator=(const RecordedServer&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Waits until all that happened so far is in the recording.
    void flush() {
        if (!bench_->flush_recording(rig::Deadline::after(clock_, 10s))) {
            throw rig::RigError("the recording does not come to its end");
        }
    }
    [[nodiscard]] bool is_clean() const {
        const auto errors = bench_->rig_errors();
        return std::none_of(errors.begin(), errors.end(), [](const std::string& error) {
            return error.find("waited") == std::string::npos;
        });
    }

  private:
    const rig::SystemClock clock_;
    const harness::TlsLibrary library_;
    std::filesystem::path folder_;
    std::optional<harness::Bench> bench_;
    std::uint16_t port_ = 0;
};

double median_of(const std::vector<Turn>& turns_played, double Turn::*what) {
    std::vector<double> values;
    for (const Turn& turn : turns_played) {
        values.push_back(turn.*what);
    }
    return median(std::move(values));
}

/// Plays `turns` turns against each server and reports what they came to.
template <class AskBare, class AskRecorded>
void compare(benchmark::State& state, AskBare&& ask_bare, AskRecorded&& ask_recorded,
             RecordedServer& recorded) {
    std::vector<Turn> ours;
    std::vector<Turn> theirs;
    std::vector<double> ratios;
    for (int turn = 0; turn < turns; ++turn) {
        theirs.push_back(play(ask_bare, [] {}));
        ours.push_back(play(ask_recorded, [&recorded] { recorded.flush(); }));
        ratios.push_back(ours.back().per_s / theirs.back().per_s);
    }
    state.counters["ours_per_s"] = median_of(ours, &Turn::per_s);
    state.counters["bare_epoll_per_s"] = median_of(theirs, &Turn::per_s);
    state.counters["ratio"] = median(ratios);
    state.counters["ours_cpu_us"] = median_of(ours, &Turn::cpu_us);
    state.counters["bare_epoll_cpu_us"] = median_of(theirs, &Turn::cpu_us);
    if (!recorded.is_clean()) {
        state.SkipWithError("the rig reported an error");
    }
}

void keep_open(benchmark::State& state) {
    raise_descriptor_limit();
    const auto connections = static_cast<int>(state.range(0));
    const BareServer bare(false);
    RecordedServer recorded(harness::ConversationMode::keep_open);
    Load to_bare(bare.port(), connections);
    Load to_recorded(recorded.port(), connections);
    for (auto _ : state) {
        compare(
            state, [&] { return to_bare.run(turn_time); },
            [&] { return to_recorded.run(turn_time); }, recorded);
    }
}
BENCHMARK(keep_open)
    ->Name("server_round_trips_keep_open")
    ->Arg(1)
    ->Arg(100)
    ->Arg(1000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

void connection_each(benchmark::State& state) {
    const BareServer bare(true);
    RecordedServer recorded(harness::ConversationMode::one_transaction);
    for (auto _ : state) {
        compare(
            state, [&] { return connect_each(bare.port(), turn_time); },
            [&] { return connect_each(recorded.port(), turn_time); }, recorded);
    }
}
BENCHMARK(connection_each)
    ->Name("server_round_trips_connection_each")
    ->Iterations(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
