#include "harness/tls/tls_context.hpp"

#include <fmt/format.h>
#include <wolfssl/options.h>
// options.h comes first: it says how the library was built.
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/dh.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "harness/tls/certificate.hpp"
#include "harness/tls/key_log.hpp"
#include "harness/tls/tls_library.hpp"
#include "harness/tls/tls_session.hpp"
#include "rig/base/errors.hpp"

namespace harness {

namespace {

constexpr const char* system_ca_file = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::size_t pem_bytes_max = 4U * 1024 * 1024;

// Debian's default list also accepts suites that do not encrypt, RC4 and 3DES: ours is explicit.
// AES-128 comes first, as the cheapest for a microcontroller.
constexpr std::string_view modern_ciphers =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
// CBC with SHA-1 comes before SHA-256: wolfSSL would choose the latter under TLS 1.1 as well, which
// does not have it.
constexpr std::string_view legacy_ciphers =
    ":DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "DHE-RSA-AES128-SHA:DHE-RSA-AES256-SHA:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
    "DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256";

using X509 =
    std::unique_ptr<WOLFSSL_X509, decltype([](WOLFSSL_X509* x509) { wolfSSL_X509_free(x509); })>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string reason(int error) {
    const char* text = wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(error));
    return fmt::format("{} ({})", text != nullptr ? text : "unknown error", error);
}

std::string read_file(const std::string& path, std::string_view what) {
    if (path.empty())
        throw rig::RigError(fmt::format("no {} was named", what));
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    const int open_error = errno;
    if (!file) {
        throw rig::RigError(fmt::format("open {} {}: {}", what, path, std::strerror(open_error)));
    }
    std::string text;
    std::array<char, 16384> chunk{};
    while (file.read(chunk.data(), chunk.size()) || file.gcount() > 0) {
        text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
        if (text.size() > pem_bytes_max) {
            throw rig::RigError(
                fmt::format("read {} {}: it has more than {} bytes", what, path, pem_bytes_max));
        }
    }
    if (text.empty()) {
        throw rig::RigError(fmt::format("read {} {}: it is empty, or no file", what, path));
    }
    return text;
}

// The text of each PEM certificate, with its first and last line.
std::vector<std::string_view> pem_certificates(std::string_view text) {
    constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
    constexpr std::string_view end = "-----END CERTIFICATE-----";
    std::vector<std::string_view> blocks;
    for (;;) {
        const std::size_t first = text.find(begin);
        if (first == std::string_view::npos)
            return blocks;
        text.remove_prefix(first);
        const std::size_t last = text.find(end);
        if (last == std::string_view::npos)
            return blocks;
        blocks.push_back(text.substr(0, last + end.size()));
        text.remove_prefix(last + end.size());
    }
}

std::string subject_of(WOLFSSL_X509* x509) {
    std::array<char, 512> text{};
    WOLFSSL_X509_NAME* name = wolfSSL_X509_get_subject_name(x509);
    if (name == nullptr)
        return "?";
    if (wolfSSL_X509_NAME_oneline(name, text.data(), static_cast<int>(text.size())) == nullptr) {
        return "?";
    }
    return text.data();
}

std::string key_kind_of(std::string_view pem_certificate) {
    const X509 x509(wolfSSL_X509_load_certificate_buffer(
        bytes_of(pem_certificate), static_cast<int>(pem_certificate.size()), WOLFSSL_FILETYPE_PEM));
    if (!x509)
        return "other";
    switch (wolfSSL_X509_get_pubkey_type(x509.get())) {
        case RSAk:
            return "RSA";
        case ECDSAk:
            return "ECDSA";
        default:
            return "other";
    }
}

struct EcKeyReleaser {
    void operator()(ecc_key* ec_key) const { wc_ecc_key_free(ec_key); }
};

// Debian 12's wolfSSL_CTX_check_private_key takes any EC key for any EC certificate: here the
// public point is computed anew and compared with the end of the certificate's public key.
bool is_ec_key_of(const std::string& pem_key, std::string_view pem_certificate) {
    const X509 x509(wolfSSL_X509_load_certificate_buffer(
        bytes_of(pem_certificate), static_cast<int>(pem_certificate.size()), WOLFSSL_FILETYPE_PEM));
    int certificate_size = 0;
    const unsigned char* certificate =
        x509 ? wolfSSL_X509_get_der(x509.get(), &certificate_size) : nullptr;
    if (certificate == nullptr)
        return false;
    const auto parts = parse_certificate({certificate, static_cast<std::size_t>(certificate_size)});

    std::vector<byte> der(pem_key.size());
    const int der_size = wc_KeyPemToDer(bytes_of(pem_key), static_cast<int>(pem_key.size()),
                                        der.data(), static_cast<int>(der.size()), nullptr);
    const std::unique_ptr<ecc_key, EcKeyReleaser> ec_key(wc_ecc_key_new(nullptr));
    if (!parts || der_size <= 0 || !ec_key)
        return false;
    word32 at = 0;
    if (wc_EccPrivateKeyDecode(der.data(), &at, ec_key.get(), static_cast<word32>(der_size)) != 0 ||
        wc_ecc_make_pub(ec_key.get(), nullptr) != 0) {
        return false;
    }
    std::array<byte, 2 * MAX_ECC_BYTES + 1> point{};
    auto point_size = static_cast<word32>(point.size());
    if (wc_ecc_export_x963(ec_key.get(), point.data(), &point_size) != 0)
        return false;
    return parts->public_key.size() > point_size &&
           std::equal(point.begin(), point.begin() + point_size,
                      parts->public_key.end() - point_size);
}

std::string not_pem(std::string_view what, const std::string& path, std::string_view remedy) {
    return fmt::format("read {} {}: it holds no PEM certificate (-----BEGIN CERTIFICATE-----){}",
                       what, path, remedy);
}

int wolfssl_version(TlsVersion version) {
    switch (version) {
        case TlsVersion::tls_1_1:
            return WOLFSSL_TLSV1_1;
        case TlsVersion::tls_1_2:
            return WOLFSSL_TLSV1_2;
        case TlsVersion::tls_1_3:
            return WOLFSSL_TLSV1_3;
    }
    return WOLFSSL_TLSV1_2;
}

int protocol_version(TlsVersion version) {
    switch (version) {
        case TlsVersion::tls_1_1:
            return TLS1_1_VERSION;
        case TlsVersion::tls_1_2:
            return TLS1_2_VERSION;
        case TlsVersion::tls_1_3:
            return TLS1_3_VERSION;
    }
    return TLS1_3_VERSION;
}

void require_success(int result, std::string_view action) {
    if (result != WOLFSSL_SUCCESS) {
        throw rig::RigError(fmt::format("{}: wolfSSL refused with {}", action, result));
    }
}

void use_ffdhe2048(WOLFSSL_CTX* context) {
    std::array<byte, 256> prime{};
    std::array<byte, 8> generator{};
    auto prime_size = static_cast<word32>(prime.size());
    auto generator_size = static_cast<word32>(generator.size());
    const int copied = wc_DhCopyNamedKey(WC_FFDHE_2048, prime.data(), &prime_size, generator.data(),
                                         &generator_size, nullptr, nullptr);
    if (copied != 0)
        throw rig::RigError("take the group ffdhe2048: " + reason(copied));
    require_success(wolfSSL_CTX_SetTmpDH(context, prime.data(), static_cast<int>(prime_size),
                                         generator.data(), static_cast<int>(generator_size)),
                    "set the group ffdhe2048");
}

}  // namespace

