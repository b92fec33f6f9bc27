#include <fmt/format.h>

#include <string>
#include <variant>

#include "harness/client/conform_cases.hpp"
#include "harness/client/conform_run.hpp"
#include "harness/wwep/frame.hpp"

namespace harness {

namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t reg = 0x79;
constexpr std::uint16_t value = 0x0036;
constexpr auto close_time = 3s;

/// The suite's own configuration, which checks nothing, for a case to change.
TlsClientConfig unchecked(CaseRun& run) {
    run.need_tls();
    return *run.tls_without_checks();
}

// Why the handshake failed, or nothing; a connection that was made must also serve.
std::optional<std::string> refusal(CaseRun& run, const TlsClientConfig& tls) {
    auto made = run.try_connect(tls, run.patience());
    if (auto* reason = std::get_if<std::string>(&made))
        return *reason;
    Talk& talk = std::get<Talk>(made);
    const std::string request = format_write(run.device(10), reg, value);
    talk.send(request);
    run.judge(request, talk.reply(), format_accepted(run.device(10), reg, value));
    return std::nullopt;
}

void speaks(CaseRun& run, TlsVersion version) {
    TlsClientConfig tls = unchecked(run);
    tls.version_min = tls.version_max = version;
    if (const auto reason = refusal(run, tls))
        run.note(fmt::format("{} is not spoken: {}", to_string(version), *reason));
}

void speaks_tls_1_3(CaseRun& run) {
    speaks(run, TlsVersion::tls_1_3);
}

void speaks_tls_1_2(CaseRun& run) {
    speaks(run, TlsVersion::tls_1_2);
}

void refuses_tls_1_1(CaseRun& run) {
    TlsClientConfig tls = unchecked(run);
    tls.profile = TlsProfile::legacy;
    tls.version_min = tls.version_max = TlsVersion::tls_1_1;
    if (!refusal(run, tls))
        run.note("TLS 1.1, which nobody should speak any more, is spoken");
}

void certificate_is_trusted(CaseRun& run) {
    TlsClientConfig tls = unchecked(run);
    if (!run.subject().target.tls->verify_chain)
        run.skip("the chain is not to be checked (--insecure or --pin)");
    tls.verify_chain = true;
    if (const auto reason = refusal(run, tls))
        run.fail(*reason);
}

void certificate_has_the_name(CaseRun& run) {
    TlsClientConfig tls = unchecked(run);
    tls.name = run.subject().target.tls->name;
    if (tls.name.empty())
        run.skip("the name is not to be checked (--insecure or --pin)");
    if (const auto reason = refusal(run, tls))
        run.fail(*reason);
}

void key_is_the_pinned_one(CaseRun& run) {
    TlsClientConfig tls = unchecked(run);
    tls.pin = run.subject().target.tls->pin;
    if (!tls.pin)
        run.skip("no key is pinned (--pin)");
    if (const auto reason = refusal(run, tls))
        run.fail(*reason);
}

// TLS 1.3 tells a client of the refusal after its own handshake has ended, with the first read.
void client_without_certificate_is_refused(CaseRun& run) {
    TlsClientConfig tls = unchecked(run);
    if (tls.certificate_file.empty())
        run.skip("the suite has no client certificate to leave out (--cert)");
    tls.certificate_file.clear();
    tls.key_file.clear();
    auto made = run.try_connect(tls, run.patience());
    auto* talk = std::get_if<Talk>(&made);
    if (talk == nullptr)
        return;
    talk->send(format_write(run.device(10), reg, value));
    const Heard heard = talk->reply();
    if (heard.kind == Heard::Kind::accepted)
        run.note("a client without a certificate is served");
    else if (heard.kind != Heard::Kind::none)
        run.fail("a client without a certificate is answered " + heard.show());
}

void ends_with_close_notify(CaseRun& run) {
    run.need_tls();
    // A server that keeps connections open closes after an illegal frame.
    const bool keeps_open = run.traits().transactions == Transactions::many;
    const std::string write = format_write(run.device(10), reg, value);
    const std::string request = keeps_open ? "Q" + write.substr(1) : write;
    Talk talk = run.connect();
    talk.send(request);
    run.judge(request, talk.reply(),
              keeps_open ? "X" : format_accepted(run.device(10), reg, value));
    const Heard end = talk.everything(close_time);
    if (end.end == PeerEnd::none)
        run.skip(fmt::format("still open {} after the reply", show_time(close_time)));
    if (end.end != PeerEnd::closed)
        run.note("the connection does not end with close_notify: " + end.end_reason);
}

void answers_nothing_in_the_clear(CaseRun& run) {
    run.need_tls();
    {
        Talk talk = run.connect_in_the_clear();
        const std::string request = format_write(run.device(10), reg, value);
        talk.send(request);
        const Heard heard = talk.everything(close_time);
        if (heard.bytes.starts_with('A') || heard.bytes.starts_with('X'))
            run.fail("a frame in the clear was answered " + show_text(heard.bytes));
    }
    run.expect_still_serving("bytes that are no TLS");
}

// The first bytes of a ClientHello, and then nothing.
constexpr std::string_view hello_begins("\x16\x03\x01\x02\x00\x01\x00", 7);

void unfinished_handshake(CaseRun& run) {
    run.need_tls();
    {
        Talk talk = run.connect_in_the_clear();
        talk.send(hello_begins);
        if (run.traits().admission == Admission::many)
            run.expect_still_serving("a handshake that stands still");
        talk.reset();
    }
    run.expect_still_serving("a handshake that was broken off");
}

}  // namespace

std::vector<ConformCase> tls_cases() {
    return {
        {"tls.version-1.3", "TLS 1.3 is spoken", "a port over TLS", speaks_tls_1_3},
        {"tls.version-1.2", "TLS 1.2 is spoken", "a port over TLS", speaks_tls_1_2},
        {"tls.version-1.1", "TLS 1.1 is refused", "a port over TLS", refuses_tls_1_1},
        {"tls.certificate", "the certificate leads to a trusted root and is in date",
         "a port over TLS", certificate_is_trusted},
        {"tls.name", "the certificate is made out to the server's name", "a port over TLS",
         certificate_has_the_name},
        {"tls.pin", "the key is the pinned one", "a port over TLS", key_is_the_pinned_one},
        {"tls.client-certificate", "a client without a certificate is refused", "a port over TLS",
         client_without_certificate_is_refused},
        {"tls.close-notify", "a connection ends with close_notify", "ruling 5",
         ends_with_close_notify},
        {"tls.no-clear-text", "a frame in the clear is not answered", "a port over TLS",
         answers_nothing_in_the_clear},
        {"tls.unfinished-handshake", "a handshake that stands still brings nothing down",
         "a port over TLS", unfinished_handshake},
    };
}

}  // namespace harness
