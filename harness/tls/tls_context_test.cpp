#include "harness/tls/tls_context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/tls/tls_library.hpp"
#include "rig/base/errors.hpp"

namespace harness {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string file(std::string_view name) {
    return std::string(WWEP_TEST_CERTS) + "/" + std::string(name);
}

class TlsContextTest : public testing::Test {
  protected:
    static TlsServerConfig good() {
        TlsServerConfig config;
        config.certificate_file = file("server-ecdsa.pem");
        config.key_file = file("server-ecdsa.key");
        return config;
    }
    // What the context says; "" if it took the configuration.
    template <class Config>
    std::string problem(const Config& config) {
        try {
            const TlsContext context(library_, config);
            return "";
        } catch (const rig::RigError& error) {
            return error.what();
        }
    }

    TlsLibrary library_;
};

TEST_F(TlsContextTest, a_good_identity_is_taken_and_its_kind_is_known) {
    EXPECT_EQ(TlsContext(library_, good()).key_kind(), "ECDSA");
    TlsServerConfig rsa;
    rsa.certificate_file = file("server-rsa.pem");
    rsa.key_file = file("server-rsa.key");
    EXPECT_EQ(TlsContext(library_, rsa).key_kind(), "RSA");
}

TEST_F(TlsContextTest, an_expired_certificate_is_taken) {
    TlsServerConfig config;
    config.certificate_file = file("server-expired.pem");
    config.key_file = file("server-expired.key");
    EXPECT_EQ(problem(config), "");
}

TEST_F(TlsContextTest, a_file_that_is_missing_or_not_named_is_told) {
    TlsServerConfig config = good();
    config.certificate_file = file("nowhere.pem");
    EXPECT_EQ(problem(config),
              "open certificate file " + file("nowhere.pem") + ": No such file or directory");
    config = good();
    config.key_file = "";
    EXPECT_EQ(problem(config), "no key file was named");
    config = good();
    config.certificate_file = WWEP_TEST_CERTS;
    EXPECT_THAT(problem(config), HasSubstr(WWEP_TEST_CERTS));
}

TEST_F(TlsContextTest, a_file_that_is_no_pem_is_told_with_the_remedy) {
    TlsServerConfig config = good();
    config.certificate_file = file("not-pem.pem");
    EXPECT_THAT(problem(config), AllOf(HasSubstr("not-pem.pem"), HasSubstr("no PEM certificate"),
                                       HasSubstr("openssl x509 -inform der")));
    config = good();
    config.key_file = file("server-ecdsa.pem");
    EXPECT_THAT(problem(config), HasSubstr("holds no PEM private key"));
}

TEST_F(TlsContextTest, a_key_of_another_certificate_is_told_with_both_files) {
    for (const std::string_view other : {"client.key", "server-rsa.key"}) {
        TlsServerConfig config = good();
        config.key_file = file(other);
        EXPECT_THAT(problem(config),
                    AllOf(HasSubstr(std::string(other)), HasSubstr("server-ecdsa.pem"),
                          HasSubstr("cannot be used with the first certificate")));
    }
}

TEST_F(TlsContextTest, another_rsa_key_is_told_too_and_a_key_in_pkcs8_is_taken) {
    TlsServerConfig config = good();
    config.key_file = file("server-ecdsa-pkcs8.key");
    EXPECT_EQ(problem(config), "");
    config.certificate_file = file("server-rsa.pem");
    config.key_file = file("other-rsa.key");
    EXPECT_THAT(problem(config), HasSubstr("cannot be used with the first certificate"));
}

TEST_F(TlsContextTest, an_encrypted_key_is_told_with_the_remedy) {
    TlsServerConfig config = good();
    config.key_file = file("encrypted.key");
    EXPECT_THAT(problem(config), AllOf(HasSubstr("is encrypted"), HasSubstr("openssl pkey")));
}

TEST_F(TlsContextTest, client_certificates_cannot_be_asked_for_without_a_ca) {
    for (const ClientAuth asked : {ClientAuth::request, ClientAuth::require}) {
        TlsServerConfig config = good();
        config.client_auth = asked;
        EXPECT_EQ(problem(config), "no client CA file was named");
        config.client_ca_file = file("ca.pem");
        EXPECT_EQ(problem(config), "");
    }
}

TEST_F(TlsContextTest, a_ca_file_with_another_certificate_in_it_is_refused) {
    TlsServerConfig config = good();
    config.client_auth = ClientAuth::require;
    config.client_ca_file = file("ca-and-leaf.pem");
    EXPECT_THAT(problem(config), AllOf(HasSubstr("ca-and-leaf.pem"),
                                       HasSubstr("/CN=board 8 is the certificate of no CA")));
}

TEST_F(TlsContextTest, a_client_verifies_against_the_system_s_cas_unless_told_otherwise) {
    TlsClientConfig config;
    config.ca_file = file("nowhere.pem");
    EXPECT_THAT(problem(config), HasSubstr("open CA file"));
    config.verify_chain = false;
    EXPECT_EQ(problem(config), "") << "a file that is not needed is not read";
    if (::access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0) {
        EXPECT_EQ(problem(TlsClientConfig()), "");
    }
}

TEST_F(TlsContextTest, versions_that_do_not_go_together_are_told) {
    TlsServerConfig config = good();
    config.version_min = TlsVersion::tls_1_1;
    EXPECT_THAT(problem(config), HasSubstr("ask for the profile legacy"));
    config.profile = TlsProfile::legacy;
    EXPECT_EQ(problem(config), "");
    config.version_min = TlsVersion::tls_1_3;
    config.version_max = TlsVersion::tls_1_2;
    EXPECT_EQ(problem(config), "the lowest TLS version TLSv1.3 is above the highest, TLSv1.2");
}

TEST_F(TlsContextTest, cipher_suites_that_do_not_exist_are_told) {
    TlsServerConfig config = good();
    config.ciphers = "NO-SUCH-SUITE";
    EXPECT_THAT(problem(config), HasSubstr("set the cipher suites NO-SUCH-SUITE"));
}

}  // namespace
}  // namespace harness