void TlsContext::Releaser::operator()(WOLFSSL_CTX* context) const {
    wolfSSL_CTX_free(context);
}

TlsContext::TlsContext(const TlsLibrary&, const TlsServerConfig& config)
    : role_(TlsRole::server),
      profile_(config.profile),
      context_(wolfSSL_CTX_new(wolfSSLv23_server_method())) {
    set_up(config.version_min, config.version_max, config.ciphers);
    if (!config.issues_tickets) {
        turn_tickets_off();
    }
    load_identity(config.certificate_file, config.key_file,
                  config.checks_key ? KeyCheck::must_match : KeyCheck::any);
    if (!config.client_ca_names_file.empty()) {
        name_client_cas(config.client_ca_names_file);
    }
    if (!config.key_log_file.empty()) {
        key_log_ = std::make_unique<KeyLog>(config.key_log_file);
        TlsSession::log_keys_of(*this);
    }
    if (config.client_auth == ClientAuth::none) {
        wolfSSL_CTX_set_verify(context_.get(), WOLFSSL_VERIFY_NONE, nullptr);
        return;
    }
    load_trust(config.client_ca_file, "client CA file");
    // VERIFY_PEER alone accepts clients without a certificate, FAIL_IF_NO_PEER_CERT alone accepts
    // everyone under TLS 1.2. The callback is the session's, see TlsSession.
    const bool require = config.client_auth == ClientAuth::require;
    verify_mode_ = WOLFSSL_VERIFY_PEER | (require ? WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
}

TlsContext::TlsContext(const TlsLibrary&, const TlsClientConfig& config)
    : role_(TlsRole::client),
      profile_(config.profile),
      client_config_(config),
      context_(wolfSSL_CTX_new(wolfSSLv23_client_method())) {
    set_up(config.version_min, config.version_max, config.ciphers);
    if (!config.certificate_file.empty()) {
        load_identity(config.certificate_file, config.key_file);
    }
    if (config.verify_chain && !config.pin) {
        load_trust(config.ca_file.empty() ? system_ca_file : config.ca_file, "CA file");
    }
    const bool judges = config.verify_chain || config.pin || !config.name.empty();
    verify_mode_ = judges ? WOLFSSL_VERIFY_PEER : WOLFSSL_VERIFY_NONE;
    wolfSSL_CTX_set_verify(context_.get(), verify_mode_, nullptr);
}

TlsContext::~TlsContext() = default;

void TlsContext::set_up(const std::optional<TlsVersion>& version_min,
                        const std::optional<TlsVersion>& version_max, const std::string& ciphers) {
    WOLFSSL_CTX* const context = context_.get();
    if (context == nullptr)
        throw rig::RigError("make a TLS context: out of memory");
    const bool is_legacy = profile_ == TlsProfile::legacy;
    const TlsVersion lowest = is_legacy ? TlsVersion::tls_1_1 : TlsVersion::tls_1_2;
    version_min_ = version_min.value_or(lowest);
    version_max_ = version_max.value_or(TlsVersion::tls_1_3);
    if (version_min_ < lowest || version_max_ < lowest) {
        throw rig::RigError("TLSv1.1 is not in the TLS profile modern: ask for the profile legacy");
    }
    if (version_min_ > version_max_) {
        throw rig::RigError(fmt::format("the lowest TLS version {} is above the highest, {}",
                                        to_string(version_min_), to_string(version_max_)));
    }
    require_success(wolfSSL_CTX_SetMinVersion(context, wolfssl_version(version_min_)),
                    fmt::format("set the lowest TLS version to {}", to_string(version_min_)));
    require_success(wolfSSL_CTX_set_max_proto_version(context, protocol_version(version_max_)),
                    fmt::format("set the highest TLS version to {}", to_string(version_max_)));

    std::string list = ciphers;
    if (list.empty()) {
        list = modern_ciphers;
        if (is_legacy)
            list += legacy_ciphers;
    }
    require_success(wolfSSL_CTX_set_cipher_list(context, list.c_str()),
                    fmt::format("set the cipher suites {}", list));
    // X25519 costs Debian's build half of what P-256 does.
    std::array<int, 3> groups = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1};
    for (const int group : groups) {
        require_success(wolfSSL_CTX_UseSupportedCurve(context, static_cast<word16>(group)),
                        fmt::format("offer the group {}", group));
    }
    require_success(wolfSSL_CTX_set_groups(context, groups.data(), static_cast<int>(groups.size())),
                    "set the order of groups");
    // Not for nothing: wolfSSL takes some 60 ms to convince itself that the group is one.
    const bool has_dhe = list.starts_with("DHE-") || list.find(":DHE-") != std::string::npos;
    if (role_ == TlsRole::server && has_dhe) {
        use_ffdhe2048(context);
    }

    (void)wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
}

