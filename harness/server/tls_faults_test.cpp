// What a client over TLS meets when the server misbehaves: alerts, closes, resets, records, on real
// sockets, seen by the rig's own client and by openssl.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "harness/client/client.hpp"
#include "harness/server/server_fixture.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using namespace harness;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* request = "W0FAC0B1234";
constexpr const char* accepted = "A0FAC0B1234";

std::string made(std::string_view file) {
    return std::string(WWEP_TEST_CERTS) + "/" + std::string(file);
}

TlsClientConfig trusting(std::optional<TlsVersion> only = {}) {
    TlsClientConfig config;
    config.ca_file = made("ca.pem");
    config.name = config.server_name = "rig.test";
    config.version_min = config.version_max = only;
    return config;
}

TlsClientConfig anyone(std::optional<TlsVersion> only = {}) {
    TlsClientConfig config;
    config.verify_chain = false;
    config.version_min = config.version_max = only;
    return config;
}

class TlsFaultsTest : public ServerTest {
  protected:
    /// A folder with the names of a set of test certificates.
    static std::string certificates() {
        static const std::string folder = [] {
            const std::string path =
                ::testing::TempDir() + "tls_faults_" + std::to_string(::getpid());
            std::filesystem::create_directory(path);
            const std::vector<std::pair<std::string, std::string>> names{
                {"expired", "server-expired"},
                {"not-yet-valid", "server-not-yet"},
                {"unknown-issuer", "server-other-ca"},
                {"server-rsa", "server-rsa"},
                {"missing-intermediate", "server-chained"}};
            for (const auto& [name, file] : names) {
                for (const std::string suffix : {".pem", ".key"}) {
                    std::filesystem::copy_file(made(file + suffix), path + "/" + name + suffix);
                }
            }
            std::filesystem::copy_file(made("other-rsa.key"), path + "/key-mismatch.key");
            std::filesystem::copy_file(made("server-rsa.pem"), path + "/key-mismatch.pem");
            std::filesystem::copy_file(made("other-ca.pem"), path + "/unknown-ca.pem");
            std::filesystem::copy_file(made("ca.pem"), path + "/root-ca.pem");
            return path;
        }();
        return folder;
    }

    static void TearDownTestSuite() { std::filesystem::remove_all(certificates()); }

    void SetUp() override {
        ServerOptions options;
        options.plain_port = options.tls_port = 0;
        options.tls.certificate_file = made("server-ecdsa.pem");
        options.tls.key_file = made("server-ecdsa.key");
        options.certificates = certificates();
        start(std::move(options));
    }

    Faults::Id arm(std::string_view name,
                   const std::vector<std::pair<std::string, std::string>>& words = {}) {
        return in_loop([&, spec = make_fault(name, words)] { return server_->add_fault(spec); });
    }

    [[nodiscard]] rig::Deadline soon() const { return rig::Deadline::after(clock_, patience); }

    [[nodiscard]] std::unique_ptr<Client> connect(const TlsClientConfig& config = trusting()) {
        return connect_to(server_->tls_endpoints().front(), config);
    }
    [[nodiscard]] std::unique_ptr<Client> connect_to(const std::string& endpoint,
                                                     const TlsClientConfig& config) {
        const auto colon = endpoint.rfind(':');
        return std::make_unique<Client>(
            tls_library_, clock_,
            ClientTarget{.host = endpoint.substr(0, colon),
                         .port = static_cast<std::uint16_t>(std::stoi(endpoint.substr(colon + 1))),
                         .tls = config},
            soon());
    }

    /// All that one request brings and how it ends, or why there was no connection.
    [[nodiscard]] std::string heard(const TlsClientConfig& config = trusting()) {
        try {
            const auto client = connect(config);
            client->send(request, soon());
            const Received received = client->receive_until_end(soon());
            switch (received.end) {
                case PeerEnd::closed:
                    return received.bytes + "(closed)";
                case PeerEnd::truncated:
                    return received.bytes + "(truncated)";
                case PeerEnd::reset:
                    return received.bytes + "(reset)";
                default:
                    return received.bytes + "(" + received.end_reason + ")";
            }
        } catch (const NoConnection& error) {
            return error.what();
        }
    }

