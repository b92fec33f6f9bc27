#include "harness/tls/record_shim.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

namespace {

using namespace harness;
using Act = ShimFault::Act;
using Bytes = std::vector<std::uint8_t>;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Bytes operator+(Bytes left, const Bytes& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

Bytes record(std::uint8_t type, const Bytes& body) {
    return Bytes{type, 3, 3, static_cast<std::uint8_t>(body.size() >> 8U),
                 static_cast<std::uint8_t>(body.size() & 0xffU)} +
           body;
}

Bytes message(std::uint8_t type, const Bytes& body) {
    return Bytes{type, 0, static_cast<std::uint8_t>(body.size() >> 8U),
                 static_cast<std::uint8_t>(body.size() & 0xffU)} +
           body;
}

Bytes handshake(std::uint8_t type, std::size_t size = 3) {
    return record(22, message(type, Bytes(size, type)));
}

/// A ServerHello; `extensions` with their length before them.
Bytes server_hello(const Bytes& extensions, std::uint8_t random = 7) {
    return record(
        22, message(2, Bytes{3, 3} + Bytes(32, random) + Bytes{1, 9, 0xC0, 0x2B, 0} + extensions));
}

Bytes hello_1_2() {
    return server_hello({0, 4, 0xff, 1, 0, 0});
}

Bytes hello_1_3() {
    return server_hello({0, 6, 0, 43, 0, 2, 3, 4});
}

/// The flights of a server, one record a message.
std::vector<std::pair<TlsMessage, Bytes>> flight_1_2() {
    return {{TlsMessage::server_hello, hello_1_2()},
            {TlsMessage::certificate, handshake(11)},
            {TlsMessage::server_key_exchange, handshake(12)},
            {TlsMessage::certificate_request, handshake(13)},
            {TlsMessage::server_hello_done, handshake(14, 0)},
            {TlsMessage::change_cipher_spec, record(20, {1})},
            {TlsMessage::finished, record(22, Bytes(40, 0xEE))},
            {TlsMessage::reply, record(23, Bytes(35, 0xEE))}};
}

std::vector<std::pair<TlsMessage, Bytes>> flight_1_3() {
    return {{TlsMessage::server_hello, hello_1_3()},
            {TlsMessage::encrypted_extensions, record(23, Bytes(20, 1))},
            {TlsMessage::certificate, record(23, Bytes(20, 2))},
            {TlsMessage::certificate_verify, record(23, Bytes(20, 3))},
            {TlsMessage::finished, record(23, Bytes(20, 4))},
            {TlsMessage::reply, record(23, Bytes(20, 5))}};
}

bool seal_in_capitals(std::uint8_t type, std::span<const std::uint8_t> plaintext, Bytes& output) {
    output.insert(output.end(), {'S', type});
    output.insert(output.end(), plaintext.begin(), plaintext.end());
    return true;
}

bool cannot_seal(std::uint8_t, std::span<const std::uint8_t>, Bytes&) {
    return false;
}

Bytes passed(RecordShim& shim, const Bytes& sent, const RecordShim::Seal& seal = seal_in_capitals) {
    Bytes output;
    shim.pass(sent, seal, output);
    return output;
}

using Flight = std::vector<std::pair<TlsMessage, Bytes>>;

Bytes joined(const Flight& flight, std::size_t count) {
    return std::accumulate(flight.begin(), flight.begin() + static_cast<std::ptrdiff_t>(count),
                           Bytes{}, [](Bytes sum, const auto& each) { return sum + each.second; });
}

class FlightTest : public ::testing::TestWithParam<Flight> {};

TEST_P(FlightTest, without_faults_everything_passes_as_it_is) {
    RecordShim shim({});
    const Bytes all = joined(GetParam(), GetParam().size());
    EXPECT_EQ(passed(shim, all), all);
    EXPECT_FALSE(shim.ended_by().has_value());
}

TEST_P(FlightTest, what_comes_before_the_named_message_passes_and_nothing_after) {
    for (std::size_t place = 0; place < GetParam().size(); ++place) {
        const TlsMessage at = GetParam()[place].first;
        RecordShim shim({{.act = Act::stall, .at = at}});
        shim.announce(TlsMessage::reply);
        EXPECT_EQ(passed(shim, joined(GetParam(), GetParam().size())), joined(GetParam(), place))
            << to_string(at);
        EXPECT_EQ(shim.ended_by(), 0U) << to_string(at);
        EXPECT_TRUE(shim.has_fired(0));
    }
}

TEST_P(FlightTest, however_the_bytes_are_cut_the_outcome_is_the_same) {
    const Bytes all = joined(GetParam(), GetParam().size());
    const std::vector<ShimFault> faults{{.act = Act::tiny},
                                        {.act = Act::set_cipher, .number = 5},
                                        {.act = Act::alert, .at = TlsMessage::finished}};
    RecordShim whole(faults);
    const Bytes expected = passed(whole, all);
    RecordShim cut(faults);
    Bytes output;
    for (const std::uint8_t& byte : all) {
        cut.pass({&byte, 1}, seal_in_capitals, output);
    }
    EXPECT_EQ(output, expected);
    EXPECT_EQ(cut.ended_by(), whole.ended_by());
}

INSTANTIATE_TEST_SUITE_P(Versions, FlightTest, ::testing::Values(flight_1_2(), flight_1_3()));

TEST(RecordShimTest, a_request_for_a_certificate_moves_the_count_of_tls_1_3) {
    const auto flight = flight_1_3();
    RecordShim shim({{.act = Act::close, .at = TlsMessage::certificate}});
    shim.set(RecordShim::ClientCertificate::asked);
    EXPECT_EQ(passed(shim, joined(flight, flight.size())), joined(flight, 3));
}

TEST(RecordShimTest, a_hello_retry_request_is_not_yet_the_end_of_the_clear) {
    Bytes retry = hello_1_3();
    const std::string_view random =
        "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91\xC2\xA2\x11\x16\x7A\xBB"
        "\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C";
    std::copy(random.begin(), random.end(), retry.begin() + 11);
    RecordShim at_retry({{.act = Act::stall, .at = TlsMessage::hello_retry_request}});
    EXPECT_THAT(passed(at_retry, retry), IsEmpty());
    RecordShim at_hello({{.act = Act::stall, .at = TlsMessage::server_hello}});
    EXPECT_EQ(passed(at_hello, retry + hello_1_3()), retry);
}

TEST(RecordShimTest, an_alert_is_in_the_clear_before_encryption_and_sealed_after) {
    const auto flight = flight_1_3();
    RecordShim early({{.act = Act::alert, .at = TlsMessage::server_hello, .number = 70}});
    EXPECT_EQ(passed(early, joined(flight, 6)), (Bytes{21, 3, 3, 0, 2, 2, 70}));
    RecordShim late({{.act = Act::alert, .at = TlsMessage::certificate, .number = 42}});
    EXPECT_EQ(passed(late, joined(flight, 6)), joined(flight, 2) + Bytes({'S', 21, 2, 42}));
    RecordShim unsealed({{.act = Act::alert, .at = TlsMessage::certificate, .number = 0}});
    EXPECT_EQ(passed(unsealed, joined(flight, 6), cannot_seal),
              joined(flight, 2) + Bytes({21, 3, 3, 0, 2, 1, 0}));
}

TEST(RecordShimTest, an_oversized_record_has_the_length_it_says) {
    RecordShim shim({{.act = Act::oversize, .at = TlsMessage::reply, .number = 20000}});
    const auto flight = flight_1_2();
    shim.announce(TlsMessage::reply);
    const Bytes all = passed(shim, joined(flight, flight.size()));
    const Bytes tail(all.end() - 20005, all.end());
    EXPECT_EQ(Bytes(tail.begin(), tail.begin() + 5), (Bytes{23, 3, 3, 0x4E, 0x20}));
    EXPECT_EQ(all.size(), joined(flight, 7).size() + 20005);
}

TEST(RecordShimTest, tiny_records_bear_a_byte_each_as_long_as_they_are_in_the_clear) {
    RecordShim shim({{.act = Act::tiny}});
    EXPECT_EQ(passed(shim, handshake(14, 0)),
              (Bytes{22, 3, 3, 0, 1, 14, 22, 3, 3, 0, 1, 0, 22, 3, 3, 0, 1, 0, 22, 3, 3, 0, 1, 0}));
    EXPECT_EQ(passed(shim, record(20, {1})), record(20, {1}));
    EXPECT_EQ(passed(shim, record(22, Bytes(40, 1))), record(22, Bytes(40, 1)));
}

TEST(RecordShimTest, a_server_hello_says_another_version_or_cipher) {
    RecordShim version_1_2({{.act = Act::set_version, .number = 0x0300}});
    Bytes expected = hello_1_2();
    expected[10] = 0;
    EXPECT_EQ(passed(version_1_2, hello_1_2()), expected);

    RecordShim version_1_3({{.act = Act::set_version, .number = 0x0300}});
    expected = hello_1_3();
    expected[expected.size() - 1] = 0;
    EXPECT_EQ(passed(version_1_3, hello_1_3()), expected);

    RecordShim cipher({{.act = Act::set_cipher, .number = 0x0005}});
    expected = hello_1_2();
    expected[45] = 0;
    expected[46] = 5;
    EXPECT_EQ(passed(cipher, hello_1_2()), expected);
    EXPECT_TRUE(cipher.has_fired(0));
    EXPECT_FALSE(cipher.ended_by().has_value());
}

TEST(RecordShimTest, several_messages_in_one_record_are_all_seen) {
    const Bytes both = record(22, message(11, Bytes(3)) + message(14, {}));
    RecordShim shim({{.act = Act::reset, .at = TlsMessage::server_hello_done}});
    EXPECT_THAT(passed(shim, both), IsEmpty());
    EXPECT_EQ(shim.ended_by(), 0U);
}

TEST(RecordShimTest, a_message_over_several_records_is_one_message) {
    const Bytes certificate = message(11, Bytes(10, 14));
    const Bytes first = record(22, {certificate.begin(), certificate.begin() + 7});
    const Bytes second = record(22, {certificate.begin() + 7, certificate.end()});
    RecordShim shim({{.act = Act::stall, .at = TlsMessage::server_hello_done}});
    EXPECT_EQ(passed(shim, first + second), first + second) << "14 is no message here";
    EXPECT_THAT(passed(shim, handshake(14, 0)), IsEmpty());
}

TEST(RecordShimTest, a_close_notify_is_known_by_its_announcement) {
    RecordShim shim({{.act = Act::stall, .at = TlsMessage::close_notify}});
    const Bytes alert = record(21, {1, 0});
    EXPECT_EQ(passed(shim, alert), alert);
    shim.announce(TlsMessage::close_notify);
    EXPECT_THAT(passed(shim, alert), IsEmpty());
}

TEST(RecordShimTest, messages_have_names_that_lead_back_to_them) {
    for (const auto& flight : {flight_1_2(), flight_1_3()}) {
        for (const auto& [each, bytes] : flight) {
            EXPECT_EQ(tls_message_from(to_string(each)), each);
        }
    }
    EXPECT_FALSE(tls_message_from("goodbye").has_value());
}

}  // namespace
