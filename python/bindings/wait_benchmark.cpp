// From a frame's kernel timestamp to Python's wait_events() returning, against the least that two
// threads can do: one reads the frame from epoll and tells the other by eventfd. Turn by turn in
// one process; the counters are medians in microseconds and `ratio` is ours over theirs.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pybind11/embed.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/base/unique_fd.hpp"

namespace py = pybind11;

namespace {

constexpr int frames_per_turn = 200;
constexpr int turns = 7;
constexpr std::string_view request = "W0FAC0B1234";
/// Long enough for the waiting thread to be asleep, as it is when a person's press arrives.
constexpr auto sent_after = std::chrono::microseconds(500);

rig::UniqueFd connect_to(std::uint16_t port) {
    rig::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("connect");
    }
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

/// Sends a frame on a socket a moment after it is asked to, from a thread of its own.
class Sender {
  public:
    explicit Sender(int socket) : socket_(socket), thread_([this] { run(); }) {}
    ~Sender() {
        is_over_ = true;
        send_soon();
        thread_.join();
    }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;
    void send_soon() const {
        const std::uint64_t one = 1;
        static_cast<void>(::write(asked_.get(), &one, sizeof one));
    }

  private:
    void run() const {
        std::uint64_t count = 0;
        while (::read(asked_.get(), &count, sizeof count) > 0 && !is_over_) {
            std::this_thread::sleep_for(sent_after);
            static_cast<void>(::send(socket_, request.data(), request.size(), MSG_NOSIGNAL));
        }
    }
    const int socket_;
    std::atomic<bool> is_over_ = false;
    rig::UniqueFd asked_{::eventfd(0, EFD_CLOEXEC)};
    std::thread thread_;
};

double median_us(std::vector<double> values_ns) {
    std::sort(values_ns.begin(), values_ns.end());
    return values_ns[values_ns.size() / 2] / 1e3;
}

std::int64_t stamp_of(msghdr& message) {
    const cmsghdr* const control = CMSG_FIRSTHDR(&message);
    timespec stamp{};
    if (control != nullptr) {
        std::memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
    }
    return std::int64_t{stamp.tv_sec} * rig::ns_per_s + stamp.tv_nsec;
}

/// The two-thread program.
class Bare {
  public:
    Bare() {
        const int on = 1;
        ::setsockopt(listener_.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
        ::listen(listener_.get(), 1);
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        client_ = connect_to(ntohs(address.sin_port));
        socket_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        add(reader_epoll_.get(), socket_.get());
        add(waiter_epoll_.get(), told_.get());
        reader_ = std::thread([this] { read_all(); });
    }
    ~Bare() {
        ::shutdown(client_.get(), SHUT_RDWR);
        reader_.join();
    }
    Bare(const Bare&) = delete;
    Bare& operator=(const Bare&) = delete;

    [[nodiscard]] int client() const { return client_.get(); }
    double wait_ns() {
        epoll_event event{};
        while (::epoll_wait(waiter_epoll_.get(), &event, 1, -1) != 1) {
        }
        std::uint64_t count = 0;
        static_cast<void>(::read(told_.get(), &count, sizeof count));
        return static_cast<double>(rig::SystemClock().wall_ns() - stamp_ns_);
    }

  private:
    static void add(int epoll, int fd) {
        epoll_event event{};
        event.events = EPOLLIN;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
    void read_all() {
        epoll_event event{};
        while (true) {
            if (::epoll_wait(reader_epoll_.get(), &event, 1, -1) != 1) {
                continue;
            }
            std::array<char, 64> buffer{};
            alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control{};
            iovec data{.iov_base = buffer.data(), .iov_len = buffer.size()};
            msghdr message{};
            message.msg_iov = &data;
            message.msg_iovlen = 1;
            message.msg_control = control.data();
            message.msg_controllen = control.size();
            if (::recvmsg(socket_.get(), &message, 0) <= 0) {
                return;
            }
            stamp_ns_ = stamp_of(message);
            const std::uint64_t one = 1;
            static_cast<void>(::write(told_.get(), &one, sizeof one));
        }
    }
    rig::UniqueFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    rig::UniqueFd client_;
    rig::UniqueFd socket_;
    rig::UniqueFd reader_epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    rig::UniqueFd waiter_epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    rig::UniqueFd told_{::eventfd(0, EFD_CLOEXEC)};
    std::atomic<std::int64_t> stamp_ns_ = 0;
    std::thread reader_;
};

constexpr const char* script = R"(
from wwep_rig import _core

def open_bench():
    options = _core.BenchOptions()
    options.server.plain_port = 0
    options.server.keep_open = True
    return _core.Bench(options)

def measure(bench, send_soon, count):
    samples = []
    for _ in range(count):
        cursor = bench.cursor()
        send_soon()
        seen = bench.wait_events(cursor, 5.0)
        now_ns = bench.now_ns()
        samples.append(now_ns - seen.events[0].value.received_ns)
        while not any(isinstance(e.value, _core.ReplySent) for e in seen.events):
            seen = bench.wait_events(seen.next, 5.0)
    return samples
)";

void wait(benchmark::State& state) {
    const py::scoped_interpreter interpreter;
    py::module_::import("sys").attr("path").attr("extend")(
        py::make_tuple(WWEP_PYTHON_SOURCES, WWEP_PYTHON_BUILD));
    py::dict names;
    py::exec(script, py::globals(), names);
    py::globals()["_core"] = names["_core"];
    py::object bench = names["open_bench"]();
    const std::string endpoint = bench.attr("plain_endpoints").cast<std::vector<std::string>>()[0];
    const auto port =
        static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
    {
        const rig::UniqueFd socket = connect_to(port);
        const Sender to_ours(socket.get());
        Bare bare;
        const Sender to_bare(bare.client());
        const py::cpp_function send_soon([&to_ours] { to_ours.send_soon(); });
        for (auto _ : state) {
            std::vector<double> ours;
            std::vector<double> theirs;
            std::vector<double> ratios;
            for (int turn = 0; turn < turns; ++turn) {
                std::vector<double> bare_ns;
                for (int i = 0; i < frames_per_turn; ++i) {
                    to_bare.send_soon();
                    bare_ns.push_back(bare.wait_ns());
                }
                theirs.push_back(median_us(bare_ns));
                ours.push_back(median_us(names["measure"](bench, send_soon, frames_per_turn)
                                             .cast<std::vector<double>>()));
                ratios.push_back(ours.back() / theirs.back());
            }
            std::sort(ratios.begin(), ratios.end());
            std::sort(ours.begin(), ours.end());
            std::sort(theirs.begin(), theirs.end());
            state.counters["python_us"] = ours[turns / 2];
            state.counters["bare_us"] = theirs[turns / 2];
            state.counters["ratio"] = ratios[turns / 2];
        }
    }
    bench.attr("close")();
}
BENCHMARK(wait)
    ->Name("frame_to_python_wait")
    ->Iterations(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
