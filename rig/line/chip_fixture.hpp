// What tests on a simulated chip share: a chip with names, the lines of a small bench on it, and
// waiting for edges. Only tests include this.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"
#include "rig/line/chip_lines.hpp"
#include "rig/line/gpio_sim.hpp"

namespace rig::testing {

constexpr auto patience = std::chrono::seconds(5);  // an emulated machine under load is slow
constexpr auto quiet = std::chrono::milliseconds(100);

/// Waits until one descriptor is readable; what a Loopback wants.
inline bool wait_readable(std::span<const int> descriptors, std::chrono::nanoseconds timeout) {
    std::vector<pollfd> ready;
    for (const int fd : descriptors) {
        ready.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    }
    const timespec left{.tv_sec = timeout.count() / ns_per_s,
                        .tv_nsec = timeout.count() % ns_per_s};
    return ::ppoll(ready.data(), ready.size(), &left, nullptr) > 0;
}

/// What a call throws of one kind; "(nothing)" if it does not throw.
template <class Error>
std::string thrown_by(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "(nothing)";
}

inline LineSpec button_on(std::string chip, std::string line) {
    return {.name = "button0",
            .chip = std::move(chip),
            .line = std::move(line),
            .direction = Direction::output,
            .active = Active::low};
}
inline LineSpec led_on(std::string chip, std::string line) {
    return {.name = "led0", .chip = std::move(chip), .line = std::move(line)};
}

class ChipTest : public ::testing::Test {
  protected:
    static constexpr unsigned button = 2;
    static constexpr unsigned led = 3;

    void SetUp() override {
        SKIP_WITHOUT_GPIO_SIM();
        sim_.emplace(
            GpioSim::Shape{.label = "test-lines",
                           .names = {{button, "BUTTON0"}, {led, "LED0"}, {6, "TWIN"}, {7, "TWIN"}},
                           .hogs = {{5, "board-power"}}});
        sim_->pull(button, Level::high);  // the board's pull holds its button open
    }

    /// The lines of a bench, button0 first, on the simulated chip.
    ChipLines& open(std::vector<LineSpec> specs, ChipLinesOptions options = {}) {
        return lines_.emplace(std::move(specs), clock_, std::move(options));
    }
    ChipLines& open() { return open({button_on(sim_->path(), "2"), led_on(sim_->path(), "3")}); }

    /// The edges that come, until there are `count` of them or patience ends.
    std::vector<Edge> wait_for_edges(std::size_t count,
                                     std::chrono::nanoseconds timeout = patience) {
        const Deadline deadline = Deadline::after(clock_, timeout);
        std::vector<Edge> edges;
        while (edges.size() < count && !deadline.has_passed(clock_)) {
            static_cast<void>(wait_readable(lines_->descriptors(), deadline.left(clock_)));
            static_cast<void>(lines_->read_edges(edges));
        }
        return edges;
    }
    std::vector<Edge> edges_within_quiet() { return wait_for_edges(1, quiet); }

    /// What an LED's line does when the board drives it, and the edge that came of it.
    std::optional<Edge> board_sets_led(Level level) {
        sim_->pull(led, level);
        const auto edges = wait_for_edges(1);
        return edges.empty() ? std::nullopt : std::optional(edges.front());
    }
    /// What the board reads at its button: its pull wins where nobody drives.
    Level board_reads_button() {
        sim_->pull(button, Level::high);
        return sim_->value(button);
    }

    const SystemClock clock_{};
    std::optional<GpioSim> sim_;
    std::optional<ChipLines> lines_;  // after sim_: goes first
};

}  // namespace rig::testing