    /// What openssl says that connects, asks, and waits until the server closes.
    [[nodiscard]] std::string openssl(const std::string& arguments) {
        const std::string out = certificates() + "/openssl.txt";
        const std::string command =
            fmt::format("printf {} | timeout 20 openssl s_client -ign_eof -connect {} {} > {} 2>&1",
                        request, server_->tls_endpoints().front(), arguments, out);
        static_cast<void>(std::system(command.c_str()));  // what it says tells more
        std::ifstream file(out);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    std::vector<std::string> fired() const {
        std::vector<std::string> names;
        for (const auto& event : all<FaultFired>()) {
            names.push_back(event.name);
        }
        return names;
    }
};

// Identities
// ---------------------------------------------------------------------------------------

TEST_F(TlsFaultsTest, another_identity_is_shown_to_the_connection_that_was_chosen) {
    arm("tls_identity", {{"name", "expired"}, {"nth", "2"}});
    EXPECT_EQ(heard(), std::string(accepted) + "(closed)");
    EXPECT_THAT(heard(), HasSubstr("expired"));
    EXPECT_EQ(heard(), std::string(accepted) + "(closed)");
    EXPECT_EQ(fired(), std::vector<std::string>{"tls_identity name=expired"});
    EXPECT_EQ(wait_for<FaultFired>().connection_id, 2);
}

TEST_F(TlsFaultsTest, a_bad_identity_is_accepted_by_a_client_that_does_not_look) {
    for (const std::string name : {"expired", "not-yet-valid", "unknown-issuer"}) {
        const auto id = arm("tls_identity", {{"name", name}});
        EXPECT_EQ(heard(anyone()), std::string(accepted) + "(closed)") << name;
        EXPECT_THAT(heard(), Not(HasSubstr(accepted))) << name;
        in_loop([&] { server_->remove_fault(id); });
    }
}

TEST_F(TlsFaultsTest, a_key_of_another_certificate_is_presented_all_the_same) {
    arm("tls_identity", {{"name", "key-mismatch"}});
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        EXPECT_THAT(heard(anyone(version)), Not(HasSubstr(accepted))) << to_string(version);
    }
    EXPECT_EQ(fired().size(), 2U);
}

TEST_F(TlsFaultsTest, an_intermediate_that_is_the_anchor_makes_a_good_chain) {
    arm("tls_identity", {{"name", "missing-intermediate"}});
    TlsClientConfig config = trusting();
    config.ca_file = made("intermediate.pem");
    EXPECT_EQ(heard(config), std::string(accepted) + "(closed)");
}

// Versions and suites
// ------------------------------------------------------------------------------

TEST_F(TlsFaultsTest, a_server_of_one_version_has_none_in_common_with_others) {
    arm("tls_only_version", {{"version", "TLSv1.3"}});
    EXPECT_THAT(heard(trusting(TlsVersion::tls_1_2)), Not(HasSubstr(accepted)));
    EXPECT_EQ(heard(trusting(TlsVersion::tls_1_3)), std::string(accepted) + "(closed)");
}

TEST_F(TlsFaultsTest, a_server_of_one_suite_has_none_in_common_with_others) {
    arm("tls_only_cipher", {{"cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"}});
    TlsClientConfig config = trusting(TlsVersion::tls_1_2);
    config.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
    EXPECT_THAT(heard(config), Not(HasSubstr(accepted)));
}

TEST_F(TlsFaultsTest, a_version_or_suite_that_was_not_offered_ends_the_handshake) {
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        for (const std::string_view name : {"tls_wrong_version", "tls_wrong_cipher"}) {
            const auto id = arm(name);
            EXPECT_THAT(heard(trusting(version)), Not(HasSubstr(accepted)))
                << name << " " << to_string(version);
            EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 1) << name;
        }
    }
    const auto id = arm("tls_wrong_cipher");
    EXPECT_THAT(openssl("-tls1_2"), HasSubstr("cipher returned"));
    in_loop([&] { server_->remove_fault(id); });
    arm("tls_wrong_version");
    EXPECT_THAT(openssl("-tls1_2"), HasSubstr("version"));
}

// Messages
// -----------------------------------------------------------------------------------------

struct Place {
    TlsVersion version;
    std::string_view at;
};

void PrintTo(const Place& place, std::ostream* out) {
    *out << to_string(place.version) << " " << place.at;
}

class TlsPlaceTest : public TlsFaultsTest, public ::testing::WithParamInterface<Place> {};

TEST_P(TlsPlaceTest, alert_close_reset_and_stall_happen_at_the_message) {
    const std::string at(GetParam().at);
    const auto config = trusting(GetParam().version);
    auto id = arm("tls_alert", {{"at", at}, {"alert", "86"}});
    EXPECT_THAT(heard(config), HasSubstr("inappropriate_fallback")) << "the alert must be readable";
    EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 1);

    id = arm("tls_close", {{"at", at}});
    EXPECT_THAT(heard(config), Not(HasSubstr("(closed)")));
    EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 1);

    id = arm("tls_reset", {{"at", at}});
    EXPECT_THAT(heard(config), HasSubstr("reset"));
    EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 1);

    id = arm("tls_stall", {{"at", at}, {"for", "150ms"}});
    const auto began = clock_.monotonic_ns();
    EXPECT_THAT(heard(config), Not(HasSubstr("(closed)")));
    EXPECT_GE(clock_.monotonic_ns() - began, 150 * rig::ns_per_ms);
    EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 1);
}

