// CaseRun is what a case of the conformance suite works with: connections to the server under
// test, judgements, and a log of the bytes. Talk is one such connection; it must not outlive its
// CaseRun. A case ends by returning, or by one of the exceptions in here, which Conformance
// catches. One thread. Limits: `findings_max` findings, `steps_max` steps of evidence.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/client/client.hpp"
#include "harness/client/conform_case.hpp"
#include "rig/base/clock.hpp"

namespace harness {

/// A case has seen enough; its findings are in its CaseRun.
struct CaseEnded {};

/// What came in answer to a request.
struct Heard {
    enum class Kind : std::uint8_t { accepted, failed, none, other };
    Kind kind = Kind::none;
    std::string bytes;  ///< 11 bytes, "X", or what came instead
    PeerEnd end = PeerEnd::none;
    std::string end_reason;
    std::chrono::nanoseconds waited{0};

    /// "A0FAC0B1234", "X", "no answer within 5000 ms", "no answer: the server closed".
    [[nodiscard]] std::string show() const;
};

/// Whether a reply is this one; the case of its digits does not matter.
[[nodiscard]] bool is_reply(const Heard& heard, std::string_view expected);

class Talk {
  public:
    Talk(CaseRun& run, std::unique_ptr<Client> client, std::int64_t number);
    Talk(Talk&&) = default;
    Talk& operator=(Talk&&) = delete;
    ~Talk() = default;

    /// That the peer is gone already is no error here: what it said before still counts.
    void send(std::string_view bytes);
    /// The next reply, waiting for its first byte so long, and for the rest with all patience.
    [[nodiscard]] Heard reply(std::chrono::nanoseconds wait);
    /// With all patience.
    [[nodiscard]] Heard reply();
    /// What comes until the server ends the connection, or until the time is over.
    [[nodiscard]] Heard everything(std::chrono::nanoseconds wait);
    /// Sends frame after frame and reads nothing, until the server takes no more or `bytes_max`
    /// are out.
    void flood(std::string_view frame, std::size_t bytes_max);
    void half_close();
    void reset();
    [[nodiscard]] const Client& client() const { return *client_; }

  private:
    [[nodiscard]] Received receive(std::size_t bytes_wanted, std::chrono::nanoseconds wait);

    CaseRun* run_;
    std::unique_ptr<Client> client_;
    std::int64_t number_;
    bool has_ended_ = false;
};

class CaseRun {
  public:
    static constexpr std::size_t findings_max = 5;
    static constexpr std::size_t steps_max = 48;
    /// How long nothing must come for "nothing follows".
    static constexpr std::chrono::milliseconds quiet_time{300};

    /// The subject and the traits must outlive it; the traits learn the time of a connection.
    CaseRun(const TlsLibrary& library, const rig::Clock& clock, const ConformSubject& subject,
            ConformTraits& traits);

    [[nodiscard]] const ConformSubject& subject() const { return subject_; }
    [[nodiscard]] const ConformTraits& traits() const { return traits_; }
    [[nodiscard]] bool is_secure() const { return subject_.target.tls.has_value(); }
    [[nodiscard]] rig::TimestampNs now_ns() const { return clock_.monotonic_ns(); }
    [[nodiscard]] std::chrono::nanoseconds patience() const { return subject_.patience; }
    /// The device of that number: others in each run, distinct, with a letter among its digits.
    [[nodiscard]] std::uint16_t device(std::size_t number) const { return devices_.at(number); }

    // What the case needs; without it the case is skipped.
    void need_many_connections();
    void need_many_transactions();
    void need_one_transaction();
    void need_tls();
    [[noreturn]] void skip(std::string reason);

    // Judgements. The case goes on, until there are findings_max of them.
    void fail(std::string finding);
    void note(std::string finding);
    /// The machine was too slow for an attempt to say anything about the server.
    void not_judged(std::string what);

    /// A connection; the case fails and ends when there is none.
    [[nodiscard]] Talk connect();
    /// A connection, or why there is none. `tls` replaces the suite's own configuration.
    [[nodiscard]] std::variant<Talk, std::string> try_connect(
        const std::optional<TlsClientConfig>& tls, std::chrono::nanoseconds wait);
    /// The suite's own configuration: the server's certificate is not checked.
    [[nodiscard]] std::optional<TlsClientConfig> tls_without_checks() const;
    /// A connection in the clear to a server that expects TLS.
    [[nodiscard]] Talk connect_in_the_clear();
    /// One that never reads: with the smallest of receive buffers.
    [[nodiscard]] Talk connect_with_small_buffer();

    /// A transaction on a connection of its own.
    [[nodiscard]] Heard ask(std::string_view request);
    /// The same, and fails unless this is the reply.
    void expect(std::string_view request, std::string_view reply);
    /// Judges a reply: another one is a failure.
    void judge(std::string_view request, const Heard& heard, std::string_view expected);
    /// The same, but `X`, silence and a close are a note, since a ruling asks for the reply.
    void judge_by_ruling(std::string_view request, const Heard& heard, std::string_view expected);
    /// A transaction succeeds, after something rough was done to the server. Whether it did.
    bool expect_still_serving(std::string_view after);

    void log(ConformStep::Kind kind, std::int64_t connection, std::string_view bytes,
             std::string text);
    void check_interrupted() const;
    /// What was found, once the case has ended.
    [[nodiscard]] ConformResult result(std::string_view name) const;
    [[nodiscard]] bool has_lost_the_server() const { return has_lost_the_server_; }

  private:
    [[nodiscard]] Talk make_talk(const ClientTarget& target, std::chrono::nanoseconds wait);
    [[nodiscard]] Talk connect_or_fail(const ClientTarget& target);
    void add(Outcome outcome, std::string finding);

    const TlsLibrary& library_;
    const rig::Clock& clock_;
    const ConformSubject& subject_;
    ConformTraits& traits_;
    std::vector<std::uint16_t> devices_;
    rig::TimestampNs began_ns_;
    std::int64_t connections_ = 0;
    std::int64_t exchanges_ = 0;
    std::deque<ConformStep> recent_;  // not yet evidence
    std::vector<ConformStep> evidence_;
    std::vector<std::string> failures_;
    std::vector<std::string> notes_;
    std::vector<std::string> not_judged_;
    std::string skipped_;
    bool has_lost_the_server_ = false;
    friend class Talk;
};

/// "2.0 s", "350 ms".
[[nodiscard]] std::string show_time(std::chrono::nanoseconds time);
/// "W01234", "R0FAC0B\x0d\x0a": bytes as they are where they show, the first 40 of them.
[[nodiscard]] std::string show_text(std::string_view bytes);

}  // namespace harness
