#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "harness/client/conform_cases.hpp"
#include "harness/client/conform_run.hpp"
#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

using Numbers = std::vector<std::uint16_t>;

constexpr std::string_view description = "description";

std::string lower(std::string text) {
    std::ranges::transform(text.begin() + 1, text.end(), text.begin() + 1,
                           [](unsigned char digit) { return std::tolower(digit); });
    return text;
}

void write_is_echoed(CaseRun& run) {
    run.expect("W0FAC0B1234", "A0FAC0B1234");
}

void read_gives_what_was_written(CaseRun& run) {
    run.expect("W0FAC0B1234", "A0FAC0B1234");
    run.expect("R0FAC0B", "A0FAC0B1234");
}

// An answer that only the half-close brings is the ruling's business, none at all the table's.
void short_write_is_refused(CaseRun& run) {
    Talk talk = run.connect();
    talk.send("W01234");
    const Heard heard = talk.reply();
    if (heard.kind != Heard::Kind::none || heard.end != PeerEnd::none)
        return run.judge("W01234", heard, "X");
    talk.half_close();
    run.judge("W01234", talk.reply(), "X");
    run.note("W01234 is answered only when the client half-closes: " + heard.show());
}

void other_device_is_refused(CaseRun& run) {
    const Heard before = run.ask("R0BAC0B");
    if (before.kind == Heard::Kind::accepted) {
        run.skip("somebody has written register 0B of device 0BAC: " + before.bytes);
    }
    run.expect("W0FAC0B1234", "A0FAC0B1234");
    run.expect("R0BAC0B", "X");
}

void nothing_follows_an_accepted(CaseRun& run) {
    const std::uint16_t device = run.device(9);
    for (const std::string& request :
         {format_write(device, 0x13, 0x0034), format_read(device, 0x13)}) {
        Talk talk = run.connect();
        talk.send(request);
        run.judge(request, talk.reply(), format_accepted(device, 0x13, 0x0034));
        const Heard more = talk.everything(CaseRun::quiet_time);
        if (!more.bytes.empty()) {
            run.fail(fmt::format("{}: after the reply's 11 bytes came {}", show_text(request),
                                 show_text(more.bytes)));
        }
    }
}

void nothing_follows_an_x(CaseRun& run) {
    const std::string request = format_read(run.device(9), 0x10);
    Talk talk = run.connect();
    talk.send(request);
    run.judge(request, talk.reply(), "X");
    const Heard more = talk.everything(CaseRun::quiet_time);
    if (!more.bytes.empty())
        run.note(fmt::format("after the X came {}", show_text(more.bytes)));
}

void all_registers(CaseRun& run) {
    const std::uint16_t device = run.device(0);
    constexpr int registers = 256;
    // Distinct, and small, so that this case is about registers alone.
    const auto value_of = [](int reg) { return static_cast<std::uint16_t>(255 - reg); };
    for (int reg = 0; reg < registers; ++reg) {
        const auto address = static_cast<std::uint8_t>(reg);
        run.expect(format_write(device, address, value_of(reg)),
                   format_accepted(device, address, value_of(reg)));
    }
    for (int reg = 0; reg < registers; ++reg) {
        const auto address = static_cast<std::uint8_t>(reg);
        run.expect(format_read(device, address), format_accepted(device, address, value_of(reg)));
    }
}

void unwritten_is_refused(CaseRun& run) {
    const std::uint16_t device = run.device(9);
    run.expect(format_read(device, 0x10), "X");
    run.expect(format_write(device, 0x11, 1), format_accepted(device, 0x11, 1));
    run.expect(format_read(device, 0x10), "X");
    run.expect(format_read(device, 0x12), "X");
}

void devices_are_separate(CaseRun& run) {
    const std::uint16_t device = run.device(2);
    const auto swapped = static_cast<std::uint16_t>((device << 8U) | (device >> 8U));
    std::vector<std::uint16_t> devices{device};
    for (const int other : {device ^ 0x0001, device ^ 0x0080, device ^ 0x0100, device ^ 0x8000,
                            static_cast<int>(swapped)}) {
        const auto candidate = static_cast<std::uint16_t>(other);
        if (std::ranges::find(devices, candidate) == devices.end())
            devices.push_back(candidate);
    }
    constexpr std::uint8_t reg = 0x21;
    std::uint16_t value = 0;
    for (const std::uint16_t each : devices) {
        run.expect(format_write(each, reg, value), format_accepted(each, reg, value));
        ++value;
    }
    value = 0;
    for (const std::uint16_t each : devices)
        run.expect(format_read(each, reg), format_accepted(each, reg, value++));
}

void last_write_counts(CaseRun& run) {
    const std::uint16_t device = run.device(1);
    for (const std::uint16_t value : Numbers{1, 2, 0}) {
        run.expect(format_write(device, 0x31, value), format_accepted(device, 0x31, value));
        run.expect(format_read(device, 0x31), format_accepted(device, 0x31, value));
    }
}

