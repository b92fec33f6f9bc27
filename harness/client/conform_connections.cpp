#include <fmt/format.h>

#include <string>

#include "harness/client/conform_cases.hpp"
#include "harness/client/conform_run.hpp"
#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t reg = 0x71;
constexpr std::uint16_t value = 0x0024;
constexpr std::size_t connections_at_once = 32;
constexpr int connections_in_turn = 64;
constexpr std::uint16_t frames_on_one = 100;
constexpr std::size_t bytes_after_frame = 5000;
constexpr auto close_time = 3s;
// A server that waits for its peer's frame must wait longer than this.
constexpr auto silence = 500ms;
// Only an attempt within it says something about half a frame: a frame may take 200 ms.
constexpr auto attempt_time_max = 100ms;
constexpr int attempts_max = 5;

std::string known_read(CaseRun& run) {
    return format_read(run.device(6), reg);
}

std::string known_reply(CaseRun& run) {
    return format_accepted(run.device(6), reg, value);
}

void write_known_register(CaseRun& run) {
    run.expect(format_write(run.device(6), reg, value), known_reply(run));
}

void closes_after_the_reply(CaseRun& run) {
    if (run.traits().transactions_was_told)
        run.need_one_transaction();
    write_known_register(run);
    Talk talk = run.connect();
    talk.send(known_read(run));
    run.judge(known_read(run), talk.reply(), known_reply(run));
    if (run.traits().transactions == Transactions::many)
        return run.note("the connection stays open; if that is meant, say --keep-open");
    if (talk.everything(close_time).end == PeerEnd::none)
        run.note(
            fmt::format("{} after its reply the connection is still open", show_time(close_time)));
}

void one_frame_one_reply(CaseRun& run) {
    run.need_one_transaction();
    write_known_register(run);
    Talk talk = run.connect();
    talk.send(known_read(run) + known_read(run));
    run.judge_by_ruling(known_read(run), talk.reply(), known_reply(run));
    const Heard second = talk.reply(CaseRun::quiet_time);
    if (second.kind == Heard::Kind::accepted || second.kind == Heard::Kind::failed)
        run.note("the second frame was answered: " + second.show());
}

void connection_is_reused(CaseRun& run) {
    run.need_many_transactions();
    Talk talk = run.connect();
    for (std::uint16_t i = 0; i < frames_on_one; ++i) {
        const bool is_write = i % 2 == 0;
        const auto written = static_cast<std::uint16_t>(i - i % 2);
        const std::string request =
            is_write ? format_write(run.device(6), reg, written) : format_read(run.device(6), reg);
        talk.send(request);
        run.judge_by_ruling(request, talk.reply(), format_accepted(run.device(6), reg, written));
    }
}

void frames_follow_one_another(CaseRun& run) {
    run.need_many_transactions();
    std::string requests;
    for (std::uint16_t i = 0; i < frames_on_one; ++i) {
        requests += format_write(run.device(6), reg, i);
        requests += format_read(run.device(6), reg);
    }
    Talk talk = run.connect();
    talk.send(requests);
    for (int i = 0; i < 2 * frames_on_one; ++i) {
        const auto written = static_cast<std::uint16_t>(i / 2);
        const Heard heard = talk.reply();
        run.judge_by_ruling(
            fmt::format("reply {} of {} to frames sent at once", i + 1, 2 * frames_on_one), heard,
            format_accepted(run.device(6), reg, written));
        if (heard.kind != Heard::Kind::accepted)
            return;
    }
}

void reply_survives_more_bytes(CaseRun& run) {
    write_known_register(run);
    const std::string request = known_read(run) + std::string(bytes_after_frame, 'x');
    run.judge_by_ruling(request, run.ask(request), known_reply(run));
}

void one_after_another(CaseRun& run) {
    for (std::uint16_t i = 0; i < connections_in_turn; ++i) {
        run.expect(format_write(run.device(7), reg, i), format_accepted(run.device(7), reg, i));
        run.expect(format_read(run.device(7), reg), format_accepted(run.device(7), reg, i));
    }
}

// All are open before the first sends. How many a server must take, nobody says.
void many_at_once(CaseRun& run) {
    run.need_many_connections();
    std::vector<Talk> talks;
    std::string refused;
    while (talks.size() < connections_at_once) {
        auto made = run.try_connect(run.tls_without_checks(), close_time);
        if (auto* talk = std::get_if<Talk>(&made)) {
            talks.push_back(std::move(*talk));
        } else {
            refused = std::get<std::string>(made);
            break;
        }
    }
    // Each writes a register that the last case has left nothing in, and all of them the same one.
    for (std::size_t i = 0; i < talks.size(); ++i)
        talks[i].send(format_write(run.device(8), reg, static_cast<std::uint16_t>(i)));
    std::size_t answered = 0;
    for (std::size_t i = 0; i < talks.size(); ++i) {
        const Heard heard = talks[i].reply(close_time);
        if (heard.kind == Heard::Kind::none)
            break;
        const auto written = static_cast<std::uint16_t>(i);
        run.judge(format_write(run.device(8), reg, written), heard,
                  format_accepted(run.device(8), reg, written));
        ++answered;
    }
    talks.clear();
    if (answered < connections_at_once) {
        run.note(fmt::format("{} connections were served at once, of {}{}{}", answered,
                             connections_at_once, refused.empty() ? "" : ": ", refused));
    }
    run.expect_still_serving("many connections");
}

