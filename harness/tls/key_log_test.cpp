#include "harness/tls/key_log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "harness/tls/tls_library.hpp"
#include "harness/tls/tls_session.hpp"
#include "rig/base/errors.hpp"

namespace harness {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class KeyLogTest : public testing::Test {
  protected:
    KeyLogTest() {
        std::string name = testing::TempDir() + "keys-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        path_ = folder_ / "run.keys";
    }
    ~KeyLogTest() override { std::filesystem::remove_all(folder_); }

    std::vector<std::string> lines() const {
        std::ifstream file(path_);
        std::vector<std::string> result;
        for (std::string line; std::getline(file, line);)
            result.push_back(line);
        return result;
    }

    // Why a key log is not made there.
    std::string refusal() const {
        try {
            const KeyLog log(path_);
        } catch (const rig::RigError& error) {
            return error.what();
        }
        return "(taken)";
    }

    // A handshake with a server that logs its keys; whether it succeeded.
    bool shake_hands(TlsVersion version) const {
        const std::string certs = WWEP_TEST_CERTS;
        const TlsContext server_context(
            library_, TlsServerConfig{.certificate_file = certs + "/server-ecdsa.pem",
                                      .key_file = certs + "/server-ecdsa.key",
                                      .client_ca_file = {},
                                      .version_max = version,
                                      .ciphers = {},
                                      .key_log_file = path_});
        TlsClientConfig trusting;
        trusting.verify_chain = false;
        const TlsContext client_context(library_, trusting);
        TlsSession server(server_context);
        TlsSession client(client_context);
        const auto carry = [](TlsSession& from, TlsSession& to) {
            const std::size_t taken = to.receive(from.to_send());
            from.sent(taken);
            return taken > 0;
        };
        while (carry(client, server) || carry(server, client)) {
        }
        return server.state() == TlsSession::State::open;
    }

    TlsLibrary library_;
    std::filesystem::path folder_;
    std::filesystem::path path_;
};

TEST_F(KeyLogTest, a_tls_1_2_session_leaves_its_master_secret) {
    ASSERT_TRUE(shake_hands(TlsVersion::tls_1_2));

    EXPECT_THAT(lines(),
                testing::ElementsAre(MatchesRegex("CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}")));
    EXPECT_THAT(lines().at(0), testing::Not(HasSubstr(std::string(64, '0'))));
}

TEST_F(KeyLogTest, a_tls_1_3_session_leaves_its_five_secrets_under_one_client_random) {
    ASSERT_TRUE(shake_hands(TlsVersion::tls_1_3));

    std::vector<std::string> labels;
    std::string client_random;
    for (const std::string& line : lines()) {
        EXPECT_THAT(line, MatchesRegex("[A-Z_0]+ [0-9a-f]{64} [0-9a-f]{64,96}"));
        const auto space = line.find(' ');
        labels.push_back(line.substr(0, space));
        const std::string random = line.substr(space + 1, 64);
        EXPECT_TRUE(client_random.empty() || client_random == random);
        client_random = random;
    }
    EXPECT_THAT(labels,
                testing::UnorderedElementsAre(
                    "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                    "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"));
    EXPECT_NE(client_random, std::string(64, '0'));
}

TEST_F(KeyLogTest, the_file_is_readable_by_its_owner_alone) {
    const mode_t before = ::umask(0);
    const KeyLog log(path_);
    ::umask(before);
    struct stat facts {};
    ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(KeyLogTest, a_file_that_others_can_read_is_refused) {
    std::ofstream(path_) << "";
    ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
    EXPECT_THAT(refusal(), HasSubstr(path_.string() + ": others could read the keys"));
}

TEST_F(KeyLogTest, keys_are_added_to_what_a_file_of_ones_own_holds) {
    const std::array<std::uint8_t, 1> random{0x01};
    const std::array<std::uint8_t, 1> secret{0xfe};
    for (const char* label : {"FIRST", "SECOND"}) {
        EXPECT_TRUE(KeyLog(path_).add(label, random, secret));
    }
    EXPECT_THAT(lines(), testing::ElementsAre("FIRST 01 fe", "SECOND 01 fe"));
}

TEST_F(KeyLogTest, a_link_is_not_followed) {
    const auto elsewhere = folder_ / "elsewhere";
    std::filesystem::create_symlink(elsewhere, path_);
    EXPECT_THAT(refusal(), HasSubstr("make key log " + path_.string()));
    EXPECT_FALSE(std::filesystem::exists(elsewhere));
}

TEST_F(KeyLogTest, a_pipe_is_refused_whether_or_not_somebody_reads_it) {
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    EXPECT_THAT(refusal(), HasSubstr("make key log " + path_.string()));
    const rig::UniqueFd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(reader);
    EXPECT_THAT(refusal(), HasSubstr("others could read the keys"));
}

}  // namespace
}  // namespace harness