void led_register(CaseRun& run) {
    const std::uint16_t device = run.device(1);
    for (const std::uint16_t value : Numbers{0, 1, 0}) {
        run.expect(format_write(device, 0x05, value), format_accepted(device, 0x05, value));
        run.expect(format_read(device, 0x05), format_accepted(device, 0x05, value));
    }
}

void values_at_the_edges(CaseRun& run) {
    const std::uint16_t device = run.device(1);
    for (const std::uint16_t value : Numbers{0x0000, 0x0001, 0x007F, 0x0080, 0x00FF, 0x0100, 0x0FFF,
                                             0x1000, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF}) {
        run.expect(format_write(device, 0x41, value), format_accepted(device, 0x41, value));
        run.expect(format_read(device, 0x41), format_accepted(device, 0x41, value));
    }
}

void devices_at_the_edges(CaseRun& run) {
    for (const std::uint16_t device :
         Numbers{0x0000, 0x0001, 0x00FF, 0x0100, 0x7FFF, 0x8000, 0xFFFF}) {
        run.expect(format_write(device, 0x42, 1), format_accepted(device, 0x42, 1));
        run.expect(format_read(device, 0x42), format_accepted(device, 0x42, 1));
    }
}

void lower_case_digits(CaseRun& run) {
    const std::uint16_t device = run.device(5);
    const std::string write = format_write(device, 0x4A, 0x00BC);
    const std::string reply = format_accepted(device, 0x4A, 0x00BC);
    run.judge_by_ruling(lower(write), run.ask(lower(write)), reply);
    const std::string read = lower(format_read(device, 0x4A));
    run.expect(write, reply);
    run.judge_by_ruling(read, run.ask(read), reply);
}

void write_echoes_digits(CaseRun& run) {
    const std::uint16_t device = run.device(5);
    std::string request = lower(format_write(device, 0x4B, 0x00CD));
    request.back() = 'D';  // both cases in one frame
    const Heard heard = run.ask(request);
    if (heard.kind != Heard::Kind::accepted)
        run.skip("not accepted: see hex.lower-case-digits");
    run.judge(request, heard, echo_accepted(request));
    if (heard.bytes != echo_accepted(request))
        run.note(fmt::format("{}: the reply is {}", request, heard.bytes));
}

void read_is_upper_case(CaseRun& run) {
    const std::uint16_t device = run.device(5);
    const std::string reply = format_accepted(device, 0x4C, 0x00EF);
    run.expect(format_write(device, 0x4C, 0x00EF), reply);
    const std::string request = format_read(device, 0x4C);
    const Heard heard = run.ask(request);
    run.judge(request, heard, reply);
    if (heard.bytes != reply)
        run.note(fmt::format("{}: the reply is {}", request, heard.bytes));
}

void lower_case_command(CaseRun& run) {
    const std::uint16_t device = run.device(5);
    run.expect(format_write(device, 0x4D, 1), format_accepted(device, 0x4D, 1));
    for (std::string request : {format_read(device, 0x4D), format_write(device, 0x4D, 1)}) {
        request.front() = static_cast<char>(std::tolower(request.front()));
        const Heard heard = run.ask(request);
        if (is_reply(heard, format_accepted(device, 0x4D, 1))) {
            run.note(fmt::format("{} is accepted", request));
        } else {
            run.judge(request, heard, "X");
        }
    }
}

}  // namespace

std::vector<ConformCase> description_cases() {
    // The first one comes before anything else has been written.
    return {
        {"table.other-device", "R0BAC0B is answered X although 0FAC has been written", description,
         other_device_is_refused},
        {"table.write-is-echoed", "W0FAC0B1234 is answered A0FAC0B1234", description,
         write_is_echoed},
        {"table.read-after-write", "R0FAC0B is answered with what was written", description,
         read_gives_what_was_written},
        {"table.short-write", "W01234 is answered X", description, short_write_is_refused},
        {"reply.nothing-follows-accepted", "an accepting reply is 11 bytes and no more",
         description, nothing_follows_an_accepted},
        {"reply.nothing-follows-x", "a refusing reply is one byte and no more", "ruling 6",
         nothing_follows_an_x},
        {"registers.all-256", "each of a device's 256 registers keeps its value", description,
         all_registers},
        {"registers.unwritten", "a register that nothing has written reads as X", description,
         unwritten_is_refused},
        {"registers.separate-devices", "devices that differ in one bit have their own registers",
         description, devices_are_separate},
        {"registers.last-write-counts", "a register holds what was written last", description,
         last_write_counts},
        {"registers.led", "register 5 takes 0 and 1", description, led_register},
        {"values.edges", "all 16 bits of a value are kept", description, values_at_the_edges},
        {"devices.edges", "all 16 bits of a device ID are used", description, devices_at_the_edges},
        {"hex.lower-case-digits", "digits are taken in lower case too", "ruling 1",
         lower_case_digits},
        {"hex.write-echoes-digits", "a write's reply echoes the digits as they came", "ruling 1",
         write_echoes_digits},
        {"hex.read-is-upper-case", "a read's reply is upper case", "ruling 1", read_is_upper_case},
        {"hex.lower-case-command", "a command letter in lower case is refused", "ruling 1",
         lower_case_command},
    };
}

}  // namespace harness
