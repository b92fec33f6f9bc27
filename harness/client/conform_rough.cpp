#include <fmt/format.h>

#include <string>
#include <thread>

#include "harness/client/conform_cases.hpp"
#include "harness/client/conform_run.hpp"
#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

constexpr std::uint8_t reg = 0x7A;
constexpr int times = 8;
// More than any pair of kernel buffers holds; a good server stops reading long before.
constexpr std::size_t flood_bytes_max = std::size_t{8} << 20U;
constexpr std::size_t garbage_bytes = std::size_t{256} << 10U;

void connect_and_reset(CaseRun& run) {
    for (int i = 0; i < times; ++i)
        run.connect().reset();
    run.expect_still_serving("connections that were reset at once");
}

void connect_and_close(CaseRun& run) {
    for (int i = 0; i < times; ++i)
        (void)run.connect();
    run.expect_still_serving("connections that were closed at once");
}

void reset_inside_a_frame(CaseRun& run) {
    for (int i = 0; i < times; ++i) {
        Talk talk = run.connect();
        talk.send(format_write(run.device(11), reg, 1).substr(0, 5));
        talk.reset();
    }
    run.expect_still_serving("connections that were reset inside a frame");
}

// The first lab client does that.
void close_without_reading(CaseRun& run) {
    for (int i = 0; i < times; ++i) {
        Talk talk = run.connect();
        talk.send(format_write(run.device(11), reg, 1));
    }
    run.expect_still_serving("clients that closed without reading their reply");
}

void reset_without_reading(CaseRun& run) {
    for (int i = 0; i < times; ++i) {
        Talk talk = run.connect();
        talk.send(format_write(run.device(11), reg, 1));
        talk.reset();
    }
    run.expect_still_serving("clients that reset without reading their reply");
}

void flood_of_garbage(CaseRun& run) {
    {
        Talk talk = run.connect();
        talk.flood("?", garbage_bytes);
        talk.reset();
    }
    run.expect_still_serving("a flood of illegal bytes");
}

void client_that_never_reads(CaseRun& run) {
    {
        Talk talk = run.connect_with_small_buffer();
        const std::string write = format_write(run.device(11), reg, 1);
        if (run.traits().transactions == Transactions::many)
            talk.flood(write, flood_bytes_max);
        else
            talk.send(write);
        if (run.traits().admission == Admission::many) {
            // A slow server notices only after a while that its replies are stuck.
            constexpr int looks_max = 8;
            for (int i = 0; i < looks_max; ++i) {
                if (!run.expect_still_serving("a client that never reads, still connected"))
                    break;
                std::this_thread::sleep_for(CaseRun::quiet_time);
            }
        }
        talk.reset();
    }
    run.expect_still_serving("a client that never read");
}

}  // namespace

std::vector<ConformCase> rough_cases() {
    return {
        {"rough.close", "clients that come and go do no harm", "description", connect_and_close},
        {"rough.reset", "nor do those that reset", "description", connect_and_reset},
        {"rough.reset-inside-frame", "nor a reset inside a frame", "description",
         reset_inside_a_frame},
        {"rough.close-unread", "nor a close without reading the reply", "ruling 7",
         close_without_reading},
        {"rough.reset-unread", "nor a reset without reading the reply", "ruling 7",
         reset_without_reading},
        {"rough.garbage", "nor a flood of illegal bytes", "description", flood_of_garbage},
        {"rough.never-reads", "nor a client that never reads", "description",
         client_that_never_reads},
    };
}

}  // namespace harness
