#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "harness/client/conform_cases.hpp"
#include "harness/client/conform_run.hpp"
#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

using namespace std::chrono_literals;
using Parts = std::vector<std::string>;

// A server may give a frame 200 ms: an attempt that took this long says nothing about it.
constexpr auto attempt_time_max = 100ms;
constexpr int attempts_max = 5;
constexpr auto gap_min = 10ms;
constexpr auto gap_max = 50ms;
// A server answers an unfinished frame within 500 ms of its first byte.
constexpr auto unfinished_answer_time = 500ms;

constexpr std::uint8_t reg = 0x51;
constexpr std::uint16_t value = 0x0042;

// Long enough for the server to have read the part before.
std::chrono::nanoseconds gap_for(const CaseRun& run, std::size_t parts) {
    const auto gap = gap_min + 2 * run.traits().connect_time;
    const std::chrono::nanoseconds share = attempt_time_max / 2 / static_cast<int>(parts);
    return std::min<std::chrono::nanoseconds>({gap, gap_max, share});
}

std::string show_parts(const Parts& parts) {
    std::string text;
    for (const std::string& part : parts)
        text += (text.empty() ? "" : " ") + show_text(part);
    return text;
}

// What came while the frame was still unfinished, if anything.
void judge_early_answer(CaseRun& run, const Parts& parts, const Heard& heard) {
    const std::string text =
        fmt::format("{}, cut: {} before the frame was complete", show_parts(parts), heard.show());
    heard.kind == Heard::Kind::failed ? run.note(text) : run.fail(text);
}

void judge_in_parts(CaseRun& run, const Parts& parts, std::string_view expected) {
    const auto gap = gap_for(run, parts.size());
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        Talk talk = run.connect();
        const rig::TimestampNs began_ns = run.now_ns();
        const auto was_slow = [&] {
            return std::chrono::nanoseconds(run.now_ns() - began_ns) > attempt_time_max;
        };
        Heard heard;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            talk.send(parts[i]);
            heard = talk.reply(gap);
            if (heard.kind != Heard::Kind::none || heard.end != PeerEnd::none)
                break;
        }
        const bool is_early = heard.kind != Heard::Kind::none || heard.end != PeerEnd::none;
        if (is_early && was_slow() && heard.kind != Heard::Kind::accepted)
            continue;
        if (is_early)
            return judge_early_answer(run, parts, heard);
        talk.send(parts.back());
        const bool was_late = was_slow();
        heard = talk.reply();
        if (is_reply(heard, expected))
            return;
        if (was_late)
            continue;
        if (heard.kind != Heard::Kind::failed)
            return run.judge(show_parts(parts), heard, expected);
        return run.note(fmt::format("{}, cut: X", show_parts(parts)));
    }
    run.not_judged(show_parts(parts) + ": this machine was too slow to send it in time");
}

void every_cut(CaseRun& run, const std::string& frame, const std::string& expected) {
    for (std::size_t cut = 1; cut < frame.size(); ++cut)
        judge_in_parts(run, {frame.substr(0, cut), frame.substr(cut)}, expected);
}

void write_known_register(CaseRun& run) {
    run.expect(format_write(run.device(3), reg, value), format_accepted(run.device(3), reg, value));
}

void write_in_two_parts(CaseRun& run) {
    const std::uint16_t device = run.device(3);
    every_cut(run, format_write(device, reg, value), format_accepted(device, reg, value));
}

void read_in_two_parts(CaseRun& run) {
    write_known_register(run);
    const std::uint16_t device = run.device(3);
    every_cut(run, format_read(device, reg), format_accepted(device, reg, value));
}

void byte_by_byte(CaseRun& run) {
    write_known_register(run);
    const std::uint16_t device = run.device(3);
    for (const std::string& frame : {format_read(device, reg), format_write(device, reg, value)}) {
        Parts parts;
        for (const char byte : frame)
            parts.emplace_back(1, byte);
        judge_in_parts(run, parts, format_accepted(device, reg, value));
    }
}

void line_end_after_a_frame(CaseRun& run) {
    write_known_register(run);
    const std::uint16_t device = run.device(3);
    for (const std::string_view end : {"\r", "\n", "\r\n"}) {
        const std::string request = format_read(device, reg) + std::string(end);
        run.judge_by_ruling(request, run.ask(request), format_accepted(device, reg, value));
    }
}

void line_end_before_a_frame(CaseRun& run) {
    write_known_register(run);
    const std::uint16_t device = run.device(3);
    for (const std::string_view end : {"\r", "\n", "\r\n"}) {
        const std::string request = std::string(end) + format_read(device, reg);
        const Heard heard = run.ask(request);
        if (heard.kind != Heard::Kind::failed)
            run.note(fmt::format("{}: expected X, got {}", show_text(request), heard.show()));
    }
}

