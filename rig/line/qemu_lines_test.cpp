// QEMU is played by the test here: rig/target/emulator_target_test.cpp has the real one.
#include "rig/line/qemu_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "rig/base/errors.hpp"
#include "rig/line/lab_lines.hpp"

namespace {

using rig::Direction;
using rig::Edge;
using rig::Level;
using rig::testing::button0;
using rig::testing::lab_lines;
using rig::testing::led0;
using rig::testing::led1;
using rig::testing::line_on_pin;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr int answers_ready = 60;

std::string qom_list() {
    std::string text;
    for (int i = 8; i <= 14; ++i) {
        text += std::string(text.empty() ? "" : ",") + R"({"name":"device[)" + std::to_string(i) +
                R"(]","type":"child<pl061_luminary>"})";
    }
    return "[" + text + "]";
}

class QemuLinesTest : public ::testing::Test {
  protected:
    void SetUp() override { plug_in(); }

    /// QEMU's ends, with the answers to the first commands on the way already.
    void plug_in() {
        qemu_ = lines_.plug();
        say(qemu_.events.get(), R"({"QMP": {}}{"return": {}})");
        say(qemu_.keys.get(), R"({"QMP": {}}{"return": {}})");
        say(qemu_.keys.get(), R"({"return": )" + qom_list() + R"(, "id": 1})");
        for (int id = 2; id < answers_ready; ++id) {
            say(qemu_.keys.get(), R"({"return": {}, "id": )" + std::to_string(id) + "}");
        }
    }
    static void say(int socket, std::string text) {
        for (auto at = text.find("}{"); at != std::string::npos; at = text.find("}{")) {
            text.replace(at, 2, "}\n{");
        }
        text += "\n";
        ASSERT_EQ(::send(socket, text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    void event(const std::string& name, std::int64_t at_us) {
        say(qemu_.events.get(), R"({"event": ")" + name + R"(", "timestamp": {"seconds": )" +
                                    std::to_string(at_us / 1'000'000) + R"(, "microseconds": )" +
                                    std::to_string(at_us % 1'000'000) + "}}");
    }
    /// Begins to run, and is primed.
    void run() {
        say(qemu_.events.get(), R"({"return": {"running": false}, "id": 1})");
        event("RESUME", 1'000'000);
        EXPECT_TRUE(read_all().empty());
        keys();
    }
    void logs(int device, int pin, int level, std::int64_t at_us) {
        const std::string text = "77@" + std::to_string(at_us / 1'000'000) + "." +
                                 std::to_string(1'000'000 + at_us % 1'000'000).substr(1) +
                                 ":pl061_set_output /machine/unattached/device[" +
                                 std::to_string(device) + "] setting output " +
                                 std::to_string(pin) + " to " + std::to_string(level) + "\n";
        ASSERT_EQ(::write(qemu_.log.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    }
    std::vector<Edge> read_all() {
        std::vector<Edge> edges;
        while (lines_.read_edges(edges)) {
        }
        return edges;
    }
    /// The keys that QEMU was told of: "ctrl down", "up up"...
    std::vector<std::string> keys() {
        std::string text(65'536, '\0');
        const auto got = ::recv(qemu_.keys.get(), text.data(), text.size(), MSG_DONTWAIT);
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        std::vector<std::string> result;
        for (auto at = text.find("\"down\":"); at != std::string::npos;
             at = text.find("\"down\":", at + 1)) {
            const auto code = text.find("\"data\":\"", at) + 8;
            result.push_back(text.substr(code, text.find('"', code) - code) +
                             (text.substr(at + 7, 4) == "true" ? " down" : " up"));
        }
        return result;
    }

    rig::ManualClock clock_{10 * rig::ns_per_s};
    rig::QemuLines lines_{lab_lines(), clock_};
    rig::QemuPlug qemu_;
};

TEST_F(QemuLinesTest, buttons_are_pressed_and_released_once_before_the_board_is_there) {
    EXPECT_TRUE(read_all().empty());
    EXPECT_EQ(lines_.hellos(), 0U);
    say(qemu_.events.get(), R"({"return": {"running": false}, "id": 1})");
    event("RESUME", 1'000'000);
    EXPECT_TRUE(read_all().empty());
    EXPECT_EQ(lines_.hellos(), 1U);
    EXPECT_THAT(keys(), ElementsAre("ctrl down", "ctrl up", "up down", "up up"));
}

TEST_F(QemuLinesTest, an_edge_carries_qemus_time) {
    run();
    logs(13, 0, 1, 9'999'123);
    const auto edges = read_all();
    ASSERT_THAT(edges, SizeIs(1));
    EXPECT_EQ(edges[0].line, led0);
    EXPECT_EQ(edges[0].level, Level::high);
    EXPECT_EQ(edges[0].at_ns, 9'999'123'000);
    EXPECT_EQ(edges[0].seqno, 1U);
    EXPECT_EQ(edges[0].source, rig::EdgeSource::board);
    EXPECT_EQ(lines_.level(led0), Level::high);
}

TEST_F(QemuLinesTest, pins_that_nobody_watches_and_levels_that_are_there_make_no_edge) {
    run();
    logs(13, 1, 1, 9'000'000);  // a button's pull-up
    logs(13, 3, 1, 9'000'000);
    logs(8, 0, 1, 9'000'000);
    logs(13, 0, 0, 9'000'000);
    EXPECT_TRUE(read_all().empty());
    EXPECT_EQ(lines_.edges_lost(), 0U);
}

TEST_F(QemuLinesTest, a_line_of_the_log_that_cannot_be_read_is_a_lost_edge) {
    run();
    const std::string text = "77@1.000000:pl061_set_output /machine/unatt\n";
    ASSERT_EQ(::write(qemu_.log.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    EXPECT_TRUE(read_all().empty());
    EXPECT_EQ(lines_.edges_lost(), 1U);
}

TEST_F(QemuLinesTest, a_log_without_line_ends_is_a_lost_edge_and_those_after_it_are_seen) {
    run();
    const std::string text(5'000, 'x');
    ASSERT_EQ(::write(qemu_.log.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    EXPECT_TRUE(read_all().empty());
    EXPECT_EQ(lines_.edges_lost(), 1U);
    logs(13, 0, 1, 9'000'000);
    EXPECT_THAT(read_all(), SizeIs(1));
    EXPECT_EQ(lines_.edges_lost(), 1U);
}

TEST_F(QemuLinesTest, a_press_is_a_key_and_a_release_too) {
    run();
    clock_.advance_ns(5);
    const Edge edge = lines_.drive(button0, Level::low);
    EXPECT_EQ(edge.at_ns, clock_.monotonic_ns());
    EXPECT_EQ(edge.seqno, 1U);
    EXPECT_EQ(lines_.drive(button0, Level::low).seqno, 0U);
    lines_.release(button0);
    lines_.release(button0);
    EXPECT_THAT(keys(), ElementsAre("ctrl down", "ctrl up"));
    EXPECT_EQ(lines_.level(button0), Level::high);
}

TEST_F(QemuLinesTest, after_a_reset_buttons_are_primed_again_and_leds_are_off) {
    run();
    logs(13, 0, 1, 2'000'000);
    logs(13, 2, 1, 2'000'000);
    EXPECT_THAT(read_all(), SizeIs(2));
    logs(13, 2, 0, 3'000'000);  // before the reset, unread
    logs(13, 2, 1, 5'000'000);  // the new run's
    event("RESET", 4'000'000);
    EXPECT_THAT(read_all(), SizeIs(2));
    EXPECT_EQ(lines_.hellos(), 2U);
    EXPECT_EQ(lines_.level(led0), Level::low);
    EXPECT_EQ(lines_.level(led1), Level::high);
    EXPECT_THAT(keys(), ElementsAre("ctrl down", "ctrl up", "up down", "up up"));
}

TEST_F(QemuLinesTest, a_board_that_only_stood_still_is_not_primed_but_told_what_was_released) {
    run();
    static_cast<void>(lines_.drive(button0, Level::low));
    keys();
    event("STOP", 2'000'000);
    event("RESUME", 3'000'000);
    EXPECT_TRUE(read_all().empty());
    EXPECT_EQ(lines_.hellos(), 1U);
    EXPECT_THAT(keys(), ElementsAre("ctrl down", "up up"));
}

TEST_F(QemuLinesTest, qemus_end_comes_after_its_last_edges) {
    run();
    logs(13, 0, 1, 9'000'000);
    qemu_ = {};
    EXPECT_THAT(read_all(), SizeIs(1));
    EXPECT_FALSE(lines_.is_connected());
    EXPECT_TRUE(lines_.descriptors().empty());
    EXPECT_EQ(lines_.drive(button0, Level::low).seqno, 1U);
    plug_in();
    EXPECT_TRUE(lines_.is_connected());
    EXPECT_EQ(lines_.level(button0), Level::high);
    EXPECT_EQ(lines_.level(led0), Level::low);
}

TEST_F(QemuLinesTest, lines_that_cannot_be_are_refused_by_name) {
    const auto refusal = [&](const rig::LineSpec& spec) -> std::string {
        try {
            auto specs = lab_lines();
            specs.push_back(spec);
            const rig::QemuLines lines(specs, clock_);
        } catch (const rig::NoBench& error) {
            return error.what();
        }
        return "nothing";
    };
    EXPECT_THAT(refusal(line_on_pin("button2", "PF3", Direction::output)),
                HasSubstr("button2: the buttons of the emulated board are on PE0 to PE3 and PF1"));
    EXPECT_THAT(refusal(line_on_pin("led2", "17", Direction::input)), HasSubstr("not \"17\""));
    EXPECT_THAT(refusal(line_on_pin("led2", "PF0", Direction::input)),
                HasSubstr("lines led0 and led2 are both on pin PF0"));
    EXPECT_THROW(static_cast<void>(lines_.drive(led0, Level::low)), rig::RigError);
}

}  // namespace
