#include "harness/recorder/recorder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "harness/recorder/recording_on_disk.hpp"
#include "rig/base/errors.hpp"

namespace {

using harness::Recorder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecorderOnDisk : public harness::RecordingOnDisk {
  protected:
    /// Records the events and closes.
    void record(const std::vector<harness::Event>& events) {
        Recorder recorder(path_, facts_, clock_);
        for (const auto& event : events) {
            recorder.take(event);
        }
        recorder.close();
        ASSERT_EQ(recorder.error(), "");
    }
};

harness::FrameReceived write_frame(harness::FrameId id, harness::ConnectionId connection) {
    return {id,
            connection,
            2'000,
            harness::StampSource::kernel,
            harness::FrameVerdict::write,
            0x0FAC,
            5,
            0x0001,
            "W0FAC050001",
            ""};
}

TEST_F(RecorderOnDisk, says_whose_run_it_is_and_ties_it_to_the_calendar) {
    const auto before_ns = clock_.monotonic_ns();
    record({});
    EXPECT_THAT(rows("select id, command, host, bench, firmware, facts from runs"),
                ElementsAre(R"(1|wwep-rig serve|lab-pi|sim|build 7|{"python":"3.11"})"));
    EXPECT_THAT(rows(fmt::format("select count(*) from runs where began_ns >= {} and "
                                 "began_wall_ns > 1600000000000000000 and ended_ns > began_ns and "
                                 "rig_version glob '*.*.*'",
                                 before_ns)),
                ElementsAre("1"));
}

TEST_F(RecorderOnDisk, is_a_strict_wal_database_with_its_version) {
    record({});
    EXPECT_THAT(rows("pragma journal_mode"), ElementsAre("wal"));
    EXPECT_THAT(rows("pragma user_version"), ElementsAre("2"));
    EXPECT_THAT(rows("select count(*) from pragma_table_list where schema = 'main' and "
                     "type = 'table' and name not like 'sqlite_%' and not strict"),
                ElementsAre("0"));
}

TEST_F(RecorderOnDisk, has_the_tables_and_columns_that_programs_rely_on) {
    record({});
    const auto columns = [&](const std::string& table) {
        return rows("select group_concat(name, ' ') from pragma_table_info('" + table + "')").at(0);
    };
    EXPECT_EQ(columns("connections"),
              "id opened_ns closed_ns peer local secure tls_version cipher handshake_ns offered "
              "end_reason ignored_bytes");
    EXPECT_THAT(columns("frames"),
                HasSubstr("received_ns connection_id verdict device register value raw reply "
                          "replied_ns reason"));
    EXPECT_EQ(columns("edges"), "at_ns line level source seqno");
    EXPECT_EQ(columns("presses"), "id line before_ns after_ns released_ns profile");
    EXPECT_EQ(columns("console"), "at_ns text");
    EXPECT_EQ(columns("faults"), "at_ns connection_id name");
    EXPECT_EQ(columns("tests"), "nodeid began_ns ended_ns outcome");
    EXPECT_EQ(columns("timeline"), "at_ns lane what");
}

TEST_F(RecorderOnDisk, keeps_an_edge) {
    record({harness::EdgeSeen{100, "led0", rig::Level::high, rig::EdgeSource::kernel, 7},
            harness::EdgeSeen{90, "button0", rig::Level::low, rig::EdgeSource::rig, 1}});
    EXPECT_THAT(rows("select at_ns, line, level, source, seqno from edges"),
                ElementsAre("100|led0|1|kernel|7", "90|button0|0|rig|1"));
    EXPECT_THAT(rows("select at_ns, lane, what from timeline where at_ns < 1000"),
                ElementsAre("90|button|button0 goes low", "100|led|led0 goes high"));
}

TEST_F(RecorderOnDisk, keeps_a_press_and_fills_in_its_release) {
    record({harness::PressAsserted{1, "button0", 100, 110, "clean"},
            harness::PressReleased{1, "button0", 200},
            harness::PressAsserted{2, "button1", 300, 310, "bouncy"}});
    EXPECT_THAT(rows("select id, line, before_ns, after_ns, released_ns, profile from presses"),
                ElementsAre("1|button0|100|110|200|clean", "2|button1|300|310|-|bouncy"));
    EXPECT_THAT(rows("select what from timeline where lane = 'button'"),
                ElementsAre("press 1: button0 asserted (clean)", "press 1: button0 released",
                            "press 2: button1 asserted (bouncy)"));
}

TEST_F(RecorderOnDisk, keeps_a_connection_from_its_opening_to_its_end) {
    record({harness::ConnectionOpened{1, 100, "127.0.0.1:50311", "127.0.0.1:40508", true},
            harness::HandshakeEnded{1, 150, "TLSv1.3", "TLS_AES_128_GCM_SHA256", 2'500'000,
                                    R"({"versions":["TLSv1.3"]})", ""},
            harness::ConnectionClosed{1, 200, "answered", 3},
            harness::ConnectionOpened{2, 300, "[::1]:50312", "[::1]:27708", false}});
    EXPECT_THAT(rows("select id, opened_ns, closed_ns, peer, local, secure, tls_version, cipher, "
                     "handshake_ns, offered, end_reason, ignored_bytes from connections"),
                ElementsAre(R"(1|100|200|127.0.0.1:50311|127.0.0.1:40508|1|TLSv1.3|)"
                            R"(TLS_AES_128_GCM_SHA256|2500000|{"versions":["TLSv1.3"]}|answered|3)",
                            "2|300|-|[::1]:50312|[::1]:27708|0|-|-|-|-|-|0"));
    EXPECT_THAT(rows("select what from timeline where lane = 'connection'"),
                ElementsAre("connection 1 from 127.0.0.1:50311 to 127.0.0.1:40508, secure",
                            "connection 1: TLSv1.3 TLS_AES_128_GCM_SHA256 after 2.50 ms",
                            "connection 1 closed: answered, 3 bytes ignored",
                            "connection 2 from [::1]:50312 to [::1]:27708"));
}

TEST_F(RecorderOnDisk, keeps_why_a_handshake_failed) {
    record({harness::ConnectionOpened{1, 100, "127.0.0.1:1", "127.0.0.1:2", true},
            harness::HandshakeEnded{1, 150, "", "", 50, "", "no shared cipher"}});
    EXPECT_THAT(rows("select tls_version, cipher, handshake_ns, failure from connections join "
                     "handshakes on connection_id = id"),
                ElementsAre("-|-|50|no shared cipher"));
    EXPECT_THAT(rows("select what from timeline where at_ns = 150"),
                ElementsAre("connection 1: handshake failed: no shared cipher"));
}

TEST_F(RecorderOnDisk, keeps_a_frame_and_fills_in_its_reply) {
    record({write_frame(1, 4), harness::ReplySent{1, 4, 2'500, "A0FAC050001"}});
    EXPECT_THAT(rows("select id, received_ns, connection_id, verdict, device, register, value, "
                     "raw, reply, replied_ns, reason, stamp from frames"),
                ElementsAre("1|2000|4|write|4012|5|1|W0FAC050001|A0FAC050001|2500|-|kernel"));
    EXPECT_THAT(rows("select typeof(device), typeof(register), typeof(value), typeof(raw), "
                     "typeof(reply) from frames"),
                ElementsAre("integer|integer|integer|blob|blob"));
    EXPECT_THAT(rows("select lane, what from timeline where at_ns between 2000 and 2500"),
                ElementsAre("frame|connection 4: write W0FAC050001",
                            "reply|connection 4: reply A0FAC050001"));
}

TEST_F(RecorderOnDisk, joins_each_reply_to_its_frame_in_whatever_transaction_it_comes) {
    const auto reply = [](harness::FrameId frame) {
        return harness::ReplySent{frame, 4, 2'500 + frame, fmt::format("A0FAC05000{}", frame)};
    };
    Recorder recorder(path_, facts_, clock_);
    recorder.take(write_frame(1, 4));
    recorder.take(write_frame(2, 4));
    recorder.take(write_frame(3, 4));
    recorder.take(reply(2));
    ASSERT_TRUE(recorder.flush(soon()));
    EXPECT_THAT(rows("select id, reply, replied_ns from frames order by id"),
                ElementsAre("1|-|-", "2|A0FAC050002|2502", "3|-|-"));
    // Numbers with a gap, and replies that change places.
    for (const harness::FrameId frame : {5, 8, 9}) {
        recorder.take(write_frame(frame, 4));
    }
    for (const harness::FrameId frame : {9, 3, 1, 8, 5}) {
        recorder.take(reply(frame));
    }
    ASSERT_TRUE(recorder.flush(soon()));
    EXPECT_THAT(rows("select id, reply, replied_ns from frames order by id"),
                ElementsAre("1|A0FAC050001|2501", "2|A0FAC050002|2502", "3|A0FAC050003|2503",
                            "5|A0FAC050005|2505", "8|A0FAC050008|2508", "9|A0FAC050009|2509"));
}

TEST_F(RecorderOnDisk, knows_four_verdicts_and_no_other) {
    record({});
    harness::Database database(path_, harness::Database::Access::read_write);
    harness::Statement frame(database,
                             "insert into frames(received_ns, connection_id, verdict, raw, stamp) "
                             "values(1, 1, ?, x'', 'read')");
    for (const char* verdict : {"read", "write", "illegal", "truncated"}) {
        frame.bind_text(verdict).run();
    }
    EXPECT_THROW(frame.bind_text("wrote").run(), harness::DatabaseError);
    EXPECT_EQ(count("frames"), 4);
}

TEST_F(RecorderOnDisk, keeps_an_illegal_frame_with_any_bytes_and_no_reply) {
    harness::FrameReceived frame;
    frame.id = 1;
    frame.received_ns = 10;
    frame.raw = std::string("W0\0\xFF\n", 5);
    frame.reason = "illegal byte 0x00 among the digits of the device";
    frame.stamp = harness::StampSource::kernel_stale;
    record({frame});
    EXPECT_THAT(rows("select verdict, device, register, value, hex(raw), reply, replied_ns, "
                     "reason, stamp from frames"),
                ElementsAre("illegal|-|-|-|573000FF0A|-|-|illegal byte 0x00 among the digits of "
                            "the device|kernel-stale"));
    EXPECT_THAT(rows("select what from timeline where lane = 'frame'"),
                ElementsAre("connection 0: illegal 0x573000FF0A: illegal byte 0x00 among the "
                            "digits of the device"));
}

TEST_F(RecorderOnDisk, keeps_a_read_that_was_answered_with_failure) {
    harness::FrameReceived frame;
    frame.id = 9;
    frame.verdict = harness::FrameVerdict::read;
    frame.device = 0xFFFF;
    frame.reg = 0xFF;
    frame.raw = "RFFFFFF";
    record({frame, harness::ReplySent{9, 0, 20, "X"}});
    EXPECT_THAT(rows("select verdict, device, register, value, reply from frames"),
                ElementsAre("read|65535|255|-|X"));
}

TEST_F(RecorderOnDisk, keeps_console_target_fault_note_and_test) {
    record({harness::ConsoleLine{1, "Starting"}, harness::TargetChanged{2, "started", true},
            harness::TargetChanged{3, "exited with 1", false}, harness::FaultFired{4, 0, "refuse"},
            harness::FaultFired{5, 6, "no-reply"}, harness::RigNote{7, "edges lost", true},
            harness::RigNote{8, "slow", false}, harness::TestBegan{9, "test_a"},
            harness::TestEnded{10, "test_a", "failed"}, harness::TestBegan{11, "test_a"}});
    EXPECT_THAT(rows("select * from console"), ElementsAre("1|Starting"));
    EXPECT_THAT(rows("select * from target"), ElementsAre("2|started|1", "3|exited with 1|0"));
    EXPECT_THAT(rows("select * from faults"), ElementsAre("4|-|refuse", "5|6|no-reply"));
    EXPECT_THAT(rows("select * from notes"), ElementsAre("7|1|edges lost", "8|0|slow"));
    EXPECT_THAT(rows("select * from tests"), ElementsAre("test_a|9|10|failed", "test_a|11|-|-"));
    EXPECT_THAT(
        rows("select lane || ' ' || what from timeline where at_ns < 1000"),
        ElementsAre("console Starting", "target started", "target exited with 1",
                    "fault fault refuse fired", "fault fault no-reply fired on connection 6",
                    "rig rig error: edges lost", "rig slow", "test test_a began",
                    "test test_a failed", "test test_a began"));
}

TEST_F(RecorderOnDisk, keeps_console_bytes_that_are_no_text_readable) {
    record({harness::ConsoleLine{1, std::string("caf\xC3\xA9 \xFF\x80 \0 \xED\xA0\x80 end", 18)}});
    EXPECT_THAT(rows("select text from console"),
                ElementsAre("caf\xC3\xA9 \\xff\\x80 \\x00 \\xed\\xa0\\x80 end"));
}

TEST_F(RecorderOnDisk, shows_a_row_to_a_second_connection_without_being_asked) {
    Recorder recorder(path_, facts_, clock_);
    for (int turn = 1; turn <= 3; ++turn) {
        recorder.take(harness::ConsoleLine{clock_.monotonic_ns(), "line"});
        const auto deadline = soon();
        while (count("console") < turn && !deadline.has_passed(clock_)) {
        }
        ASSERT_EQ(count("console"), turn);
    }
}

TEST_F(RecorderOnDisk, has_everything_committed_after_a_flush) {
    harness::RecorderOptions options;
    options.batch_interval = std::chrono::hours(1);
    Recorder recorder(path_, facts_, clock_, options);
    for (int turn = 1; turn <= 3; ++turn) {
        recorder.take(harness::ConsoleLine{turn, "line"});
        ASSERT_TRUE(recorder.flush(soon()));
        EXPECT_EQ(count("console"), turn);
    }
    EXPECT_TRUE(recorder.flush(soon())) << "nothing to wait for";
}

TEST_F(RecorderOnDisk, keeps_events_of_many_threads_each_in_order) {
    constexpr int threads_count = 4;
    constexpr int events_each = 5'000;
    {
        Recorder recorder(path_, facts_, clock_);
        std::vector<std::thread> threads;
        for (int thread = 0; thread < threads_count; ++thread) {
            threads.emplace_back([&recorder, thread] {
                for (int turn = 0; turn < events_each; ++turn) {
                    recorder.take(harness::RigNote{turn, std::to_string(thread), false});
                }
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
    }
    EXPECT_EQ(count("notes"), threads_count * events_each);
    EXPECT_THAT(rows("select rowid from (select rowid, at_ns - lag(at_ns) over (partition by what "
                     "order by rowid) as step from notes) where step <> 1"),
                IsEmpty());
}

TEST_F(RecorderOnDisk, commits_what_it_has_when_it_closes_and_takes_nothing_later) {
    Recorder recorder(path_, facts_, clock_);
    recorder.take(harness::ConsoleLine{1, "before"});
    recorder.close();
    recorder.take(harness::ConsoleLine{2, "after"});
    recorder.close();
    EXPECT_FALSE(std::filesystem::exists(path_.string() + "-wal")) << "one file is left";
    EXPECT_THAT(rows("select text from console"), ElementsAre("before"));
    EXPECT_EQ(recorder.events_dropped(), 1U);
}

TEST_F(RecorderOnDisk, leaves_signals_to_the_threads_that_wait_for_them) {
    Recorder recorder(path_, facts_, clock_);
    sigset_t user_signal;
    sigemptyset(&user_signal);
    sigaddset(&user_signal, SIGUSR1);
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &user_signal, &before);
    EXPECT_FALSE(sigismember(&before, SIGUSR1)) << "the recorder restores its maker's mask";
    ::kill(::getpid(), SIGUSR1);  // Ends the process if the writer can take it.
    recorder.take(harness::ConsoleLine{1, "line"});
    EXPECT_TRUE(recorder.flush(soon()));
    sigset_t pending;
    sigpending(&pending);
    EXPECT_TRUE(sigismember(&pending, SIGUSR1));
    int taken = 0;
    ::sigwait(&user_signal, &taken);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(RecorderOnDisk, refuses_an_existing_file_and_leaves_it_alone) {
    std::ofstream(path_) << "precious";
    try {
        Recorder recorder(path_, facts_, clock_);
        FAIL() << "recorded over an existing file";
    } catch (const rig::RigError& error) {
        EXPECT_THAT(error.what(), HasSubstr(path_.string()));
        EXPECT_THAT(error.what(), HasSubstr("there is a file already"));
    }
    std::ifstream file(path_);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "precious");
}

TEST_F(RecorderOnDisk, overwrites_an_existing_recording_when_asked) {
    record({harness::ConsoleLine{1, "old"}});
    harness::RecorderOptions options;
    options.existing = harness::ExistingFile::overwrite;
    Recorder recorder(path_, facts_, clock_, options);
    recorder.take(harness::ConsoleLine{2, "new"});
    recorder.close();
    EXPECT_THAT(rows("select text from console"), ElementsAre("new"));
}

TEST_F(RecorderOnDisk, goes_on_with_a_recording_in_a_run_of_its_own_with_ids_of_its_own) {
    const std::vector<harness::Event> round_trip{
        harness::PressAsserted{1, "button0", 1, 2, "ideal"},
        harness::PressReleased{1, "button0", 3},
        harness::ConnectionOpened{1, 4, "peer", "local", true},
        harness::HandshakeEnded{1, 5, "TLSv1.3", "x", 1, "", ""},
        write_frame(1, 1),
        harness::ReplySent{1, 1, 7, "A0FAC050001"},
        harness::FaultFired{8, 1, "late"},
        harness::FaultFired{8, 0, "gone"},
        harness::ConnectionClosed{1, 9, "answered", 0}};
    record(round_trip);
    const auto ended = rows("select ended_ns from runs");
    harness::Database(path_, harness::Database::Access::read_write)
        .execute("pragma user_version = 1");

    harness::RecorderOptions options;
    options.existing = harness::ExistingFile::go_on;
    facts_.command = "the second";
    Recorder recorder(path_, facts_, clock_, options);
    for (const auto& event : round_trip) {
        recorder.take(event);
    }
    recorder.close();

    EXPECT_THAT(rows("pragma user_version"), ElementsAre("2"));
    EXPECT_THAT(rows("select id, command, ended_ns is not null from runs"),
                ElementsAre("1|wwep-rig serve|1", "2|the second|1"));
    EXPECT_EQ(rows("select ended_ns from runs where id = 1"), ended);
    EXPECT_THAT(rows("select id, released_ns from presses"), ElementsAre("1|3", "2|3"));
    EXPECT_THAT(rows("select id, tls_version, end_reason from connections"),
                ElementsAre("1|TLSv1.3|answered", "2|TLSv1.3|answered"));
    EXPECT_THAT(rows("select connection_id from handshakes"), ElementsAre("1", "2"));
    EXPECT_THAT(rows("select id, connection_id, replied_ns from frames"),
                ElementsAre("1|1|7", "2|2|7"));
    EXPECT_THAT(rows("select connection_id from faults"), ElementsAre("1", "-", "2", "-"));
}

TEST_F(RecorderOnDisk, goes_on_with_nothing_but_a_recording_of_this_start_of_the_machine) {
    harness::RecorderOptions options;
    options.existing = harness::ExistingFile::go_on;
    const auto refusal = [&] {
        try {
            Recorder recorder(path_, facts_, clock_, options);
        } catch (const rig::RigError& error) {
            return std::string(error.what());
        }
        return std::string("not refused");
    };
    EXPECT_THAT(refusal(), HasSubstr("there is no such file"));
    std::ofstream(path_) << "precious";
    EXPECT_THAT(refusal(), HasSubstr("cannot be read as a recording"));
    EXPECT_TRUE(std::filesystem::remove(path_));
    record({harness::ConsoleLine{clock_.monotonic_ns() + 3'600 * rig::ns_per_s, "ahead"}});
    EXPECT_THAT(refusal(), HasSubstr("this machine was started again since"));
    EXPECT_THAT(rows("select count(*) from runs"), ElementsAre("1"));
}

TEST_F(RecorderOnDisk, names_a_path_where_no_file_can_be_made) {
    try {
        Recorder recorder(folder_ / "missing" / "run.sqlite", facts_, clock_);
        FAIL() << "recorded into a folder that is not there";
    } catch (const std::system_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("create recording"));
        EXPECT_THAT(error.what(), HasSubstr("missing/run.sqlite"));
    }
}

TEST_F(RecorderOnDisk, refuses_facts_that_are_no_json_and_leaves_no_file) {
    facts_.facts_json = "{";
    EXPECT_THROW(Recorder(path_, facts_, clock_), rig::RigError);
    EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(RecorderOnDisk, records_into_a_file_whose_name_reads_like_a_uri) {
    path_ = folder_ / "file:run 1?mode=memory#%41.sqlite";
    record({harness::ConsoleLine{1, "line"}});
    EXPECT_TRUE(std::filesystem::is_regular_file(path_));
    EXPECT_EQ(count("console"), 1);
}

}  // namespace
