#include "harness/client/conform_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

using namespace std::chrono_literals;

// Between two attempts to connect to a server that is not back at its listening yet.
constexpr auto retry_pause = 10ms;
// A server for one connection at a time may stop listening while it serves one.
constexpr auto relisten_time = 1s;
constexpr std::size_t recent_steps_max = 24;
constexpr std::size_t devices_max = 16;
// The kernel doubles it, and has a floor of its own.
constexpr int small_buffer_bytes = 2048;

// Other devices than the description's own, and than the sums of six bytes that boards go by.
std::vector<std::uint16_t> choose_devices(std::uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<std::uint16_t> chosen;
    while (chosen.size() < devices_max) {
        const auto device = static_cast<std::uint16_t>(0xA000 + random() % 0x5000);
        if (std::ranges::find(chosen, device) == chosen.end())
            chosen.push_back(device);
    }
    return chosen;
}

std::string join(const std::vector<std::string>& findings) {
    std::string text;
    for (const std::string& each : findings)
        text += (text.empty() ? "" : "; ") + each;
    return text;
}

}  // namespace

CaseRun::CaseRun(const TlsLibrary& library, const rig::Clock& clock, const ConformSubject& subject,
                 ConformTraits& traits)
    : library_(library),
      clock_(clock),
      subject_(subject),
      traits_(traits),
      devices_(choose_devices(subject.seed)),
      began_ns_(clock.monotonic_ns()) {}

void CaseRun::need_many_connections() {
    if (traits_.admission == Admission::one_at_a_time) {
        skip(fmt::format("the server takes one connection at a time ({})",
                         traits_.admission_was_told ? "said so" : "found out by probing"));
    }
}

void CaseRun::need_many_transactions() {
    if (traits_.transactions == Transactions::one) {
        skip(fmt::format("the server does one transaction a connection ({})",
                         traits_.transactions_was_told ? "said so" : "found out by probing"));
    }
}

void CaseRun::need_one_transaction() {
    if (traits_.transactions == Transactions::many) {
        skip(fmt::format("the server keeps connections open ({})",
                         traits_.transactions_was_told ? "said so" : "found out by probing"));
    }
}

void CaseRun::need_tls() {
    if (!is_secure())
        skip("in the clear: needs TLS");
}

void CaseRun::skip(std::string reason) {
    skipped_ = std::move(reason);
    throw CaseEnded{};
}

void CaseRun::add(Outcome outcome, std::string finding) {
    log(ConformStep::Kind::note, connections_, "",
        fmt::format("{}: {}", to_string(outcome), finding));
    auto& findings = outcome == Outcome::fail ? failures_ : notes_;
    findings.push_back(std::move(finding));
    for (ConformStep& step : recent_) {
        if (evidence_.size() < steps_max)
            evidence_.push_back(std::move(step));
    }
    recent_.clear();
    if (findings.size() >= findings_max)
        throw CaseEnded{};
}

void CaseRun::fail(std::string finding) {
    add(Outcome::fail, std::move(finding));
}

void CaseRun::note(std::string finding) {
    add(Outcome::note, std::move(finding));
}

void CaseRun::not_judged(std::string what) {
    log(ConformStep::Kind::note, connections_, "", "not judged: " + what);
    not_judged_.push_back(std::move(what));
}

std::optional<TlsClientConfig> CaseRun::tls_without_checks() const {
    std::optional<TlsClientConfig> tls = subject_.target.tls;
    if (tls) {
        tls->verify_chain = false;
        tls->name.clear();
        tls->pin.reset();
    }
    return tls;
}

Talk CaseRun::make_talk(const ClientTarget& target, std::chrono::nanoseconds wait) {
    check_interrupted();
    const auto deadline = rig::Deadline::after(clock_, wait);
    const rig::TimestampNs began_ns = now_ns();
    auto client = std::make_unique<Client>(library_, clock_, target, deadline);
    const std::chrono::nanoseconds took(client->connected_ns() - began_ns);
    if (traits_.connect_time == 0ns || took < traits_.connect_time)
        traits_.connect_time = took;
    return {*this, std::move(client), ++connections_};
}

// Tried again for a moment: a server for one connection may be on its way back to listening.
Talk CaseRun::connect_or_fail(const ClientTarget& target) {
    const auto until = rig::Deadline::after(clock_, relisten_time);
    for (;;) {
        try {
            return make_talk(target, patience());
        } catch (const NoConnection& error) {
            if (until.has_passed(clock_)) {
                has_lost_the_server_ = true;
                fail(error.what());
                throw CaseEnded{};
            }
        }
        std::this_thread::sleep_for(retry_pause);
    }
}

