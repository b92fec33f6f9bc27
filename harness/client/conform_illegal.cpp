#include <fmt/format.h>

#include <string>

#include "harness/client/conform_cases.hpp"
#include "harness/client/conform_run.hpp"
#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t reg = 0x61;
constexpr std::uint16_t value = 0x0017;
// Neighbours of the digits in ASCII, and what strtol and its like take for part of a number.
constexpr std::string_view bad_digits("Gg/:@`+-x \t\0\xff", 13);
// How long a server may take to close before that counts as keeping the connection.
constexpr auto close_time = 3s;

// Lower-case letters and line ends have cases of their own.
bool is_judged_elsewhere(int byte) {
    return byte == 'R' || byte == 'W' || byte == 'r' || byte == 'w' || byte == '\r' || byte == '\n';
}

void illegal_commands(CaseRun& run) {
    std::string frame = format_write(run.device(4), reg, value);
    for (int byte = 0; byte < 256; ++byte) {
        if (is_judged_elsewhere(byte))
            continue;
        frame.front() = static_cast<char>(byte);
        run.expect(frame, "X");
    }
}

void illegal_digits(CaseRun& run) {
    const std::string write = format_write(run.device(4), reg, value);
    run.expect(write, format_accepted(run.device(4), reg, value));
    for (const std::string& frame : {format_read(run.device(4), reg), write}) {
        for (std::size_t place = 1; place < frame.size(); ++place) {
            for (const char digit : bad_digits) {
                std::string request = frame;
                request[place] = digit;
                run.expect(request, "X");
            }
        }
    }
    // Nothing of the above may have been stored.
    run.expect(format_read(run.device(4), reg), format_accepted(run.device(4), reg, value));
}

void illegal_frame_closes(CaseRun& run) {
    const std::string request = "Q" + format_read(run.device(4), reg).substr(1);
    Talk talk = run.connect();
    talk.send(request);
    run.judge(request, talk.reply(), "X");
    const Heard end = talk.everything(close_time);
    if (end.end == PeerEnd::none)
        run.note("the connection stays open after an illegal frame");
}

void what_follows_is_ignored(CaseRun& run) {
    const std::string write = format_write(run.device(4), 0x62, value);
    const std::string read = format_read(run.device(4), 0x62);
    const bool was_unwritten = run.ask(read).kind == Heard::Kind::failed;
    Talk talk = run.connect();
    talk.send("Q" + write);
    run.judge("Q" + write, talk.reply(), "X");
    const Heard more = talk.everything(CaseRun::quiet_time);
    if (!more.bytes.empty()) {
        run.note(fmt::format("Q{}: after the X came {}", write, show_text(more.bytes)));
    } else if (was_unwritten) {
        const Heard stored = run.ask(read);
        if (stored.kind != Heard::Kind::failed)
            run.note(fmt::format("Q{}: the write was carried out: {}", write, stored.show()));
    }
}

}  // namespace

std::vector<ConformCase> illegal_cases() {
    return {
        {"illegal.command", "every byte but R and W at the start of a frame is answered X",
         "description", illegal_commands},
        {"illegal.digit", "what is no hex digit is answered X, wherever it stands", "description",
         illegal_digits},
        {"illegal.closes", "the connection closes after an illegal frame", "ruling 4",
         illegal_frame_closes},
        {"illegal.rest-is-ignored", "what follows an illegal frame is ignored", "ruling 4",
         what_follows_is_ignored},
    };
}

}  // namespace harness
