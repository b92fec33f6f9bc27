#include "harness/client/conformance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>

#include "harness/client/conform_cases.hpp"
#include "harness/client/conform_run.hpp"
#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

using namespace std::chrono_literals;

// A server that answers within it while another connection is open takes several.
constexpr auto probe_time = 3s;
constexpr std::size_t probe_device = 14;
constexpr std::uint8_t probe_register = 0x14;

std::vector<ConformCase> all_cases() {
    std::vector<ConformCase> all;
    for (const auto& chapter : {description_cases(), framing_cases(), illegal_cases(),
                                connection_cases(), tls_cases(), rough_cases()}) {
        all.insert(all.end(), chapter.begin(), chapter.end());
    }
    return all;
}

Talk connect_or_throw(CaseRun& run, std::chrono::nanoseconds wait) {
    auto made = run.try_connect(run.tls_without_checks(), wait);
    if (auto* reason = std::get_if<std::string>(&made))
        throw NoConnection(*reason);
    return std::move(std::get<Talk>(made));
}

Transactions find_transactions(CaseRun& run) {
    const std::string frame = format_write(run.device(probe_device), probe_register, 1);
    Talk talk = connect_or_throw(run, run.patience());
    talk.send(frame);
    if (talk.reply().kind == Heard::Kind::none)
        return Transactions::one;
    talk.send(frame);
    // What is no reply belongs to the first one.
    const Heard second = talk.reply(probe_time);
    const bool is_reply =
        second.kind == Heard::Kind::accepted || second.kind == Heard::Kind::failed;
    return is_reply ? Transactions::many : Transactions::one;
}

// One connection is open and says nothing; does another one get its answer?
Admission find_admission(CaseRun& run) {
    const std::string frame = format_write(run.device(probe_device), probe_register, 1);
    const Talk silent = connect_or_throw(run, run.patience());
    auto made = run.try_connect(run.tls_without_checks(), probe_time);
    auto* talk = std::get_if<Talk>(&made);
    if (talk == nullptr)
        return Admission::one_at_a_time;
    talk->send(frame);
    return talk->reply(probe_time).kind == Heard::Kind::none ? Admission::one_at_a_time
                                                             : Admission::many;
}

}  // namespace

Conformance::Conformance(const TlsLibrary& library, const rig::Clock& clock, ConformSubject subject)
    : library_(library), clock_(clock), subject_(std::move(subject)) {}

std::span<const ConformCase> Conformance::cases() {
    static const std::vector<ConformCase> all = all_cases();
    return all;
}

void Conformance::probe() {
    CaseRun run(library_, clock_, subject_, traits_);
    {
        const Talk first = connect_or_throw(run, run.patience());
        traits_.tls_version = first.client().tls_facts().version;
        traits_.cipher = first.client().tls_facts().cipher;
    }
    traits_.transactions_was_told = subject_.transactions.has_value();
    traits_.transactions = subject_.transactions ? *subject_.transactions : find_transactions(run);
    traits_.admission_was_told = subject_.admission.has_value();
    traits_.admission = subject_.admission ? *subject_.admission : find_admission(run);
}

ConformResult Conformance::run(std::string_view name) {
    const auto found = std::ranges::find(cases(), name, &ConformCase::name);
    if (found == cases().end()) {
        throw std::invalid_argument(
            fmt::format("the conformance suite has no case of the name {}", name));
    }
    CaseRun run(library_, clock_, subject_, traits_);
    if (is_lost()) {
        ConformResult result = run.result(name);
        result.outcome = Outcome::skipped;
        result.reason = fmt::format("nobody answers at the address since {}", lost_in_);
        result.findings = {result.reason};
        return result;
    }
    try {
        found->run(run);
    } catch (const CaseEnded&) {
        // What it found is in the run.
    }
    if (run.has_lost_the_server())
        lost_in_ = name;
    return run.result(name);
}

bool Conformance::is_lost() {
    if (lost_in_.empty())
        return false;
    CaseRun run(library_, clock_, subject_, traits_);
    auto made = run.try_connect(run.tls_without_checks(), subject_.patience);
    if (std::holds_alternative<std::string>(made))
        return true;
    lost_in_.clear();
    return false;
}

}  // namespace harness