Talk CaseRun::connect() {
    ClientTarget target = subject_.target;
    target.tls = tls_without_checks();
    return connect_or_fail(target);
}

Talk CaseRun::connect_in_the_clear() {
    ClientTarget target = subject_.target;
    target.tls.reset();
    return connect_or_fail(target);
}

Talk CaseRun::connect_with_small_buffer() {
    ClientTarget target = subject_.target;
    target.tls = tls_without_checks();
    target.receive_buffer_bytes = small_buffer_bytes;
    return connect_or_fail(target);
}

std::variant<Talk, std::string> CaseRun::try_connect(const std::optional<TlsClientConfig>& tls,
                                                     std::chrono::nanoseconds wait) {
    ClientTarget target = subject_.target;
    target.tls = tls;
    try {
        return make_talk(target, wait);
    } catch (const NoConnection& error) {
        log(ConformStep::Kind::note, connections_, "", error.what());
        return std::string(error.what());
    }
}

Heard CaseRun::ask(std::string_view request) {
    Talk talk = connect();
    talk.send(request);
    return talk.reply();
}

void CaseRun::expect(std::string_view request, std::string_view reply) {
    judge(request, ask(request), reply);
}

void CaseRun::judge(std::string_view request, const Heard& heard, std::string_view expected) {
    if (is_reply(heard, expected))
        return;
    fail(fmt::format("{}: expected {}, got {}", show_text(request), expected, heard.show()));
    // Each further silence would cost all patience again.
    if (heard.kind == Heard::Kind::none && heard.end == PeerEnd::none)
        throw CaseEnded{};
}

void CaseRun::judge_by_ruling(std::string_view request, const Heard& heard,
                              std::string_view expected) {
    const bool is_refused = heard.kind == Heard::Kind::failed || heard.kind == Heard::Kind::none;
    if (is_reply(heard, expected) || !is_refused)
        return judge(request, heard, expected);
    note(fmt::format("{}: expected {}, got {}", show_text(request), expected, heard.show()));
    if (heard.kind == Heard::Kind::none && heard.end == PeerEnd::none)
        throw CaseEnded{};
}

bool CaseRun::expect_still_serving(std::string_view after) {
    const std::string request = format_write(device(15), 0x15, 0x0015);
    const Heard heard = ask(request);
    if (is_reply(heard, format_accepted(device(15), 0x15, 0x0015)))
        return true;
    // A server that has died may still have been there to take the connection.
    const auto made = try_connect(tls_without_checks(), patience());
    has_lost_the_server_ = std::holds_alternative<std::string>(made);
    fail(fmt::format("after {}: {}: got {}", after, show_text(request), heard.show()));
    return false;
}

void CaseRun::log(ConformStep::Kind kind, std::int64_t connection, std::string_view bytes,
                  std::string text) {
    // A reply is read in pieces; people want to see it whole.
    if (kind == ConformStep::Kind::received && !recent_.empty()) {
        ConformStep& last = recent_.back();
        if (last.kind == kind && last.connection == connection) {
            last.bytes += bytes.substr(0, ConformStep::bytes_max - last.bytes.size());
            last.bytes_count += static_cast<std::int64_t>(bytes.size());
            return;
        }
    }
    recent_.push_back({.kind = kind,
                       .connection = connection,
                       .at_ns = now_ns() - began_ns_,
                       .bytes = std::string(bytes.substr(0, ConformStep::bytes_max)),
                       .bytes_count = static_cast<std::int64_t>(bytes.size()),
                       .text = std::move(text)});
    if (recent_.size() > recent_steps_max)
        recent_.pop_front();
}

void CaseRun::check_interrupted() const {
    if (subject_.is_interrupted && subject_.is_interrupted())
        throw ConformInterrupted();
}

ConformResult CaseRun::result(std::string_view name) const {
    ConformResult result;
    result.name = std::string(name);
    if (!failures_.empty()) {
        result.outcome = Outcome::fail;
        result.findings = failures_;
    } else if (!notes_.empty()) {
        result.outcome = Outcome::note;
        result.findings = notes_;
    } else if (!skipped_.empty()) {
        result.outcome = Outcome::skipped;
        result.findings = {skipped_};
    } else if (!not_judged_.empty()) {
        result.outcome = Outcome::skipped;
        result.findings = not_judged_;
    }
    result.reason = join(result.findings);
    const bool has_findings = !failures_.empty() || !notes_.empty();
    result.steps =
        has_findings ? evidence_ : std::vector<ConformStep>(recent_.begin(), recent_.end());
    result.exchanges = exchanges_;
    result.took_ns = now_ns() - began_ns_;
    return result;
}

}  // namespace harness