void connections_do_not_mix(CaseRun& run) {
    run.need_many_connections();
    const std::string one = format_write(run.device(8), 0x72, 0x0011);
    const std::string other = format_write(run.device(8), 0x73, 0x0022);
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        Talk first = run.connect();
        Talk second = run.connect();
        const rig::TimestampNs began_ns = run.now_ns();
        first.send(one.substr(0, 5));
        second.send(other);
        const Heard whole = second.reply();
        first.send(one.substr(5));
        const bool was_slow = std::chrono::nanoseconds(run.now_ns() - began_ns) > attempt_time_max;
        run.judge(other, whole, format_accepted(run.device(8), 0x73, 0x0022));
        const Heard cut = first.reply();
        if (!is_reply(cut, format_accepted(run.device(8), 0x72, 0x0011)) && was_slow)
            continue;
        return run.judge_by_ruling(one, cut, format_accepted(run.device(8), 0x72, 0x0011));
    }
    run.not_judged("this machine was too slow to send half a frame in time");
}

void one_register_file(CaseRun& run) {
    run.need_many_connections();
    Talk writer = run.connect();
    Talk reader = run.connect();
    writer.send(format_write(run.device(8), 0x74, 0x0033));
    run.judge(format_write(run.device(8), 0x74, 0x0033), writer.reply(),
              format_accepted(run.device(8), 0x74, 0x0033));
    reader.send(format_read(run.device(8), 0x74));
    run.judge(format_read(run.device(8), 0x74), reader.reply(),
              format_accepted(run.device(8), 0x74, 0x0033));
}

void silent_connection_holds_up_nobody(CaseRun& run) {
    run.need_many_connections();
    write_known_register(run);
    Talk silent = run.connect();
    run.expect(known_read(run), known_reply(run));
}

void frame_and_half_close(CaseRun& run) {
    write_known_register(run);
    Talk talk = run.connect();
    talk.send(known_read(run));
    talk.half_close();
    run.judge_by_ruling(known_read(run) + " and half-close", talk.reply(), known_reply(run));
}

void half_close_alone(CaseRun& run) {
    Talk talk = run.connect();
    talk.half_close();
    const Heard heard = talk.everything(close_time);
    if (!heard.bytes.empty())
        run.note("a connection without a frame was answered: " + show_text(heard.bytes));
    if (heard.end == PeerEnd::none)
        run.note(fmt::format("still open {} after the half-close", show_time(close_time)));
}

void silence_gets_no_reply(CaseRun& run) {
    write_known_register(run);
    Talk talk = run.connect();
    const Heard early = talk.everything(silence);
    if (!early.bytes.empty())
        return run.fail("nothing was sent, and answered: " + show_text(early.bytes));
    if (early.end != PeerEnd::none) {
        return run.note(
            fmt::format("closed within {} of silence: {}", show_time(silence), early.end_reason));
    }
    talk.send(known_read(run));
    run.judge_by_ruling(known_read(run), talk.reply(), known_reply(run));
}

void silence_ends(CaseRun& run) {
    if (!run.subject().idle_timeout)
        run.skip("takes as long as the server's idle timeout: say it with --idle-timeout");
    const std::chrono::nanoseconds idle = *run.subject().idle_timeout;
    Talk talk = run.connect();
    const rig::TimestampNs began_ns = run.now_ns();
    const Heard heard = talk.everything(idle + run.patience());
    const std::chrono::nanoseconds took(run.now_ns() - began_ns);
    if (!heard.bytes.empty())
        run.note("the silent connection was answered: " + show_text(heard.bytes));
    if (heard.end == PeerEnd::none)
        run.note(fmt::format("still open after {} of silence", show_time(took)));
    if (took < idle / 2)
        run.note(fmt::format("closed after {} of silence already", show_time(took)));
}

}  // namespace

std::vector<ConformCase> connection_cases() {
    return {
        {"connection.closes", "the server closes after its reply", "ruling 3",
         closes_after_the_reply},
        {"connection.one-reply", "of two frames sent at once the first is answered, and no more",
         "ruling 3", one_frame_one_reply},
        {"connection.reused", "a connection that is kept open serves 100 frames", "ruling 3",
         connection_is_reused},
        {"connection.pipelined", "frames sent at once are answered in their order", "ruling 3",
         frames_follow_one_another},
        {"connection.more-bytes", "bytes after the frame do not cost the reply", "ruling 3",
         reply_survives_more_bytes},
        {"connection.half-close", "a frame and the half-close are answered", "ruling 5",
         frame_and_half_close},
        {"connection.half-close-alone", "a half-close without a frame is closed, unanswered",
         "ruling 5", half_close_alone},
        {"connection.silence", "silence gets no reply, and a frame after it does", "ruling 5",
         silence_gets_no_reply},
        {"connection.idle", "a connection that says nothing is closed in the end", "ruling 5",
         silence_ends},
        {"connections.in-turn", "64 connections one after another are served", "description",
         one_after_another},
        {"connections.at-once", "32 connections open at the same time are served", "not said",
         many_at_once},
        {"connections.do-not-mix", "half a frame on one connection does not disturb another",
         "rulings", connections_do_not_mix},
        {"connections.share-registers", "what one connection writes another one reads",
         "description", one_register_file},
        {"connections.silent-one", "a connection that says nothing holds up nobody", "description",
         silent_connection_holds_up_nobody},
    };
}

}  // namespace harness
