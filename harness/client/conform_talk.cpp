// Talk and what it hears, and how people see both: declared in conform_run.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <system_error>
#include <utility>

#include "harness/client/conform_run.hpp"
#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

using namespace std::chrono_literals;

constexpr auto slice = 100ms;
constexpr std::size_t other_bytes_max = 64;
constexpr std::size_t text_bytes_max = 40;
constexpr auto flood_pause = 500ms;
constexpr std::size_t flood_chunk_bytes = 4096;

}  // namespace

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::pass:
            return "pass";
        case Outcome::note:
            return "note";
        case Outcome::fail:
            return "fail";
        case Outcome::skipped:
            return "skipped";
    }
    return "?";
}

std::string_view to_string(ConformStep::Kind kind) {
    switch (kind) {
        case ConformStep::Kind::connected:
            return "connected";
        case ConformStep::Kind::sent:
            return "sent";
        case ConformStep::Kind::received:
            return "received";
        case ConformStep::Kind::ended:
            return "ended";
        case ConformStep::Kind::note:
            return "note";
    }
    return "?";
}

std::string show_time(std::chrono::nanoseconds time) {
    if (time < 1s)
        return fmt::format("{} ms",
                           std::chrono::duration_cast<std::chrono::milliseconds>(time) / 1ms);
    return fmt::format("{:.1f} s", std::chrono::duration<double>(time).count());
}

std::string show_text(std::string_view bytes) {
    std::string text;
    for (const char character : bytes.substr(0, text_bytes_max)) {
        const auto byte = static_cast<unsigned char>(character);
        const bool shows = byte >= 0x20 && byte < 0x7f && byte != '\\';
        text += shows ? std::string(1, character) : fmt::format("\\x{:02x}", byte);
    }
    return bytes.size() <= text_bytes_max ? text
                                          : fmt::format("{}... ({} bytes)", text, bytes.size());
}

std::string Heard::show() const {
    if (kind == Kind::other)
        return "what is no reply: " + show_text(bytes);
    if (kind != Kind::none)
        return bytes;
    if (end == PeerEnd::none)
        return fmt::format("no answer within {}", show_time(waited));
    return "no answer: " + end_reason;
}

bool is_reply(const Heard& heard, std::string_view expected) {
    return std::ranges::equal(heard.bytes, expected, [](char one, char other) {
        return std::tolower(static_cast<unsigned char>(one)) ==
               std::tolower(static_cast<unsigned char>(other));
    });
}

Talk::Talk(CaseRun& run, std::unique_ptr<Client> client, std::int64_t number)
    : run_(&run), client_(std::move(client)), number_(number) {
    run_->log(ConformStep::Kind::connected, number_, "", client_->tls_facts().version);
}

void Talk::send(std::string_view bytes) {
    ++run_->exchanges_;
    run_->log(ConformStep::Kind::sent, number_, bytes, "");
    try {
        (void)client_->send(bytes, rig::Deadline::after(run_->clock_, run_->patience()));
    } catch (const std::system_error& error) {
        run_->log(ConformStep::Kind::note, number_, "", error.what());
    }
}

// In slices, so that an interruption is seen.
Received Talk::receive(std::size_t bytes_wanted, std::chrono::nanoseconds wait) {
    const auto deadline = rig::Deadline::after(run_->clock_, wait);
    Received all;
    do {
        run_->check_interrupted();
        const auto left = std::min<std::chrono::nanoseconds>(deadline.left(run_->clock_), slice);
        const Received piece = client_->receive(bytes_wanted - all.bytes.size(),
                                                rig::Deadline::after(run_->clock_, left));
        all.bytes += piece.bytes;
        all.end = piece.end;
        all.end_reason = piece.end_reason;
    } while (all.bytes.size() < bytes_wanted && all.end == PeerEnd::none &&
             !deadline.has_passed(run_->clock_));
    if (!all.bytes.empty())
        run_->log(ConformStep::Kind::received, number_, all.bytes, "");
    if (all.end != PeerEnd::none && !std::exchange(has_ended_, true))
        run_->log(ConformStep::Kind::ended, number_, "", all.end_reason);
    return all;
}

Heard Talk::reply(std::chrono::nanoseconds wait) {
    const rig::TimestampNs began_ns = run_->now_ns();
    Received received = receive(1, wait);
    Heard heard;
    if (received.bytes == "A") {
        const Received rest = receive(accepted_reply_size - 1, run_->patience());
        received.bytes += rest.bytes;
        received.end = rest.end;
        received.end_reason = rest.end_reason;
        heard.kind = parse_reply(received.bytes).outcome == ParseOutcome::complete
                         ? Heard::Kind::accepted
                         : Heard::Kind::other;
    } else if (received.bytes == "X") {
        heard.kind = Heard::Kind::failed;
    } else if (!received.bytes.empty()) {
        received.bytes += receive(other_bytes_max, CaseRun::quiet_time).bytes;
        heard.kind = Heard::Kind::other;
    }
    heard.bytes = received.bytes;
    heard.end = received.end;
    heard.end_reason = received.end_reason;
    heard.waited = std::chrono::nanoseconds(run_->now_ns() - began_ns);
    return heard;
}

Heard Talk::reply() {
    return reply(run_->patience());
}

Heard Talk::everything(std::chrono::nanoseconds wait) {
    const rig::TimestampNs began_ns = run_->now_ns();
    const Received received = receive(Client::received_max, wait);
    return {.kind = received.bytes.empty() ? Heard::Kind::none : Heard::Kind::other,
            .bytes = received.bytes,
            .end = received.end,
            .end_reason = received.end_reason,
            .waited = std::chrono::nanoseconds(run_->now_ns() - began_ns)};
}

void Talk::flood(std::string_view frame, std::size_t bytes_max) {
    std::string chunk;
    while (chunk.size() < flood_chunk_bytes)
        chunk += frame;
    std::size_t sent = 0;
    std::string stopped = "the whole flood was taken";
    try {
        while (sent < bytes_max) {
            run_->check_interrupted();
            (void)client_->send(chunk, rig::Deadline::after(run_->clock_, flood_pause));
            sent += chunk.size();
        }
    } catch (const std::system_error& error) {
        stopped = error.what();
    }
    run_->exchanges_ += static_cast<std::int64_t>(sent / frame.size());
    run_->log(ConformStep::Kind::sent, number_, frame,
              fmt::format("again and again, {} bytes and more, nothing read: {}", sent, stopped));
}

void Talk::half_close() {
    run_->log(ConformStep::Kind::note, number_, "", "half-closed");
    try {
        client_->half_close(rig::Deadline::after(run_->clock_, run_->patience()));
    } catch (const std::system_error& error) {
        run_->log(ConformStep::Kind::note, number_, "", error.what());
    }
}

void Talk::reset() {
    run_->log(ConformStep::Kind::note, number_, "", "reset");
    client_->reset();
}

}  // namespace harness
