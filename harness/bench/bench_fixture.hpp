// What the tests of the bench share: a folder of the test's own, a loopback address on which the
// firmware's fixed ports are free, and benches with the real firmware on them. The fixture ends its
// benches in TearDown() and removes the folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "harness/bench/bench.hpp"
#include "harness/client/client.hpp"
#include "harness/tls/tls_library.hpp"
#include "rig/base/errors.hpp"

namespace harness {

constexpr std::chrono::seconds patience_max{20};

constexpr std::uint16_t plain_port = 27708;
constexpr std::uint16_t tls_port = 40508;

class BenchTest : public ::testing::Test {
  protected:
    BenchTest() {
        std::string name = ::testing::TempDir() + "bench-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~BenchTest() override { std::filesystem::remove_all(folder_); }

    void TearDown() override {
        other_.reset();
        bench_.reset();
    }

    /// A simulated bench with firmware, but without an address.
    [[nodiscard]] BenchOptions options(const std::string& program = WWEP_DUAL_CLIENT) const {
        BenchOptions result;
        result.bench_file = rig::built_in_sim_bench();
        result.server.plain_port = plain_port;
        result.server.tls_port = tls_port;
        result.server.tls.certificate_file = WWEP_TEST_CERTS "/server-ecdsa.pem";
        result.server.tls.key_file = WWEP_TEST_CERTS "/server-ecdsa.key";
        result.target =
            TargetProcess{.program = program,
                          .arguments = {},
                          .environment = {{"WWEP_MAC", "02:00:00:00:00:01"},
                                          {"WWEP_BOARD_LOG", board_log().string()},
                                          {"WWEP_DCT_CERTIFICATE", WWEP_TEST_CERTS "/ca.pem"},
                                          // Under a sanitizer too a crash is a crash.
                                          {"ASAN_OPTIONS", "handle_segv=0:detect_leaks=0"},
                                          {"TSAN_OPTIONS", "handle_segv=0"}},
                          .ready_text = "ready"};
        result.recording_path = recording();
        return result;
    }

    /// Makes the bench on the next address of 127.0.0.0/8 where both ports are free.
    [[nodiscard]] std::unique_ptr<Bench> make(BenchOptions options) {
        for (int tries = 0; tries < 1'000; ++tries) {
            const int number = ::getpid() + 7'919 * last_try_++;
            address_ = "127." + std::to_string(100 + number / 62'500 % 100) + "." +
                       std::to_string(number / 250 % 250) + "." + std::to_string(1 + number % 250);
            options.server.addresses = {address_};
            BenchOptions attempt = options;
            if (attempt.target) {
                attempt.target->environment.emplace_back("WWEP_ROUTES",
                                                         "wwep.ww101.cypress.com=" + address_);
            }
            try {
                return std::make_unique<Bench>(std::move(attempt), clock_, library_);
            } catch (const rig::NoBench& error) {
                if (std::string(error.what()).find("another program has this port") ==
                    std::string::npos) {
                    throw;
                }
                options.overwrite_recording = true;  // the one of the failed attempt
            }
        }
        throw rig::NoBench("no address is free");
    }

    /// Makes the bench and starts its firmware.
    void open(BenchOptions options) {
        bench_ = make(std::move(options));
        bench_->start_target(soon(), nullptr);
    }
    void open() { open(options()); }

    [[nodiscard]] rig::Deadline soon() const { return rig::Deadline::after(clock_, patience_max); }
    [[nodiscard]] rig::Deadline in(std::chrono::nanoseconds time) const {
        return rig::Deadline::after(clock_, time);
    }
    [[nodiscard]] std::filesystem::path board_log() const { return folder_ / "board.log"; }
    [[nodiscard]] std::filesystem::path recording() const { return folder_ / "run.sqlite"; }

    /// Presses and waits for the whole round trip.
    RoundTrip press(const std::string& button,
                    std::chrono::nanoseconds hold = std::chrono::milliseconds(5)) {
        const PressId id = bench_->start_press(button, hold, "ideal");
        EXPECT_TRUE(bench_->wait_trip(id, Until::settled, soon(), nullptr)) << "not settled";
        return bench_->round_trip(id);
    }

    /// Presses the button as soon as it has been released.
    PressId press_again(const std::string& button, std::chrono::nanoseconds hold) {
        const PressId id = bench_->start_press(button, hold, "ideal");
        wait_for<PressReleased>([id](const PressReleased& released) { return released.id == id; });
        return id;
    }

    /// The first event of a kind from `cursor` on; fails the test if none comes.
    template <class Kind>
    Kind wait_for(const std::function<bool(const Kind&)>& condition = nullptr, Cursor cursor = 0) {
        Kind found;
        const bool came = bench_->timeline().wait(
            cursor, soon(),
            [&](const Event& event) {
                const auto* const value = std::get_if<Kind>(&event);
                if (value == nullptr || (condition && !condition(*value))) {
                    return false;
                }
                found = *value;
                return true;
            },
            nullptr);
        EXPECT_TRUE(came) << "no such event";
        return found;
    }
    TargetChanged wait_for_end_of_target(Cursor cursor = 0) {
        return wait_for<TargetChanged>(
            [](const TargetChanged& change) { return !change.is_running; }, cursor);
    }

    template <class Kind>
    [[nodiscard]] std::vector<Kind> all_since(Cursor cursor) const {
        std::vector<Kind> result;
        for (const Event& event : bench_->timeline().since(cursor, 1'000'000).events) {
            if (const auto* const value = std::get_if<Kind>(&event)) {
                result.push_back(*value);
            }
        }
        return result;
    }

    template <class Kind>
    [[nodiscard]] std::vector<Kind> all() const {
        return all_since<Kind>(0);
    }

    /// Lines of the board's log, without their timestamps.
    [[nodiscard]] std::vector<std::string> board_saw() const {
        std::vector<std::string> lines;
        std::ifstream log(board_log());
        for (std::string line; std::getline(log, line);) {
            lines.push_back(line.substr(line.find(' ') + 1));
        }
        return lines;
    }

    /// Stops the board's process, as SIGSTOP does, and waits until it has stopped.
    static void freeze(int pid) {
        ASSERT_EQ(::kill(pid, SIGSTOP), 0);
        siginfo_t stopped{};
        ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &stopped, WSTOPPED | WNOWAIT), 0);
    }

    /// A client in the clear asks the bench's server.
    [[nodiscard]] std::string ask(const std::string& request) const {
        Client client(library_, clock_, {.host = address_, .port = plain_port, .tls = {}}, soon());
        return client.transact(request, soon()).bytes;
    }

    rig::SystemClock clock_;
    TlsLibrary library_;
    std::filesystem::path folder_;
    std::string address_;
    int last_try_ = 0;
    std::unique_ptr<Bench> bench_;
    std::unique_ptr<Bench> other_;
};

}  // namespace harness
