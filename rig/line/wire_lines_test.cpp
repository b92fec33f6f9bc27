#include "rig/line/wire_lines.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "rig/base/errors.hpp"

namespace {

using rig::Direction;
using rig::Edge;
using rig::Level;

constexpr std::uint32_t button = 0;
constexpr std::uint32_t led = 1;

std::vector<rig::LineSpec> lab_lines() {
    return {{.name = "button0",
             .chip = "",
             .line = "0",
             .direction = Direction::output,
             .active = rig::Active::low},
            {.name = "led0", .chip = "", .line = "2", .direction = Direction::input}};
}

/// The bytes of one record, spelt out from WIRE.md.
std::vector<std::uint8_t> record(std::uint8_t kind, std::uint8_t pin, std::uint8_t level,
                                 std::uint8_t seqno, std::uint8_t at_ns, std::uint8_t version = 1) {
    std::vector<std::uint8_t> bytes(24);
    bytes[0] = kind;
    bytes[1] = pin;
    bytes[2] = level;
    bytes[3] = version;
    bytes[8] = seqno;
    bytes[16] = at_ns;
    return bytes;
}

class WireLinesTest : public ::testing::Test {
  protected:
    void SetUp() override { board_ = lines_.plug(); }

    void board_sends(const std::vector<std::uint8_t>& bytes) {
        ASSERT_EQ(::send(board_.get(), bytes.data(), bytes.size(), 0),
                  static_cast<ssize_t>(bytes.size()));
    }

    std::vector<std::uint8_t> board_hears() {
        std::vector<std::uint8_t> bytes(240);
        const auto got = ::recv(board_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }

    std::vector<Edge> read_all() {
        std::vector<Edge> edges;
        while (lines_.read_edges(edges)) {
        }
        return edges;
    }

    rig::ManualClock clock_{77};
    rig::WireLines lines_{lab_lines(), clock_};
    rig::UniqueFd board_;
};

TEST_F(WireLinesTest, an_edge_of_the_board_arrives_with_the_boards_own_time) {
    board_sends(record(2, 2, 1, 1, 42));
    const auto edges = read_all();
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].line, led);
    EXPECT_EQ(edges[0].level, Level::high);
    EXPECT_EQ(edges[0].at_ns, 42);
    EXPECT_EQ(edges[0].source, rig::EdgeSource::board);
    EXPECT_EQ(lines_.level(led), Level::high);
    EXPECT_EQ(lines_.edges_lost(), 0U);
}

TEST_F(WireLinesTest, a_record_cut_in_two_is_put_together) {
    const auto bytes = record(2, 2, 1, 1, 42);
    board_sends({bytes.begin(), bytes.begin() + 7});
    EXPECT_TRUE(read_all().empty());
    board_sends({bytes.begin() + 7, bytes.end()});
    EXPECT_EQ(read_all().size(), 1U);
}

TEST_F(WireLinesTest, a_gap_in_the_sequence_is_counted_as_lost_edges) {
    board_sends(record(2, 2, 1, 1, 1));
    board_sends(record(2, 2, 0, 5, 2));
    EXPECT_EQ(read_all().size(), 2U);
    EXPECT_EQ(lines_.edges_lost(), 3U);
}

TEST_F(WireLinesTest, the_level_at_boot_is_known_and_is_no_edge) {
    board_sends(record(4, 2, 1, 0, 1));
    board_sends(record(1, 0, 0, 0, 1));
    EXPECT_TRUE(read_all().empty());
    EXPECT_EQ(lines_.level(led), Level::high);
    EXPECT_TRUE(lines_.said_hello());
}

TEST_F(WireLinesTest, pressing_drives_low_and_letting_go_releases_an_open_drain_line) {
    EXPECT_EQ(lines_.level(button), Level::high);

    const Edge pressed = lines_.drive(button, Level::low);
    EXPECT_EQ(pressed.seqno, 1U);
    EXPECT_EQ(pressed.at_ns, 77);
    EXPECT_EQ(board_hears(), record(3, 0, 0, 1, 77));

    const Edge released = lines_.drive(button, Level::high);
    EXPECT_EQ(released.seqno, 2U);
    EXPECT_EQ(board_hears(), record(3, 0, 2, 2, 77));
}

TEST_F(WireLinesTest, driving_a_line_to_the_level_it_has_makes_no_edge) {
    EXPECT_EQ(lines_.drive(button, Level::high).seqno, 0U);
    EXPECT_TRUE(board_hears().empty());
}

TEST_F(WireLinesTest, release_lets_go_once) {
    const Edge pressed = lines_.drive(button, Level::low);
    ASSERT_EQ(pressed.seqno, 1U);
    EXPECT_EQ(board_hears().size(), 24U);
    lines_.release(button);
    EXPECT_EQ(board_hears(), record(3, 0, 2, 2, 77));
    lines_.release(button);
    EXPECT_TRUE(board_hears().empty());
}

