// Certificates made for one test run, and a TLS peer on OpenSSL, a library the board does not use.
// An Identity is a key and its certificate as PEM; nothing touches the file system.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "testing/peer.hpp"

namespace testing_peer {

template <auto Release>
struct Releaser {
    template <typename T>
    void operator()(T* handle) const {
        Release(handle);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Releaser<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Releaser<SSL_free>>;
using Resumable = std::unique_ptr<SSL_SESSION, Releaser<SSL_SESSION_free>>;
using Memory = std::unique_ptr<BIO, Releaser<BIO_free_all>>;

struct Identity {
    Key key;
    Certificate certificate;

    [[nodiscard]] std::string certificate_pem() const {
        const Memory memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(memory.get(), certificate.get());
        return text_of(memory);
    }
    [[nodiscard]] std::string key_pem() const {
        const Memory memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        return text_of(memory);
    }

  private:
    static std::string text_of(const Memory& memory) {
        char* text = nullptr;
        const long size = BIO_get_mem_data(memory.get(), &text);
        return {text, static_cast<std::size_t>(size)};
    }
};

/// A P-256 identity. Without an issuer it is a self-signed CA. Days count from now.
inline Identity make_identity(const std::string& name, const Identity* issuer, int first_day = -1,
                              int last_day = 30) {
    Identity made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
    X509* certificate = made.certificate.get();
    static long serial = 0;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), first_day * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(certificate), last_day * 86400L);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME* subject = X509_get_subject_name(certificate);
    const auto* bytes = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, bytes, -1, -1, 0);
    const X509* signer = issuer != nullptr ? issuer->certificate.get() : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    const auto extend = [&](int nid, const std::string& value) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    };
    if (issuer == nullptr) {
        extend(NID_basic_constraints, "critical,CA:TRUE");
    } else {
        extend(NID_subject_alt_name, "DNS:" + name);
    }
    X509_sign(certificate, issuer != nullptr ? issuer->key.get() : made.key.get(), EVP_sha256());
    return made;
}

/// One end of TLS over a peer's descriptor. Handshake, read and write block, as tests like it.
class TlsPeer {
  public:
    enum class Role { client, server };

    TlsPeer(Peer peer, Role role, const Identity* identity, int max_version = TLS1_3_VERSION)
        : peer_(std::move(peer)), context_(SSL_CTX_new(TLS_method())) {
        SSL_CTX_set_max_proto_version(context_.get(), max_version);
        SSL_CTX_set_security_level(context_.get(), 0);
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
        if (identity != nullptr) {
            SSL_CTX_use_certificate(context_.get(), identity->certificate.get());
            SSL_CTX_use_PrivateKey(context_.get(), identity->key.get());
        }
        session_.reset(SSL_new(context_.get()));
        SSL_set_fd(session_.get(), peer_.fd());
        if (role == Role::server) {
            SSL_set_accept_state(session_.get());
        } else {
            SSL_set_connect_state(session_.get());
        }
    }

    [[nodiscard]] bool handshake() { return SSL_do_handshake(session_.get()) == 1; }
    void send_text(const std::string& text) {
        SSL_write(session_.get(), text.data(), static_cast<int>(text.size()));
    }
    [[nodiscard]] std::string read(std::size_t size) {
        std::string text(size, '\0');
        const int got = SSL_read(session_.get(), text.data(), static_cast<int>(size));
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }
    /// Offers a session of an earlier connection; before the handshake.
    void offer(const Resumable& earlier) { SSL_set_session(session_.get(), earlier.get()); }
    [[nodiscard]] Resumable resumable() const {
        return Resumable(SSL_get1_session(session_.get()));
    }
    [[nodiscard]] bool is_resumed() const { return SSL_session_reused(session_.get()) == 1; }
    [[nodiscard]] std::string version() const { return SSL_get_version(session_.get()); }
    [[nodiscard]] std::string server_name() const {
        const char* name = SSL_get_servername(session_.get(), TLSEXT_NAMETYPE_host_name);
        return name != nullptr ? name : "";
    }
    /// Code of the fragment length that the board asked for, 0 if it did not.
    [[nodiscard]] int max_fragment_length() const {
        return SSL_SESSION_get_max_fragment_length(SSL_get_session(session_.get()));
    }
    void close_notify() { SSL_shutdown(session_.get()); }
    /// True when the board said close_notify before it closed.
    [[nodiscard]] bool saw_close_notify() {
        char byte = 0;
        return SSL_read(session_.get(), &byte, 1) <= 0 &&
               (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    void close_now() { peer_.close_now(); }

  private:
    Peer peer_;
    Context context_;
    Session session_;
};

}  // namespace testing_peer