INSTANTIATE_TEST_SUITE_P(Messages, TlsPlaceTest,
                         ::testing::Values(Place{TlsVersion::tls_1_2, "server_hello"},
                                           Place{TlsVersion::tls_1_2, "certificate"},
                                           Place{TlsVersion::tls_1_2, "server_key_exchange"},
                                           Place{TlsVersion::tls_1_2, "server_hello_done"},
                                           Place{TlsVersion::tls_1_2, "change_cipher_spec"},
                                           Place{TlsVersion::tls_1_2, "finished"},
                                           Place{TlsVersion::tls_1_2, "reply"},
                                           Place{TlsVersion::tls_1_3, "server_hello"},
                                           Place{TlsVersion::tls_1_3, "encrypted_extensions"},
                                           Place{TlsVersion::tls_1_3, "certificate"},
                                           Place{TlsVersion::tls_1_3, "certificate_verify"},
                                           Place{TlsVersion::tls_1_3, "finished"},
                                           Place{TlsVersion::tls_1_3, "reply"}));

TEST_F(TlsFaultsTest, a_message_that_never_comes_meets_no_fault) {
    const auto id = arm("tls_close", {{"at", "hello_retry_request"}});
    EXPECT_EQ(heard(), std::string(accepted) + "(closed)");
    EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 0);
}

TEST_F(TlsFaultsTest, a_stalled_handshake_is_on_record_with_its_reason) {
    arm("tls_stall", {{"at", "certificate"}, {"for", "50ms"}});
    EXPECT_THAT(heard(trusting(TlsVersion::tls_1_2)), Not(HasSubstr(accepted)));
    EXPECT_THAT(wait_for<HandshakeEnded>().failure, HasSubstr("tls_stall at=certificate"));
    EXPECT_THAT(wait_for<ConnectionClosed>().end_reason, HasSubstr("on purpose"));
}

// Client certificates
// ------------------------------------------------------------------------------

TEST_F(TlsFaultsTest, a_request_without_a_usable_ca_lets_clients_in_that_have_none) {
    arm("tls_unusable_request");
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        EXPECT_EQ(heard(trusting(version)), std::string(accepted) + "(closed)");
    }
    EXPECT_THAT(openssl("-tls1_2"), AllOf(HasSubstr("Acceptable client certificate CA names"),
                                          HasSubstr("Another CA")));
}

TEST_F(TlsFaultsTest, a_client_is_refused_with_its_certificate_and_without) {
    arm("tls_refuse_client");
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        TlsClientConfig config = trusting(version);
        EXPECT_THAT(heard(config), Not(HasSubstr(accepted)));
        config.certificate_file = made("client.pem");
        config.key_file = made("client.key");
        EXPECT_THAT(heard(config), Not(HasSubstr(accepted)));
    }
    EXPECT_EQ(fired().size(), 4U);
}

// Records
// ------------------------------------------------------------------------------------------

TEST_F(TlsFaultsTest, a_close_without_close_notify_is_a_truncation) {
    arm("tls_no_close_notify");
    EXPECT_EQ(heard(), std::string(accepted) + "(truncated)");
    EXPECT_EQ(fired(), std::vector<std::string>{"tls_no_close_notify"});
}

TEST_F(TlsFaultsTest, a_reply_in_tiny_records_is_still_a_reply) {
    arm("tls_tiny_records");
    EXPECT_THAT(openssl("-tls1_2 -quiet"), HasSubstr(accepted));
    EXPECT_THAT(openssl("-tls1_3 -quiet"), HasSubstr(accepted));
    const std::string said = openssl("-tls1_2 -msg");
    std::size_t records = 0;
    for (auto at = said.find("<<< TLS 1.2, RecordHeader"); at != std::string::npos;
         at = said.find("<<< TLS 1.2, RecordHeader", at + 1)) {
        ++records;
    }
    EXPECT_GT(records, 300U) << "the certificate alone has more bytes";
}

