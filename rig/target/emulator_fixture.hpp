// What tests of the emulated target share: the real QEMU with a tiny image of the tests' own
// (emulated_double.c), and the lines on it. Where QEMU or the compiler of the image is missing
// these tests skip, which ci/test does not allow in CI. Only tests include this.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rig/base/deadline.hpp"
#include "rig/line/lab_lines.hpp"
#include "rig/target/emulator_target.hpp"
#include "rig/target/enclosure.hpp"

namespace rig::testing {

inline const SystemClock system_clock;
constexpr auto patience = std::chrono::seconds(60);
constexpr const char* qemu = "/usr/bin/qemu-system-arm";

class EmulatorTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (std::string(WWEP_EMULATED_DOUBLE).empty() || ::access(qemu, X_OK) != 0) {
            GTEST_SKIP() << "NOT TESTED: the emulated board needs Debian's qemu-system-arm and "
                            "gcc-arm-none-eabi; install them and configure anew";
        }
        std::string name = ::testing::TempDir() + "emulator-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        enclosure_.emplace(WWEP_ENCLOSURE, "198.51.100.3", std::vector<EnclosedPlace>{},
                           system_clock);
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    EmulatorSpec spec() {
        return {.helper = WWEP_ENCLOSURE,
                .emulator = qemu,
                .folder = folder_,
                .image = WWEP_EMULATED_DOUBLE,
                .mac = "02:00:00:00:00:01",
                .user_namespace = enclosure_->user_namespace(),
                .network_namespace = enclosure_->network_namespace()};
    }
    EmulatorTarget& make(EmulatorSpec spec) {
        return target_.emplace(system_clock, std::move(spec), [this] { return lines_.plug(); });
    }
    void start() { start(spec()); }
    void start(EmulatorSpec spec) {
        make(std::move(spec)).start();
        ASSERT_TRUE(until([this] { return is_ready(1); })) << said();
    }
    bool is_ready(std::uint64_t starts) {
        return lines_.hellos() == starts &&
               static_cast<std::uint64_t>(std::count(console_.begin(), console_.end(), "ready")) ==
                   starts;
    }

    /// Plays the loop until `is_done`, or the patience ends.
    template <typename Predicate>
    bool until(Predicate is_done) {
        const auto give_up = Deadline::after(system_clock, patience);
        while (!is_done()) {
            if (give_up.has_passed(system_clock)) {
                return false;
            }
            look();
            if (is_done()) {
                return true;
            }
            std::vector<pollfd> waited;
            for (const auto& descriptors : {target_->descriptors(), lines_.descriptors()}) {
                for (const int fd : descriptors) {
                    waited.push_back({.fd = fd, .events = POLLIN, .revents = 0});
                }
            }
            static_cast<void>(::poll(waited.data(), waited.size(), 50));
        }
        return true;
    }
    void look() {
        std::vector<TargetEvent> events;
        while (target_->read(events)) {
        }
        while (lines_.read_edges(edges_)) {
        }
        for (const TargetEvent& event : events) {
            if (const auto* const text = std::get_if<ConsoleText>(&event)) {
                console_.push_back(text->text);
            } else if (const auto* const ended = std::get_if<TargetEnded>(&event)) {
                ends_.push_back(*ended);
            } else if (const auto* const failed = std::get_if<CarrierFailed>(&event)) {
                failures_.push_back(failed->what);
            } else if (std::holds_alternative<TargetStarted>(event)) {
                ++starts_;
                said_before_start_ = static_cast<int>(console_.size());
            }
        }
    }
    bool says(const std::string& text) {
        return until(
            [&] { return std::find(console_.begin(), console_.end(), text) != console_.end(); });
    }
    std::string said() const {
        std::string text;
        for (const auto& line : console_) {
            text += line + "\n";
        }
        return text;
    }
    void press(std::uint32_t button) {
        static_cast<void>(lines_.drive(button, Level::low));
        lines_.release(button);
    }
    bool ends() {
        return until([this] { return !ends_.empty(); });
    }

    QemuLines lines_{lab_lines(), system_clock};
    std::string folder_;
    std::optional<Enclosure> enclosure_;
    std::optional<EmulatorTarget> target_;
    std::vector<Edge> edges_;
    std::vector<std::string> console_;
    std::vector<std::string> failures_;
    std::vector<TargetEnded> ends_;
    int starts_ = 0;
    int said_before_start_ = 0;  // lines of the console
};

}  // namespace rig::testing
