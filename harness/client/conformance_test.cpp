#include "harness/client/conformance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "harness/server/server_fixture.hpp"

namespace harness {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string cert(std::string_view name) {
    return std::string(WWEP_TEST_CERTS) + "/" + std::string(name) + ".pem";
}

std::string key(std::string_view name) {
    return std::string(WWEP_TEST_CERTS) + "/" + std::string(name) + ".key";
}

class ConformanceTest : public ServerTest {
  protected:
    ConformSubject subject() {
        const auto colon = endpoint_.rfind(':');
        ConformSubject subject;
        subject.target.host = endpoint_.substr(0, colon);
        subject.target.port = static_cast<std::uint16_t>(std::stoi(endpoint_.substr(colon + 1)));
        subject.patience = 10s;
        return subject;
    }

    Conformance probed(const ConformSubject& subject) {
        Conformance suite(tls_library_, clock_, subject);
        suite.probe();
        return suite;
    }
};

TEST_F(ConformanceTest, EveryCaseHasANameOfItsOwnASentenceAndARule) {
    std::set<std::string_view> names;
    for (const ConformCase& each : Conformance::cases()) {
        EXPECT_TRUE(names.insert(each.name).second) << each.name;
        EXPECT_THAT(each.sentence, Not(IsEmpty())) << each.name;
        EXPECT_THAT(each.rule, Not(IsEmpty())) << each.name;
    }
}

TEST_F(ConformanceTest, ServerThatClosesAfterEachTransactionIsFoundOutAndPasses) {
    start();
    Conformance suite = probed(subject());
    EXPECT_EQ(suite.traits().transactions, Transactions::one);
    EXPECT_EQ(suite.traits().admission, Admission::many);

    for (const ConformCase& each : Conformance::cases()) {
        const ConformResult result = suite.run(each.name);
        EXPECT_TRUE(result.outcome == Outcome::pass || result.outcome == Outcome::skipped)
            << each.name << ": " << to_string(result.outcome) << ": " << result.reason;
    }
}

TEST_F(ConformanceTest, ServerThatKeepsConnectionsOpenIsFoundOutAndOnlyThatIsNoted) {
    ServerOptions options = plain_options();
    options.limits.mode = ConversationMode::keep_open;
    start(options);
    Conformance suite = probed(subject());
    EXPECT_EQ(suite.traits().transactions, Transactions::many);

    EXPECT_EQ(suite.run("connection.closes").outcome, Outcome::note);
    EXPECT_EQ(suite.run("connection.reused").outcome, Outcome::pass);
    EXPECT_EQ(suite.run("connection.pipelined").outcome, Outcome::pass);
    EXPECT_EQ(suite.run("connection.one-reply").outcome, Outcome::skipped);
}

TEST_F(ConformanceTest, ResultShowsTheBytesThatWentToAndFro) {
    start();
    Conformance suite = probed(subject());

    const ConformResult result = suite.run("table.write-is-echoed");

    EXPECT_EQ(result.outcome, Outcome::pass);
    EXPECT_EQ(result.exchanges, 1);
    std::vector<std::pair<ConformStep::Kind, std::string>> seen;
    for (const ConformStep& step : result.steps)
        seen.emplace_back(step.kind, step.bytes);
    using Kind = ConformStep::Kind;
    ASSERT_GE(seen.size(), 3U);
    EXPECT_EQ(seen[0], std::pair(Kind::connected, std::string()));
    EXPECT_EQ(seen[1], std::pair(Kind::sent, std::string("W0FAC0B1234")));
    EXPECT_EQ(seen[2].first, Kind::received);
}

TEST_F(ConformanceTest, UnknownCaseIsRefused) {
    start();
    Conformance suite = probed(subject());

    EXPECT_THROW((void)suite.run("table.nothing"), std::invalid_argument);
}

TEST_F(ConformanceTest, NobodyAtTheAddressIsNoConnection) {
    start();
    const ConformSubject gone = subject();
    in_loop([this] { server_.reset(); });
    Conformance suite(tls_library_, clock_, gone);

    EXPECT_THROW(suite.probe(), NoConnection);
}

TEST_F(ConformanceTest, AfterTheServerIsGoneOneCaseFailsAndTheRestIsSkipped) {
    start();
    Conformance suite = probed(subject());
    in_loop([this] { server_.reset(); });

    const ConformResult first = suite.run("table.write-is-echoed");
    const ConformResult second = suite.run("registers.all-256");

    EXPECT_EQ(first.outcome, Outcome::fail);
    EXPECT_THAT(first.reason, HasSubstr("Connection refused"));
    EXPECT_EQ(second.outcome, Outcome::skipped);
    EXPECT_THAT(second.reason, HasSubstr("since table.write-is-echoed"));
}

TEST_F(ConformanceTest, WaitIsInterruptedWhenTheOwnerAsks) {
    start();
    ConformSubject asked = subject();
    asked.idle_timeout = 60s;
    bool is_enough = false;
    asked.is_interrupted = [&] { return is_enough; };
    Conformance suite = probed(asked);

    is_enough = true;

    EXPECT_THROW((void)suite.run("connection.idle"), ConformInterrupted);
}

TEST_F(ConformanceTest, OnlyTheCertificatesCaseFailsWhenItsRootIsUnknown) {
    ServerOptions options;
    options.tls_port = 0;
    options.tls.certificate_file = cert("server-ecdsa");
    options.tls.key_file = key("server-ecdsa");
    start(options);
    endpoint_ = server_->tls_endpoints().front();
    ConformSubject distrusting = subject();
    distrusting.target.tls = TlsClientConfig{.ca_file = cert("other-ca"), .name = "rig.test"};
    Conformance suite = probed(distrusting);
    EXPECT_THAT(suite.traits().tls_version, Not(IsEmpty()));

    EXPECT_EQ(suite.run("tls.certificate").outcome, Outcome::fail);
    EXPECT_EQ(suite.run("tls.name").outcome, Outcome::pass);
    EXPECT_EQ(suite.run("tls.version-1.2").outcome, Outcome::pass);
    EXPECT_EQ(suite.run("table.read-after-write").outcome, Outcome::pass);
}

}  // namespace
}  // namespace harness
