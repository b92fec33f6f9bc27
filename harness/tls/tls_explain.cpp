#include "harness/tls/tls_explain.hpp"

#include <fmt/format.h>
#include <wolfssl/options.h>
// options.h comes first: it says how the library was built.
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "harness/tls/tls_names.hpp"

namespace harness {

namespace {

constexpr std::uint16_t tls_1_0 = 0x0301;
constexpr std::uint16_t tls_1_1 = 0x0302;
constexpr std::uint16_t tls_1_2 = 0x0303;
constexpr std::uint16_t tls_1_3 = 0x0304;
constexpr std::uint16_t renegotiation_scsv = 0x00ff;
constexpr std::uint16_t fallback_scsv = 0x5600;
// As TlsContext sets them.
constexpr std::array<std::uint16_t, 3> groups_offered = {0x001d, 0x0017, 0x0018};

std::uint16_t wire_version(TlsVersion version) {
    switch (version) {
        case TlsVersion::tls_1_1:
            return tls_1_1;
        case TlsVersion::tls_1_2:
            return tls_1_2;
        case TlsVersion::tls_1_3:
            return tls_1_3;
    }
    return tls_1_3;
}

std::vector<std::uint16_t> real_suites(const ClientHello& hello) {
    std::vector<std::uint16_t> suites;
    std::ranges::copy_if(hello.cipher_suites, std::back_inserter(suites), [](std::uint16_t code) {
        return code != renegotiation_scsv && code != fallback_scsv && !is_grease(code);
    });
    return suites;
}

std::string list_of_suites(const std::vector<std::uint16_t>& suites) {
    constexpr std::size_t named_max = 4;
    std::string text;
    for (std::size_t i = 0; i < std::min(suites.size(), named_max); ++i) {
        text += (i > 0 ? ", " : "") + cipher_suite_name(suites[i]);
    }
    if (suites.size() > named_max) {
        text += fmt::format(" and {} more", suites.size() - named_max);
    }
    return text.empty() ? "none" : text;
}

std::string list_of_groups(const std::vector<std::uint16_t>& groups) {
    std::string text;
    for (const std::uint16_t group : groups)
        text += (text.empty() ? "" : ", ") + group_name(group);
    return text;
}

bool all_names_hold(const std::vector<std::uint16_t>& suites, std::string_view part) {
    return !suites.empty() && std::ranges::all_of(suites, [part](std::uint16_t code) {
        return cipher_suite_name(code).find(part) != std::string::npos;
    });
}

// What in the offer a server with this context cannot serve; empty if nothing stands out.
std::string what_cannot_be_served(const ClientHello& hello, const TlsContext& context) {
    const std::uint16_t highest = hello.version_max();
    if (highest <= tls_1_0) {
        return fmt::format(
            "the client offers only {}: Debian's wolfSSL, which this server is "
            "built on, speaks TLSv1.1 at least, so such a board cannot be served",
            version_name(highest));
    }
    if (highest < wire_version(context.version_min())) {
        const bool needs_legacy = highest == tls_1_1 && context.profile() != TlsProfile::legacy;
        return fmt::format("the client offers at most {}, this server speaks {} at least{}",
                           version_name(highest), to_string(context.version_min()),
                           needs_legacy ? "; the TLS profile legacy takes it" : "");
    }
    if (!hello.versions.empty() && std::ranges::none_of(hello.versions, [&](std::uint16_t version) {
            return version >= wire_version(context.version_min()) &&
                   version <= wire_version(context.version_max());
        })) {
        return fmt::format("the client offers no version from {} to {}",
                           to_string(context.version_min()), to_string(context.version_max()));
    }
    const auto suites = real_suites(hello);
    if (hello.offers_only_rsa_key_exchange()) {
        return fmt::format(
            "the client offers only RSA key exchange ({}): Debian's wolfSSL, which "
            "this server is built on, has none, so such a board cannot be served",
            list_of_suites(suites));
    }
    if (context.key_kind() == "ECDSA" && all_names_hold(suites, "_RSA_")) {
        return fmt::format("the client takes only RSA certificates ({}), this server's is ECDSA",
                           list_of_suites(suites));
    }
    if (context.key_kind() == "RSA" && all_names_hold(suites, "_ECDSA_")) {
        return fmt::format("the client takes only ECDSA certificates ({}), this server's is RSA",
                           list_of_suites(suites));
    }
    const auto is_ours = [](std::uint16_t group) {
        return std::ranges::find(groups_offered, group) != groups_offered.end();
    };
    if (!hello.groups.empty() && std::ranges::none_of(hello.groups, is_ours)) {
        return fmt::format(
            "the client knows only the groups {}; this server has x25519, secp256r1 "
            "and secp384r1",
            list_of_groups(hello.groups));
    }
    if (wolfssl_mistakes(hello)) {
        return fmt::format(
            "the client sends {} and no extensions, which wolfSSL {} answers "
            "wrongly; Debian 13's serves it",
            cipher_suite_name(renegotiation_scsv), wolfSSL_lib_version());
    }
    return "";
}

std::string explain_no_suite(const HandshakeTrouble& trouble) {
    if (trouble.hello_reader.result() != ClientHelloReader::Result::complete) {
        return "no cipher suite in common";
    }
    const ClientHello& hello = trouble.hello_reader.hello();
    const auto suites = real_suites(hello);
    const bool no_aead = std::ranges::none_of(suites, [](std::uint16_t code) {
        const std::string name = cipher_suite_name(code);
        return name.find("_GCM_") != std::string::npos ||
               name.find("_POLY1305_") != std::string::npos;
    });
    const bool is_modern = trouble.context.profile() == TlsProfile::modern;
    return fmt::format(
        "no cipher suite in common: the client offers {}{}", list_of_suites(suites),
        no_aead && is_modern ? "; the TLS profile legacy has suites with AES-CBC" : "");
}

std::string explain_end(const HandshakeTrouble& trouble) {
    const bool is_server = trouble.context.role() == TlsRole::server;
    const std::string_view peer = is_server ? "the client" : "the server";
    if (trouble.stage == HandshakeTrouble::Stage::nothing_received) {
        return fmt::format("{} closed the connection without sending anything", peer);
    }
    if (!is_server)
        return "the server closed the connection in the middle of the handshake";
    if (trouble.hello_reader.result() == ClientHelloReader::Result::complete) {
        return "the client closed the connection after its ClientHello, in the middle of the "
               "handshake: it may have refused this server's certificate";
    }
    return "the client closed the connection in the middle of its ClientHello";
}

std::string issuer_of(WOLFSSL_X509* x509) {
    std::array<char, 512> text{};
    WOLFSSL_X509_NAME* name = wolfSSL_X509_get_issuer_name(x509);
    if (name == nullptr)
        return "";
    const char* written =
        wolfSSL_X509_NAME_oneline(name, text.data(), static_cast<int>(text.size()));
    return written != nullptr ? text.data() : "";
}

std::string time_text(WOLFSSL_ASN1_TIME* time) {
    std::array<char, 64> text{};
    if (time == nullptr)
        return "?";
    const char* written =
        wolfSSL_ASN1_TIME_to_string(time, text.data(), static_cast<int>(text.size()));
    return written != nullptr ? text.data() : "?";
}

}  // namespace

std::string certificate_subject(WOLFSSL_X509* x509) {
    std::array<char, 512> text{};
    WOLFSSL_X509_NAME* name = wolfSSL_X509_get_subject_name(x509);
    if (name == nullptr)
        return "";
    const char* written =
        wolfSSL_X509_NAME_oneline(name, text.data(), static_cast<int>(text.size()));
    return written != nullptr ? text.data() : "";
}

std::string certificate_problem(WOLFSSL_X509* x509, int error) {
    const std::string subject = x509 != nullptr && !certificate_subject(x509).empty()
                                    ? certificate_subject(x509)
                                    : "the certificate";
    switch (error) {
        case ASN_AFTER_DATE_E:
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
            return fmt::format("{} has expired: it was valid until {}", subject,
                               x509 != nullptr ? time_text(wolfSSL_X509_get_notAfter(x509)) : "?");
        case ASN_BEFORE_DATE_E:
        case X509_V_ERR_CERT_NOT_YET_VALID:
        case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
            return fmt::format("{} is not valid yet: it will be from {}", subject,
                               x509 != nullptr ? time_text(wolfSSL_X509_get_notBefore(x509)) : "?");
        case ASN_NO_SIGNER_E:
        case ASN_SELF_SIGNED_E:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return fmt::format("{} is signed by no CA that is trusted here, but by {}", subject,
                               x509 != nullptr ? issuer_of(x509) : "?");
        case ASN_SIG_CONFIRM_E:
            return fmt::format("{} carries a signature that is not its issuer's", subject);
        case EXTKEYUSE_AUTH_E:
            return fmt::format("{} may not be used on this side: wrong extended key usage",
                               subject);
        default:
            return fmt::format("{} is refused: {}", subject, wolfssl_reason(error));
    }
}

std::string wolfssl_reason(int error) {
    const char* text = wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(error));
    return fmt::format("{} (wolfSSL {})", text != nullptr ? text : "unknown error", error);
}