void TlsContext::turn_tickets_off() {
    require_success(wolfSSL_CTX_NoTicketTLSv12(context_.get()), "turn TLS 1.2 tickets off");
    // wolfSSL 5.7 refuses where TLS 1.3 cannot be negotiated anyway.
    const bool has_tls_1_3 = version_max_ >= TlsVersion::tls_1_3;
    if (has_tls_1_3 && wolfSSL_CTX_no_ticket_TLSv13(context_.get()) != 0) {
        throw rig::RigError("turn TLS 1.3 tickets off: wolfSSL refused");
    }
}

void TlsContext::name_client_cas(const std::string& ca_file) {
    auto* const names = wolfSSL_load_client_CA_file(ca_file.c_str());
    if (names == nullptr) {
        throw rig::RigError(fmt::format("read the CAs to name from {}: it holds none", ca_file));
    }
    wolfSSL_CTX_set_client_CA_list(context_.get(), names);  // which owns them from now on
}

void TlsContext::load_identity(const std::string& certificate_file, const std::string& key_file,
                               KeyCheck check) {
    const std::string chain = read_file(certificate_file, "certificate file");
    if (pem_certificates(chain).empty()) {
        throw rig::RigError(not_pem("certificate file", certificate_file,
                                    "; a DER file is converted by: openssl x509 -inform der"));
    }
    const std::string key_text = read_file(key_file, "key file");
    // The file may hold EC PARAMETERS or certificates before the key.
    const std::size_t label = key_text.find("PRIVATE KEY-----");
    const std::size_t begin = key_text.rfind("-----BEGIN", label);
    const std::string key = begin == std::string::npos ? "" : key_text.substr(begin);
    if (label == std::string::npos || key.empty()) {
        throw rig::RigError(fmt::format("read key file {}: it holds no PEM private key", key_file));
    }
    if (key.find("ENCRYPTED") != std::string::npos) {
        throw rig::RigError(fmt::format(
            "read key file {}: the key is encrypted; take the passphrase off with: openssl pkey",
            key_file));
    }
    key_kind_ = key_kind_of(pem_certificates(chain).front());
    WOLFSSL_CTX* const context = context_.get();
    const int loaded = wolfSSL_CTX_use_certificate_chain_buffer(context, bytes_of(chain),
                                                                static_cast<long>(chain.size()));
    if (loaded != WOLFSSL_SUCCESS) {
        throw rig::RigError(
            fmt::format("load certificate file {}: {}", certificate_file, reason(loaded)));
    }
    const int key_loaded = wolfSSL_CTX_use_PrivateKey_buffer(
        context, bytes_of(key), static_cast<long>(key.size()), WOLFSSL_FILETYPE_PEM);
    const bool matches =
        key_loaded == WOLFSSL_SUCCESS &&
        (check == KeyCheck::any ? true
         : key_kind_ == "ECDSA" ? is_ec_key_of(key, pem_certificates(chain).front())
                                : wolfSSL_CTX_check_private_key(context) == WOLFSSL_SUCCESS);
    if (!matches) {
        throw rig::RigError(fmt::format(
            "load key file {}: the key cannot be used with the first certificate of {} ({}); the "
            "server's own certificate must come first and belong to this key",
            key_file, certificate_file,
            key_loaded == WOLFSSL_SUCCESS ? "they do not match" : reason(key_loaded)));
    }
}