TEST_F(WireLinesTest, an_input_refuses_to_be_driven) {
    EXPECT_THROW(static_cast<void>(lines_.drive(led, Level::high)), rig::RigError);
}

TEST_F(WireLinesTest, a_board_that_dies_is_noticed_and_can_be_replaced) {
    board_sends(record(2, 2, 1, 1, 1));
    board_.reset();
    EXPECT_EQ(read_all().size(), 1U) << "what the board said before it died must not be lost";
    EXPECT_TRUE(read_all().empty());
    EXPECT_FALSE(lines_.is_connected());
    EXPECT_TRUE(lines_.descriptors().empty());
    EXPECT_EQ(lines_.trouble(), "") << "a board that dies is no fault of the rig";

    board_ = lines_.plug();
    EXPECT_TRUE(lines_.is_connected());
    board_sends(record(2, 2, 1, 1, 1));
    EXPECT_EQ(read_all().size(), 1U);
    EXPECT_EQ(lines_.edges_lost(), 0U) << "a new board counts from 1 again";
}

TEST_F(WireLinesTest, a_line_can_be_driven_although_no_board_is_there_any_more) {
    static_cast<void>(lines_.drive(button, Level::low));
    board_.reset();  // with a record unread, which resets the wire
    EXPECT_EQ(lines_.drive(button, Level::high).seqno, 2U) << "before it has been noticed";
    EXPECT_TRUE(read_all().empty());
    EXPECT_FALSE(lines_.is_connected());
    EXPECT_EQ(lines_.trouble(), "");
    EXPECT_EQ(lines_.drive(button, Level::low).seqno, 3U) << "and after";
    EXPECT_EQ(lines_.level(button), Level::low);
}

TEST_F(WireLinesTest, unplugging_is_end_of_file_for_the_board) {
    lines_.unplug();
    std::uint8_t byte = 0;
    EXPECT_EQ(::recv(board_.get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(WireLinesTest, nonsense_from_the_board_cuts_the_wire_and_says_why) {
    board_sends(record(9, 2, 1, 1, 1));
    EXPECT_TRUE(read_all().empty());
    EXPECT_FALSE(lines_.is_connected());
    EXPECT_THAT(lines_.trouble(), ::testing::HasSubstr("kind 9"));
}

TEST_F(WireLinesTest, another_version_of_the_wire_is_refused_by_name) {
    board_sends(record(1, 0, 0, 0, 1, 2));
    EXPECT_TRUE(read_all().empty());
    EXPECT_EQ(lines_.trouble(), "the board speaks version 2 of the wire, this rig version 1");
}

TEST_F(WireLinesTest, a_board_that_does_not_read_never_blocks_the_rig) {
    EXPECT_THROW(
        for (int i = 0; i < 1'000'000; ++i) {
            static_cast<void>(lines_.drive(button, i % 2 == 0 ? Level::low : Level::high));
        },
        rig::RigError);
    EXPECT_EQ(lines_.trouble(), "the board does not read its wire");
}

TEST_F(WireLinesTest, every_edge_of_a_flood_arrives_or_is_counted) {
    constexpr std::uint64_t edges_total = 300'000;
    std::thread flood([this] {
        auto bytes = record(2, 2, 0, 0, 0);
        for (std::uint64_t seqno = 1; seqno <= edges_total; ++seqno) {
            bytes[2] = seqno % 2;
            std::memcpy(bytes.data() + 8, &seqno, sizeof seqno);
            ssize_t sent = ::send(board_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
            if (seqno == edges_total && sent < 0) {  // the last one must get through
                sent = ::send(board_.get(), bytes.data(), bytes.size(), 0);
            }
        }
    });
    std::uint64_t seen = 0;
    std::uint64_t last_seqno = 0;
    std::vector<Edge> edges;
    while (last_seqno < edges_total) {
        pollfd ready{.fd = lines_.descriptors().at(0), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
        edges.clear();
        static_cast<void>(lines_.read_edges(edges));
        seen += edges.size();
        last_seqno = edges.empty() ? last_seqno : edges.back().seqno;
    }
    flood.join();
    EXPECT_EQ(seen + lines_.edges_lost(), edges_total);
}

TEST(WireLines, refuses_a_line_that_is_no_pin) {
    const rig::SystemClock clock;
    auto specs = lab_lines();
    specs[0].line = "GPIO17";
    EXPECT_THROW(rig::WireLines(specs, clock), rig::NoBench);
    specs[0].line = "32";
    EXPECT_THROW(rig::WireLines(specs, clock), rig::NoBench);
    specs[0].line = "2";
    EXPECT_THROW(rig::WireLines(specs, clock), rig::NoBench) << "led0 is on pin 2 already";
}

}  // namespace