bool wolfssl_mistakes(const ClientHello& hello) {
    constexpr word32 version_fixed = 0x05007002;
    return wolfSSL_lib_version_hex() < version_fixed && hello.extensions.empty() &&
           std::ranges::find(hello.cipher_suites, renegotiation_scsv) != hello.cipher_suites.end();
}

std::string alert_meaning(std::uint8_t alert, TlsRole receiver) {
    const bool is_server = receiver == TlsRole::server;
    switch (alert) {
        case 40:
            return is_server ? "" : "it found nothing in common, or wants a client certificate";
        case 42:
        case 46:
            return is_server ? "it refuses this server's certificate"
                             : "it refuses our certificate";
        case 43:
            return "it does not take certificates of this kind";
        case 45:
            return "to it the certificate is out of date; a board without a clock thinks so too";
        case 48:
            return is_server ? "it does not trust the CA of this server's certificate"
                             : "it does not trust the CA of our certificate";
        case 70:
            return "it does not speak the TLS version";
        case 90:
            return "it gave up";
        case 112:
            return "it knows no server of that name";
        case 116:
            return "it wants a client certificate";
        default:
            return "";
    }
}

std::string explain(const HandshakeTrouble& trouble) {
    const bool is_server = trouble.context.role() == TlsRole::server;
    const std::string_view peer = is_server ? "the client" : "the server";
    const bool has_hello = trouble.hello_reader.result() == ClientHelloReader::Result::complete;
    std::string sentence;
    if (trouble.stage != HandshakeTrouble::Stage::open && is_server && has_hello &&
        trouble.certificate_problem.empty()) {
        sentence = what_cannot_be_served(trouble.hello_reader.hello(), trouble.context);
    }
    if (trouble.facts.alert_received) {
        const std::string meaning =
            sentence.empty() ? alert_meaning(*trouble.facts.alert_received, trouble.context.role())
                             : sentence;
        return fmt::format("{} sent the alert {}{}{}", peer,
                           alert_name(*trouble.facts.alert_received), meaning.empty() ? "" : ": ",
                           meaning);
    }
    if (sentence.empty() && trouble.peer_ended) {
        return explain_end(trouble);
    }
    if (sentence.empty() && !trouble.certificate_problem.empty()) {
        sentence = trouble.certificate_problem;
    }
    if (sentence.empty() && trouble.hello_reader.result() == ClientHelloReader::Result::malformed) {
        sentence = trouble.hello_reader.problem();
    }
    if (sentence.empty()) {
        switch (trouble.wolfssl_error) {
            case MATCH_SUITE_ERROR:
            case UNSUPPORTED_SUITE:
                sentence = is_server ? explain_no_suite(trouble)
                                     : "the server chose a cipher suite that was not offered";
                break;
            case VERSION_ERROR:
                sentence = fmt::format("{} speaks no TLS version from {} to {}", peer,
                                       to_string(trouble.context.version_min()),
                                       to_string(trouble.context.version_max()));
                break;
            case NO_PEER_CERT:
                sentence = fmt::format("{} sent no certificate, and one is required", peer);
                break;
            case WOLFSSL_ERROR_ZERO_RETURN:
                sentence = fmt::format("{} sent close_notify in the middle of the handshake", peer);
                break;
            default:
                sentence = fmt::format("{} broke the protocol: {}", peer,
                                       wolfssl_reason(trouble.wolfssl_error));
        }
    }
    if (trouble.facts.alert_sent) {
        sentence +=
            fmt::format("; answered with the alert {}", alert_name(*trouble.facts.alert_sent));
    }
    return sentence;
}

}  // namespace harness
