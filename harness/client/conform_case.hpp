// The values of the conformance suite: what is tested, what each case found, with the bytes that
// went to and fro. Plain and copyable, no I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/client/client.hpp"

namespace harness {

/// In ascending order of what a case is worth reading for, `skipped` apart.
enum class Outcome : std::uint8_t {
    pass,
    note,     ///< it deviates from a ruling, where the protocol's description is silent
    fail,     ///< it deviates from the description
    skipped,  ///< the case cannot apply, or cannot be judged; the reason says why
};

/// How many connections the server serves at a time.
enum class Admission : std::uint8_t { one_at_a_time, many };
/// How many transactions the server does on one connection.
enum class Transactions : std::uint8_t { one, many };

/// What is tested, and what its owner says about it.
struct ConformSubject {
    /// Its `tls` says whom to trust. Only the cases about the certificate check that: the others
    /// go on with a server whose certificate is bad.
    ClientTarget target;
    std::optional<Admission> admission;        ///< absent: found out by probing
    std::optional<Transactions> transactions;  ///< likewise
    /// How long the server may take for an answer, a handshake or a close before that counts as
    /// never. Generous, since nothing but a broken server makes the suite wait for it.
    std::chrono::milliseconds patience{5000};
    /// After how long the server closes a connection that says nothing; absent: not tested.
    std::optional<std::chrono::milliseconds> idle_timeout;
    /// The devices that the suite writes to follow from it. With the same seed against the same
    /// server, registers that should never have been written have been.
    std::uint32_t seed = 1;
    /// Asked at least every 100 ms while the suite waits; true: Conformance throws
    /// ConformInterrupted.
    std::function<bool()> is_interrupted;
};

/// What the suite knows about the server before its first case.
struct ConformTraits {
    Admission admission = Admission::many;
    Transactions transactions = Transactions::one;
    bool admission_was_told = false;
    bool transactions_was_told = false;
    std::string tls_version;  ///< of the probe; empty in the clear
    std::string cipher;
    std::chrono::nanoseconds connect_time{0};  ///< the quickest TCP connection so far
};

/// Something that happened while a case ran.
struct ConformStep {
    enum class Kind : std::uint8_t { connected, sent, received, ended, note };
    Kind kind = Kind::note;
    std::int64_t connection = 0;   ///< counted from 1 within the case
    std::int64_t at_ns = 0;        ///< since the case began
    std::string bytes;             ///< at most `bytes_max` of those that were sent or received
    std::int64_t bytes_count = 0;  ///< all of them
    std::string text;              ///< for people: of ended and note

    static constexpr std::size_t bytes_max = 64;
};

struct ConformResult {
    std::string name;
    Outcome outcome = Outcome::pass;
    std::string reason;                 ///< one sentence; empty: it passed
    std::vector<std::string> findings;  ///< all of them, the worst kind only
    /// Of the exchanges that led to the findings; of the last one if all was well.
    std::vector<ConformStep> steps;
    std::int64_t exchanges = 0;  ///< requests sent in all
    std::int64_t took_ns = 0;
};

class CaseRun;

/// One case of the suite.
struct ConformCase {
    std::string_view name;      ///< "framing.write-in-two-parts"
    std::string_view sentence;  ///< what holds when it passes
    std::string_view rule;      ///< "description", or "ruling 3": where the rule is to be found
    void (*run)(CaseRun& run);
};

/// The wait was interrupted by whoever asked for the suite.
class ConformInterrupted : public std::runtime_error {
  public:
    ConformInterrupted() : std::runtime_error("the conformance suite was interrupted") {}
};

/// "pass", "note", "fail", "skipped".
[[nodiscard]] std::string_view to_string(Outcome outcome);
/// "connected", "sent", "received", "ended", "note".
[[nodiscard]] std::string_view to_string(ConformStep::Kind kind);

}  // namespace harness
