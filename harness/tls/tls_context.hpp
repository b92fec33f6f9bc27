// TlsContext is what all connections of one server, or of one client, have in common: identity,
// trust, versions, suites. It owns a WOLFSSL_CTX. The constructor configures it completely; from
// then on it is only read, and sessions on any thread may share it. It must outlive its sessions.
// To change a certificate, make a new context: sessions keep the one that they were made with.
// No resumption: no session cache and no tickets, because a resumed session has lost its
// client's identity, and because every handshake of a bench should show the whole of itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "harness/tls/tls_config.hpp"

struct WOLFSSL_CTX;

namespace harness {

class KeyLog;
class TlsLibrary;

enum class TlsRole : std::uint8_t { server, client };

class TlsContext {
  public:
    /// Both throw rig::RigError naming the file and the remedy: a file that cannot be read, is not
    /// PEM, holds no CA, a key that does not belong to the certificate, a version that the profile
    /// does not have. An expired certificate is no error: serving one is part of the rig's work.
    TlsContext(const TlsLibrary& library, const TlsServerConfig& config);
    TlsContext(const TlsLibrary& library, const TlsClientConfig& config);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    [[nodiscard]] TlsRole role() const { return role_; }
    /// What was asked for; versions and suites are filled in. Used by TlsSession.
    [[nodiscard]] TlsVersion version_min() const { return version_min_; }
    [[nodiscard]] TlsVersion version_max() const { return version_max_; }
    [[nodiscard]] TlsProfile profile() const { return profile_; }
    /// "RSA", "ECDSA" or "other": the kind of this side's own key; empty without a certificate.
    [[nodiscard]] const std::string& key_kind() const { return key_kind_; }
    [[nodiscard]] const TlsClientConfig& client_config() const { return client_config_; }
    /// wolfSSL's flags for what is asked of the peer's certificate.
    [[nodiscard]] int verify_mode() const { return verify_mode_; }
    /// Where the sessions' secrets go; nullptr: nowhere.
    [[nodiscard]] const KeyLog* key_log() const { return key_log_.get(); }
    [[nodiscard]] WOLFSSL_CTX* handle() const { return context_.get(); }

  private:
    struct Releaser {
        void operator()(WOLFSSL_CTX* context) const;
    };

    void set_up(const std::optional<TlsVersion>& version_min,
                const std::optional<TlsVersion>& version_max, const std::string& ciphers);
    enum class KeyCheck : std::uint8_t { must_match, any };
    void load_identity(const std::string& certificate_file, const std::string& key_file,
                       KeyCheck check = KeyCheck::must_match);
    void turn_tickets_off();
    void name_client_cas(const std::string& ca_file);
    void load_trust(const std::string& ca_file, const std::string& what);

    TlsRole role_;
    TlsProfile profile_;
    TlsVersion version_min_ = TlsVersion::tls_1_2;
    TlsVersion version_max_ = TlsVersion::tls_1_3;
    int verify_mode_ = 0;
    std::string key_kind_;
    TlsClientConfig client_config_;  // of a client only
    std::unique_ptr<KeyLog> key_log_;
    std::unique_ptr<WOLFSSL_CTX, Releaser> context_;
};

}  // namespace harness