// wolfSSL also trusts, as a peer, every certificate of a file that is given to
// load_verify_locations, expired or not. So the file is read here and only its CAs are handed over.
void TlsContext::load_trust(const std::string& ca_file, const std::string& what) {
    const std::string text = read_file(ca_file, what);
    const auto blocks = pem_certificates(text);
    if (blocks.empty())
        throw rig::RigError(not_pem(what, ca_file, ""));

    const bool is_system = ca_file == system_ca_file;
    std::size_t loaded = 0;
    for (const std::string_view block : blocks) {
        const X509 x509(wolfSSL_X509_load_certificate_buffer(
            bytes_of(block), static_cast<int>(block.size()), WOLFSSL_FILETYPE_PEM));
        int der_size = 0;
        const unsigned char* der = x509 ? wolfSSL_X509_get_der(x509.get(), &der_size) : nullptr;
        const bool is_ca = der != nullptr && wolfSSL_X509_get_isCA(x509.get()) == 1;
        if (!is_ca) {
            if (is_system)
                continue;
            throw rig::RigError(
                der == nullptr
                    ? fmt::format("load {} {}: certificate {} cannot be read", what, ca_file,
                                  loaded + 1)
                    : fmt::format("load {} {}: {} is the certificate of no CA; leave only CA "
                                  "certificates in it, or pin the key",
                                  what, ca_file, subject_of(x509.get())));
        }
        // A CA out of date is loaded all the same: the chain that it signed is then refused.
        const int result =
            wolfSSL_CTX_load_verify_buffer_ex(context_.get(), der, der_size, WOLFSSL_FILETYPE_ASN1,
                                              0, WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY);
        if (result != WOLFSSL_SUCCESS && !is_system) {
            throw rig::RigError(fmt::format("load {} {}: {}: {}", what, ca_file,
                                            subject_of(x509.get()), reason(result)));
        }
        if (result == WOLFSSL_SUCCESS)
            ++loaded;
    }
    if (loaded == 0)
        throw rig::RigError(fmt::format("load {} {}: it holds no CA", what, ca_file));
}

}  // namespace harness