TEST_F(TlsFaultsTest, an_oversized_record_is_no_reply) {
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        const auto id = arm("tls_oversized_record");
        EXPECT_THAT(heard(trusting(version)), Not(HasSubstr(accepted)));
        EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 1);
    }
    arm("tls_oversized_record", {{"at", "certificate"}});
    EXPECT_THAT(openssl("-tls1_2"), HasSubstr("packet length too long"));
}

TEST_F(TlsFaultsTest, a_ticket_is_given_and_refused) {
    arm("tls_refuse_ticket");
    const std::string session = certificates() + "/session.pem";
    for (const std::string version : {"-tls1_3", "-tls1_2"}) {
        EXPECT_THAT(openssl(version + " -sess_out " + session), HasSubstr("New, TLSv1"));
        const std::size_t before = fired().size();
        EXPECT_THAT(openssl(version + " -sess_in " + session),
                    AllOf(HasSubstr("New, TLSv1"), HasSubstr(accepted), Not(HasSubstr("Reused"))))
            << version;
        EXPECT_EQ(fired().size(), before + 1) << version;
    }
}

TEST_F(TlsFaultsTest, a_key_update_is_answered_by_a_client_that_knows_it) {
    arm("tls_key_update");
    EXPECT_EQ(heard(trusting(TlsVersion::tls_1_3)), std::string(accepted) + "(closed)");
    EXPECT_THAT(openssl("-tls1_3 -msg"), AllOf(HasSubstr("KeyUpdate"), HasSubstr(accepted)));
    EXPECT_EQ(fired().size(), 2U);
    EXPECT_EQ(heard(trusting(TlsVersion::tls_1_2)), std::string(accepted) + "(closed)");
    EXPECT_EQ(fired().size(), 2U) << "TLS 1.2 has none";
}

TEST_F(TlsFaultsTest, a_request_to_renegotiate_reaches_the_client) {
    arm("tls_renegotiate");
    EXPECT_THAT(openssl("-tls1_2 -msg"), HasSubstr("HelloRequest"));
    EXPECT_EQ(fired(), std::vector<std::string>{"tls_renegotiate"});
    EXPECT_EQ(heard(trusting(TlsVersion::tls_1_3)), std::string(accepted) + "(closed)");
    EXPECT_EQ(fired().size(), 1U) << "TLS 1.3 has none";
}

// Ports
// --------------------------------------------------------------------------------------------

TEST_F(TlsFaultsTest, the_secure_port_in_the_clear_answers_a_hello_with_an_x) {
    arm("plain_on_secure");
    EXPECT_THAT(heard(), HasSubstr("not TLS"));
    const Peer peer(server_->tls_endpoints().front());
    peer.say(request);
    EXPECT_EQ(peer.hear_until_end(), accepted);
    EXPECT_TRUE(wait_for<ConnectionOpened>().secure) << "by its port";
}

TEST_F(TlsFaultsTest, the_port_in_the_clear_over_tls_serves_who_speaks_it) {
    arm("tls_on_clear");
    const Peer peer(endpoint_);
    peer.say(request);
    EXPECT_THAT(peer.hear_until_end(), Not(HasSubstr(accepted)));
    EXPECT_EQ(connect_to(endpoint_, trusting())->transact(request, soon()).bytes, accepted);
    EXPECT_EQ(fired().size(), 2U);
}

TEST_F(TlsFaultsTest, faults_of_replies_work_over_tls_too) {
    arm("bytewise", {{"gap", "1ms"}, {"port", "secure"}, {"nth", "1"}});
    arm("close_in_reply", {{"port", "secure"}, {"nth", "2"}});
    arm("reset", {{"bytes", "300"}, {"of", "sent"}, {"port", "secure"}, {"nth", "3"}});
    EXPECT_EQ(heard(), std::string(accepted) + "(closed)");
    EXPECT_EQ(heard(), "A0FAC(closed)");
    EXPECT_THAT(heard(), HasSubstr("reset"));
    EXPECT_EQ(heard(), std::string(accepted) + "(closed)");
}

TEST_F(ServerTest, faults_of_tls_need_a_server_that_speaks_it) {
    start();
    for (const FaultInfo& info : fault_table()) {
        if (info.port != FaultPort::secure) {
            continue;
        }
        FaultSpec spec{.kind = info.kind};
        for (const FaultParameter& parameter : info.parameters) {
            if (parameter.is_required()) {
                spec.text = std::string(parameter.words.substr(0, parameter.words.find('|')));
            }
        }
        const bool is_refused = in_loop([&] {
            try {
                server_->add_fault(spec);
                return false;
            } catch (const rig::NoBench&) {
                return true;
            }
        });
        EXPECT_TRUE(is_refused) << info.name;
    }
}

}  // namespace
