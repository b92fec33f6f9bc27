#include "harness/recorder/recording_reader.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "harness/recorder/recording_on_disk.hpp"
#include "rig/base/errors.hpp"

namespace {

using harness::PressLatency;
using harness::Recorder;
using harness::RecordingReader;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto ms = rig::ns_per_ms;

class RecordingReaderOnDisk : public harness::RecordingOnDisk {
  protected:
    void record(const std::vector<harness::Event>& events) {
        Recorder recorder(path_, facts_, clock_);
        for (const auto& event : events) {
            recorder.take(event);
        }
    }

    std::string refusal() const {
        try {
            const RecordingReader reader(path_);
        } catch (const rig::RigError& error) {
            return error.what();
        }
        return "not refused";
    }

    void change(const char* sql) const {
        harness::Database(path_, harness::Database::Access::read_write).execute(sql);
    }

    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
            names.push_back(entry.path().filename());
        }
        return names;
    }
};

/// The events of one press that goes well, all times from `at_ns`.
void add_round_trip(std::vector<harness::Event>& events, std::int64_t id, const std::string& button,
                    const std::string& led, bool secure, rig::TimestampNs at_ns) {
    events.emplace_back(harness::PressAsserted{id, button, at_ns, at_ns + 1'000, "clean"});
    events.emplace_back(
        harness::EdgeSeen{at_ns + 2 * ms, led, rig::Level::high, rig::EdgeSource::board, 1});
    events.emplace_back(harness::ConnectionOpened{id, at_ns + 3 * ms, "peer", "local", secure});
    if (secure) {
        events.emplace_back(
            harness::HandshakeEnded{id, at_ns + 4 * ms, "TLSv1.3", "x", ms, "", ""});
    }
    harness::FrameReceived frame;
    frame.id = id;
    frame.connection_id = id;
    frame.received_ns = at_ns + 5 * ms;
    frame.verdict = harness::FrameVerdict::write;
    events.emplace_back(frame);
    events.emplace_back(harness::ReplySent{id, id, at_ns + 6 * ms, "A0FAC050001"});
}

TEST_F(RecordingReaderOnDisk, gives_the_timeline_in_order_and_its_last_rows) {
    record({harness::ConsoleLine{3, "third"}, harness::ConsoleLine{1, "first"},
            harness::ConsoleLine{2, "second"}});
    const RecordingReader reader(path_);
    const auto all = reader.timeline();
    ASSERT_EQ(all.size(), 5U);
    EXPECT_EQ(all[0], (harness::TimelineRow{1, "console", "first"}));
    EXPECT_EQ(all[2], (harness::TimelineRow{3, "console", "third"}));
    EXPECT_EQ(all[3].what, "run began: wwep-rig serve on lab-pi");
    EXPECT_THAT(reader.timeline(0, 2, 3), ElementsAre(all[1], all[2]));
    EXPECT_THAT(reader.timeline(1, 1, 2), ElementsAre(all[1]));
    EXPECT_GE(reader.newest_ns(), all[4].at_ns);
    EXPECT_EQ(all[4].what, "run ended");
    const auto last = reader.timeline(3);
    EXPECT_EQ(last, (std::vector<harness::TimelineRow>{all.end() - 3, all.end()}));
}

TEST_F(RecordingReaderOnDisk, gives_the_run_as_json) {
    record({});
    const auto run = nlohmann::json::parse(RecordingReader(path_).run_json());
    EXPECT_EQ(run.at("command"), "wwep-rig serve");
    EXPECT_EQ(run.at("host"), "lab-pi");
    EXPECT_EQ(run.at("bench"), "sim");
    EXPECT_EQ(run.at("firmware"), "build 7");
    EXPECT_EQ(run.at("facts").at("python"), "3.11");
    EXPECT_GT(run.at("began_wall_ns"), 1'600'000'000'000'000'000);
}

TEST_F(RecordingReaderOnDisk, measures_each_press_against_its_own_led_and_frame) {
    std::vector<harness::Event> events;
    add_round_trip(events, 1, "button0", "led0", false, 100 * ms);
    add_round_trip(events, 2, "button1", "led1", true, 101 * ms);  // interleaved with the first
    add_round_trip(events, 3, "button0", "led0", false, 200 * ms);
    record(events);
    const RecordingReader reader(path_);
    EXPECT_THAT(
        reader.latencies(),
        ElementsAre(PressLatency{1, "button0", 100 * ms, 2 * ms, 5 * ms, ms, std::nullopt, 1},
                    PressLatency{2, "button1", 101 * ms, 2 * ms, 5 * ms, ms, ms, 2},
                    PressLatency{3, "button0", 200 * ms, 2 * ms, 5 * ms, ms, std::nullopt, 3}));
}

TEST_F(RecordingReaderOnDisk, leaves_out_what_a_press_did_not_cause) {
    std::vector<harness::Event> events{
        // An edge before the press, and a frame only after the next press: none is of press 1.
        harness::EdgeSeen{99 * ms, "led0", rig::Level::high, rig::EdgeSource::board, 1},
        harness::PressAsserted{1, "button0", 100 * ms, 100 * ms, "clean"}};
    add_round_trip(events, 2, "button0", "led0", false, 200 * ms);
    record(events);
    const auto latencies = RecordingReader(path_).latencies();
    ASSERT_EQ(latencies.size(), 2U);
    EXPECT_EQ(latencies[0], (PressLatency{1, "button0", 100 * ms, {}, {}, {}, {}, {}}));
    EXPECT_EQ(latencies[1].press_to_frame_ns, 5 * ms);
    EXPECT_THAT(RecordingReader(path_).latencies(100 * ms + 1), ElementsAre(latencies[1]));
}

TEST_F(RecordingReaderOnDisk, takes_the_pairing_from_its_caller) {
    std::vector<harness::Event> events;
    add_round_trip(events, 1, "user", "green", true, 100 * ms);
    record(events);
    const RecordingReader reader(path_);
    EXPECT_EQ(reader.latencies({{"user", "green", true}}).at(0).press_to_led_ns, 2 * ms);
    EXPECT_EQ(reader.latencies({{"user", "green", true}}).at(0).press_to_frame_ns, 5 * ms);
    EXPECT_EQ(reader.latencies({{"user", "green", false}}).at(0).press_to_frame_ns, std::nullopt);
    EXPECT_EQ(reader.latencies().at(0), (PressLatency{1, "user", 100 * ms, {}, {}, {}, {}, {}}));
}

TEST_F(RecordingReaderOnDisk, counts_the_rows_of_each_table) {
    record({harness::ConsoleLine{1, "a"}, harness::ConsoleLine{2, "b"}});
    const auto counts = RecordingReader(path_).counts();
    EXPECT_EQ(counts.at("console"), 2);
    EXPECT_EQ(counts.at("runs"), 1);
    EXPECT_EQ(counts.at("frames"), 0);
}

TEST_F(RecordingReaderOnDisk, reads_while_the_rig_writes) {
    Recorder recorder(path_, facts_, clock_);
    const RecordingReader reader(path_);
    for (int turn = 1; turn <= 3; ++turn) {
        recorder.take(harness::ConsoleLine{turn, "line"});
        ASSERT_TRUE(recorder.flush(soon()));
        EXPECT_EQ(reader.counts().at("console"), turn);
    }
}

TEST_F(RecordingReaderOnDisk, leaves_nothing_beside_a_finished_recording) {
    record({harness::ConsoleLine{1, "a"}});
    static_cast<void>(RecordingReader(path_).timeline());
    EXPECT_THAT(files(), ElementsAre("run.sqlite"));
}

TEST_F(RecordingReaderOnDisk, reads_an_older_version) {
    record({harness::ConsoleLine{1, "a"}});
    // What came later than the promised names may be missing in it.
    change(
        "pragma user_version = 0; drop table tests; drop view timeline; create view "
        "timeline(at_ns, lane, what) as select at_ns, 'console', text from console");
    const RecordingReader reader(path_);
    EXPECT_THAT(reader.timeline(), ElementsAre(harness::TimelineRow{1, "console", "a"}));
    EXPECT_THAT(reader.latencies(), testing::IsEmpty());
    EXPECT_EQ(reader.counts().count("tests"), 0U);
}

TEST_F(RecordingReaderOnDisk, gives_a_table_row_by_row_in_the_order_of_time) {
    record({harness::ConsoleLine{9, "second"}, harness::ConsoleLine{7, "first"}});
    const RecordingReader reader(path_);

    auto console = reader.rows("console");

    EXPECT_THAT(console.columns(), ElementsAre("at_ns", "text"));
    EXPECT_THAT(console.next(), testing::Optional(ElementsAre(std::int64_t{7}, "first")));
    EXPECT_THAT(console.next(), testing::Optional(ElementsAre(std::int64_t{9}, "second")));
    EXPECT_EQ(console.next(), std::nullopt);
    EXPECT_EQ(console.next(), std::nullopt);
}

TEST_F(RecordingReaderOnDisk, tells_bytes_texts_and_null_apart) {
    record({});
    change(
        "insert into frames(id, received_ns, connection_id, verdict, raw, stamp) "
        "values(1, 5, 1, 'illegal', x'005152', 'read')");
    const RecordingReader reader(path_);

    const auto row = reader.rows("frames").next();

    ASSERT_TRUE(row);
    EXPECT_THAT(*row, testing::IsSupersetOf<harness::RecordedValue>(
                          {std::monostate(), std::int64_t{5}, "illegal",
                           harness::RecordedBytes{std::string("\0QR", 3)}}));
}

TEST_F(RecordingReaderOnDisk, names_the_tables_there_are_to_whoever_asks_for_another) {
    record({});
    const RecordingReader reader(path_);
    try {
        (void)reader.rows("frames\"; drop table frames");
        FAIL() << "taken";
    } catch (const rig::RigError& error) {
        EXPECT_THAT(error.what(), HasSubstr("there are: connections, console, edges"));
    }
}

TEST_F(RecordingReaderOnDisk, refuses_a_newer_version_and_says_which) {
    record({});
    change("pragma user_version = 3");
    EXPECT_THAT(refusal(), HasSubstr(path_.string()));
    EXPECT_THAT(refusal(),
                HasSubstr("newer rig (version 3 of the schema, this rig reads up to 2)"));
}

TEST_F(RecordingReaderOnDisk, refuses_what_is_no_recording) {
    EXPECT_THAT(refusal(), HasSubstr("there is no such file"));
    std::ofstream(path_) << "";
    EXPECT_THAT(refusal(), HasSubstr("not a recording"));
    std::ofstream(path_) << std::string(5'000, 'x');
    EXPECT_THAT(refusal(), HasSubstr("cannot be read as a recording"));
    std::filesystem::remove(path_);
    std::ofstream(path_) << "";
    change("create table letters(text)");
    EXPECT_THAT(refusal(), HasSubstr("not a recording of the rig"));
    std::filesystem::remove(path_);
    std::filesystem::create_directory(path_);
    EXPECT_THAT(refusal(), HasSubstr("there is no such file"));
}

}  // namespace
