#include "harness/tls/client_hello.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "harness/tls/tls_library.hpp"
#include "harness/tls/tls_names.hpp"
#include "harness/tls/tls_session.hpp"

namespace harness {
namespace {

using Result = ClientHelloReader::Result;
using Bytes = std::vector<std::uint8_t>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

void append(Bytes& bytes, const Bytes& more) {
    for (const std::uint8_t byte : more)
        bytes.push_back(byte);
}

void append16(Bytes& bytes, std::size_t number) {
    bytes.push_back(static_cast<std::uint8_t>(number >> 8U));
    bytes.push_back(static_cast<std::uint8_t>(number & 0xffU));
}

Bytes numbers(const std::vector<std::uint16_t>& codes) {
    Bytes bytes;
    for (const std::uint16_t code : codes)
        append16(bytes, code);
    return bytes;
}

Bytes with_length8(const Bytes& body) {
    Bytes bytes = {static_cast<std::uint8_t>(body.size())};
    append(bytes, body);
    return bytes;
}

Bytes with_length16(const Bytes& body) {
    Bytes bytes;
    append16(bytes, body.size());
    append(bytes, body);
    return bytes;
}

Bytes text(std::string_view characters) {
    return {characters.begin(), characters.end()};
}

Bytes extension(std::uint16_t type, const Bytes& body) {
    Bytes bytes;
    append16(bytes, type);
    append(bytes, with_length16(body));
    return bytes;
}

Bytes server_name(std::string_view name) {
    Bytes entry = {0};
    append(entry, with_length16(text(name)));
    return extension(0, with_length16(entry));
}

// The handshake message, header and all. `extensions` empty: there is no extensions block.
Bytes message(const std::vector<std::uint16_t>& suites, const Bytes& extensions,
              const Bytes& session_id = {}) {
    Bytes body = {3, 3};
    for (int i = 0; i < 32; ++i)
        body.push_back(0x42);
    append(body, with_length8(session_id));
    append(body, with_length16(numbers(suites)));
    append(body, {1, 0});
    if (!extensions.empty())
        append(body, with_length16(extensions));
    Bytes whole = {1, 0};
    append(whole, with_length16(body));
    return whole;
}

// Cut into records of at most `record_bytes_max`.
Bytes records(const Bytes& whole, std::size_t record_bytes_max = 16384) {
    Bytes stream;
    for (std::size_t at = 0; at < whole.size(); at += record_bytes_max) {
        const std::size_t count = std::min(record_bytes_max, whole.size() - at);
        append(stream, {22, 3, 1});
        append16(stream, count);
        for (std::size_t i = 0; i < count; ++i)
            stream.push_back(whole[at + i]);
    }
    return stream;
}

// What a browser might send: GREASE everywhere, a ticket, a PSK, names.
Bytes rich_message() {
    Bytes extensions = extension(0x2a2a, {});
    append(extensions, server_name("wwep.ww101.cypress.com"));
    append(extensions, extension(10, with_length16(numbers({0x3a3a, 0x001d, 0x0017}))));
    append(extensions, extension(13, with_length16(numbers({0x0403, 0x0804, 0xfefe}))));
    Bytes protocols = with_length8(text("h2"));
    append(protocols, with_length8(text("http/1.1")));
    append(extensions, extension(16, with_length16(protocols)));
    append(extensions, extension(35, text("ticket")));
    append(extensions, extension(43, with_length8(numbers({0xfafa, 0x0304, 0x0303}))));
    append(extensions, extension(41, {0, 0}));
    return message({0x1a1a, 0x1301, 0xc02f, 0x00ff}, extensions, text("session"));
}

ClientHelloReader read(const Bytes& stream) {
    ClientHelloReader reader;
    (void)reader.feed(stream);
    return reader;
}

TEST(ClientHelloReaderTest, everything_that_is_offered_is_read_in_order) {
    const ClientHelloReader reader = read(records(rich_message()));
    ASSERT_EQ(reader.result(), Result::complete) << reader.problem();
    const ClientHello& hello = reader.hello();
    EXPECT_EQ(hello.record_version, 0x0301);
    EXPECT_EQ(hello.legacy_version, 0x0303);
    EXPECT_THAT(hello.versions, ElementsAre(0xfafa, 0x0304, 0x0303));
    EXPECT_EQ(hello.version_max(), 0x0304);
    EXPECT_THAT(hello.cipher_suites, ElementsAre(0x1a1a, 0x1301, 0xc02f, 0x00ff));
    EXPECT_THAT(hello.groups, ElementsAre(0x3a3a, 0x001d, 0x0017));
    EXPECT_THAT(hello.signature_algorithms, ElementsAre(0x0403, 0x0804, 0xfefe));
    EXPECT_THAT(hello.extensions, ElementsAre(0x2a2a, 0, 10, 13, 16, 35, 43, 41));
    EXPECT_THAT(hello.alpn, ElementsAre("h2", "http/1.1"));
    EXPECT_EQ(hello.server_name, "wwep.ww101.cypress.com");
    EXPECT_TRUE(hello.offers_session_id);
    EXPECT_TRUE(hello.offers_ticket);
    EXPECT_TRUE(hello.offers_psk);
    EXPECT_FALSE(hello.offers_only_rsa_key_exchange());
}

TEST(ClientHelloReaderTest, the_same_is_read_however_reads_and_records_cut_it) {
    const ClientHello whole = read(records(rich_message())).hello();
    for (const std::size_t record_bytes : {1U, 2U, 3U, 4U, 5U, 7U, 100U}) {
        const Bytes stream = records(rich_message(), record_bytes);
        for (const std::size_t step : {1U, 2U, 5U, 6U, 64U}) {
            ClientHelloReader reader;
            for (std::size_t at = 0; at < stream.size(); at += step) {
                EXPECT_EQ(reader.result(), Result::incomplete);
                const std::size_t count = std::min(step, stream.size() - at);
                (void)reader.feed(std::span(stream).subspan(at, count));
            }
            EXPECT_EQ(reader.result(), Result::complete) << reader.problem();
            EXPECT_EQ(reader.hello(), whole);
        }
    }
}

TEST(ClientHelloReaderTest, a_hello_without_extensions_is_read) {
    const ClientHelloReader reader = read(records(message({0x002f, 0x0035, 0x00ff}, {})));
    ASSERT_EQ(reader.result(), Result::complete);
    EXPECT_EQ(reader.hello().version_max(), 0x0303);
    EXPECT_THAT(reader.hello().extensions, IsEmpty());
    EXPECT_TRUE(reader.hello().offers_only_rsa_key_exchange());
    EXPECT_FALSE(reader.hello().offers_session_id);
}

TEST(ClientHelloReaderTest, a_hello_with_nothing_but_signalling_offers_no_rsa_key_exchange) {
    EXPECT_FALSE(
        read(records(message({0x00ff, 0x5600}, {}))).hello().offers_only_rsa_key_exchange());
}

TEST(ClientHelloReaderTest, what_follows_the_hello_is_ignored) {
    Bytes stream = records(rich_message());
    append(stream, text("whatever"));
    ClientHelloReader reader = read(stream);
    EXPECT_EQ(reader.result(), Result::complete);
    EXPECT_EQ(reader.feed(text("more")), Result::complete);
}

TEST(ClientHelloReaderTest, a_wwep_frame_is_not_tls_from_its_first_byte_on) {
    EXPECT_EQ(read(text("W")).problem(), "the first bytes are not TLS: 57 (\"W\")");
    const ClientHelloReader reader = read(text("R0FAC0B\r\nand much more than is shown"));
    EXPECT_EQ(reader.result(), Result::not_tls);
    EXPECT_EQ(reader.problem(),
              "the first bytes are not TLS: 52 30 46 41 43 30 42 0d 0a 61 6e 64 20 6d 75 63 "
              "(\"R0FAC0B..and muc\")");
}

TEST(ClientHelloReaderTest, an_ssl2_hello_is_named) {
    const ClientHelloReader reader = read({0x80, 0x2e, 1, 3, 1, 0, 0x15});
    EXPECT_EQ(reader.result(), Result::not_tls);
    EXPECT_THAT(reader.problem(), StartsWith("the first bytes are an SSLv2 ClientHello: 80 2e"));
}

TEST(ClientHelloReaderTest, an_alert_in_place_of_a_hello_is_malformed) {
    const ClientHelloReader reader = read({21, 3, 1, 0, 2, 2, 40});
    EXPECT_EQ(reader.result(), Result::malformed);
    EXPECT_THAT(reader.problem(), HasSubstr("record of type 21"));
}

TEST(ClientHelloReaderTest, another_handshake_message_is_malformed) {
    EXPECT_THAT(read({22, 3, 1, 0, 1, 2}).problem(), HasSubstr("handshake message of type 2"));
}

TEST(ClientHelloReaderTest, records_of_no_or_too_many_bytes_are_malformed) {
    EXPECT_THAT(read({22, 3, 1, 0, 0}).problem(), HasSubstr("record of 0 bytes"));
    EXPECT_THAT(read({22, 3, 1, 0x40, 0x01}).problem(), HasSubstr("record of 16385 bytes"));
}

TEST(ClientHelloReaderTest, a_hello_past_the_limit_is_refused_and_one_at_it_is_read) {
    const std::size_t rest = message({0x1301}, extension(21, Bytes(1))).size() - 1;
    const Bytes padding(ClientHelloReader::hello_bytes_max - rest);
    EXPECT_EQ(read(records(message({0x1301}, extension(21, padding)))).result(), Result::complete);
    Bytes longer = padding;
    longer.push_back(0);
    const ClientHelloReader reader = read(records(message({0x1301}, extension(21, longer))));
    EXPECT_EQ(reader.result(), Result::malformed);
    EXPECT_THAT(reader.problem(), HasSubstr("read are at most 16384"));
}

TEST(ClientHelloReaderTest, each_length_that_lies_is_malformed) {
    const Bytes good = rich_message();
    // Behind the 4-byte header: version 2, random 32, session id 1 + 7, suites 2 + 8,
    // compression 2.
    constexpr std::size_t session_length = 4 + 34;
    constexpr std::size_t suites_length = session_length + 8;
    constexpr std::size_t extensions_length = suites_length + 2 + 8 + 2;
    for (const std::size_t at : {session_length, suites_length + 1, extensions_length + 1}) {
        for (const int change : {-1, 1, 100}) {
            Bytes bad = good;
            bad[at] = static_cast<std::uint8_t>(bad[at] + change);
            const ClientHelloReader reader = read(records(bad));
            EXPECT_EQ(reader.result(), Result::malformed) << at << " " << change;
            EXPECT_THAT(reader.problem(), HasSubstr("the ClientHello cannot be read"));
        }
    }
    const Bytes odd_groups = extension(10, {0, 3, 0, 0x1d, 0});
    EXPECT_THAT(read(records(message({0x1301}, odd_groups))).problem(),
                HasSubstr("its extension supported_groups cannot be read"));
    const Bytes short_name = extension(0, {0, 9, 0, 0, 9, 'a'});
    EXPECT_THAT(read(records(message({0x1301}, short_name))).problem(),
                HasSubstr("its extension server_name cannot be read"));
}

TEST(ClientHelloReaderTest, wolfssl_s_own_hello_is_read) {
    const TlsLibrary library;
    TlsClientConfig config;
    config.verify_chain = false;
    config.server_name = "rig.test";
    const TlsContext context(library, config);
    const TlsSession session(context);
    ClientHelloReader reader;
    EXPECT_EQ(reader.feed(session.to_send()), Result::complete) << reader.problem();
    EXPECT_EQ(reader.hello().server_name, "rig.test");
    EXPECT_EQ(reader.hello().version_max(), 0x0304);
    EXPECT_THAT(reader.hello().cipher_suites, testing::Contains(0x1301));
    EXPECT_THAT(reader.hello().groups, ElementsAre(0x001d, 0x0017, 0x0018));
    EXPECT_FALSE(reader.hello().offers_ticket);
    EXPECT_FALSE(reader.hello().offers_psk);
}

TEST(ClientHelloJsonTest, names_are_given_where_known_and_hex_where_not) {
    Bytes extensions = extension(10, with_length16(numbers({0x001d, 0x9999})));
    append(extensions, extension(0x1234, {}));
    const ClientHelloReader reader = read(records(message({0x1301, 0x4a4a, 0x9876}, extensions)));
    EXPECT_EQ(to_json(reader.hello()),
              "{\"record_version\":\"TLSv1.0\",\"legacy_version\":\"TLSv1.2\",\"versions\":[],"
              "\"cipher_suites\":[\"TLS_AES_128_GCM_SHA256\",\"GREASE\",\"0x9876\"],"
              "\"groups\":[\"x25519\",\"0x9999\"],\"signature_algorithms\":[],"
              "\"server_name\":\"\",\"alpn\":[],\"offers_session_id\":false,"
              "\"offers_ticket\":false,\"offers_psk\":false,"
              "\"extensions\":[\"supported_groups\",\"0x1234\"]}");
}

TEST(ClientHelloJsonTest, names_of_arbitrary_bytes_come_out_as_ascii_json) {
    Bytes extensions = server_name("a\"b\n\xff\xfe\xc3\xa4");
    const std::string json = to_json(read(records(message({0x1301}, extensions))).hello());
    for (const char character : json) {
        EXPECT_GE(character, ' ');
        EXPECT_LT(character, '\x7f');
    }
    EXPECT_EQ(nlohmann::json::parse(json)["server_name"], "a\"b\n\ufffd\ufffd\u00e4");
}

TEST(TlsNamesTest, what_nobody_registered_is_shown_as_hex) {
    EXPECT_EQ(cipher_suite_name(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    EXPECT_EQ(cipher_suite_name(0xeeee), "0xeeee");
    EXPECT_EQ(group_name(0x0018), "secp384r1");
    EXPECT_EQ(version_name(0x0301), "TLSv1.0");
    EXPECT_EQ(version_name(0x0505), "0x0505");
    EXPECT_EQ(extension_name(65281), "renegotiation_info");
    EXPECT_EQ(signature_scheme_name(0x0804), "rsa_pss_rsae_sha256");
    EXPECT_EQ(alert_name(40), "handshake_failure");
    EXPECT_EQ(alert_name(117), "alert 117");
    EXPECT_EQ(cipher_suite_name(0xfafa), "GREASE");
    EXPECT_FALSE(is_grease(0x0a1a));
    EXPECT_TRUE(is_rsa_key_exchange(0x009c));
    EXPECT_FALSE(is_rsa_key_exchange(0xc02f));
}

}  // namespace
}  // namespace harness