void line_ends_between_frames(CaseRun& run) {
    run.need_many_transactions();
    write_known_register(run);
    const std::string frame = format_read(run.device(3), reg);
    const std::string reply = format_accepted(run.device(3), reg, value);
    for (const Parts& parts : {Parts{frame + "\r", frame}, Parts{frame + "\n", frame},
                               Parts{frame + "\r\n", frame}, Parts{frame + "\r", "\n" + frame}}) {
        Talk talk = run.connect();
        for (const std::string& part : parts) {
            talk.send(part);
            const Heard heard = talk.reply();
            run.judge_by_ruling(part, heard, reply);
            if (!is_reply(heard, reply))
                break;
        }
    }
}

// The pause is longer than a frame may take, so a line end that started a frame would be refused.
void line_end_starts_no_frame(CaseRun& run) {
    run.need_many_transactions();
    write_known_register(run);
    const std::string frame = format_read(run.device(3), reg);
    const std::string reply = format_accepted(run.device(3), reg, value);
    Talk talk = run.connect();
    talk.send(frame + "\r\n");
    run.judge_by_ruling(frame, talk.reply(), reply);
    const Heard early = talk.everything(unfinished_answer_time);
    if (!early.bytes.empty() || early.end != PeerEnd::none)
        return run.note("the line end was answered: " + early.show());
    talk.send(frame);
    run.judge_by_ruling(frame, talk.reply(), reply);
}

void second_line_end(CaseRun& run) {
    run.need_many_transactions();
    write_known_register(run);
    const std::string frame = format_read(run.device(3), reg);
    Talk talk = run.connect();
    talk.send(frame + "\n\n" + frame);
    run.judge_by_ruling(frame, talk.reply(), format_accepted(run.device(3), reg, value));
    const Heard heard = talk.reply(CaseRun::quiet_time);
    if (heard.kind != Heard::Kind::failed)
        run.note("a second line end was not answered X: " + heard.show());
}

// False: the server was silent, and each further silence would cost all patience again.
bool judge_unfinished(CaseRun& run, std::string_view part, const Heard& heard) {
    const std::string text = fmt::format("{}, unfinished: {}", part, heard.show());
    if (heard.kind == Heard::Kind::accepted || heard.kind == Heard::Kind::other)
        run.fail(text);
    if (heard.kind == Heard::Kind::none)
        run.note(text);
    return heard.kind != Heard::Kind::none || heard.end != PeerEnd::none;
}

void unfinished_in_time(CaseRun& run) {
    const std::string write = format_write(run.device(3), reg, value);
    for (const std::string& part : {write.substr(0, 1), write.substr(0, 7), write.substr(0, 10),
                                    format_read(run.device(3), reg).substr(0, 1),
                                    format_read(run.device(3), reg).substr(0, 6)}) {
        Heard heard;
        for (int attempt = 0; attempt < attempts_max; ++attempt) {
            Talk talk = run.connect();
            talk.send(part);
            heard = talk.reply();
            if (heard.kind != Heard::Kind::failed || heard.waited <= unfinished_answer_time)
                break;
        }
        if (!judge_unfinished(run, part, heard))
            return;
        if (heard.kind == Heard::Kind::failed && heard.waited > unfinished_answer_time) {
            run.note(fmt::format("{}: X came after {}, later than {}", part,
                                 show_time(heard.waited), show_time(unfinished_answer_time)));
        }
    }
}

void unfinished_at_half_close(CaseRun& run) {
    const std::string write = format_write(run.device(3), reg, value);
    const std::string read = format_read(run.device(3), reg);
    for (const std::string& frame : {read, write}) {
        for (std::size_t size = 1; size < frame.size(); ++size) {
            Talk talk = run.connect();
            const std::string part = frame.substr(0, size);
            talk.send(part);
            talk.half_close();
            if (!judge_unfinished(run, part, talk.reply()))
                return;
        }
    }
}

}  // namespace

std::vector<ConformCase> framing_cases() {
    return {
        {"framing.write-in-two-parts", "a write is understood wherever it is cut in two", "rulings",
         write_in_two_parts},
        {"framing.read-in-two-parts", "a read is understood wherever it is cut in two", "rulings",
         read_in_two_parts},
        {"framing.byte-by-byte", "a frame is understood byte by byte", "rulings", byte_by_byte},
        {"framing.line-end", "one line end after a frame does no harm", "ruling 2",
         line_end_after_a_frame},
        {"framing.line-end-first", "a line end before the first frame is refused", "ruling 2",
         line_end_before_a_frame},
        {"framing.line-ends-between", "one line end may stand between two frames", "ruling 2",
         line_ends_between_frames},
        {"framing.line-end-starts-no-frame", "a line end starts no frame timeout", "ruling 2",
         line_end_starts_no_frame},
        {"framing.second-line-end", "a second line end is refused", "ruling 2", second_line_end},
        {"unfinished.in-time", "an unfinished frame is answered X within 500 ms", "ruling 5",
         unfinished_in_time},
        {"unfinished.half-close", "an unfinished frame is answered X at the half-close", "ruling 5",
         unfinished_at_half_close},
    };
}

}  // namespace harness
