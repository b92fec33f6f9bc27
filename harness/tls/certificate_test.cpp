#include "harness/tls/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace harness {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes element(std::uint8_t tag, const std::vector<Bytes>& parts) {
    Bytes body;
    for (const Bytes& part : parts) {
        for (const std::uint8_t byte : part)
            body.push_back(byte);
    }
    Bytes whole = {tag};
    if (body.size() >= 0x80) {
        whole.push_back(0x82);
        whole.push_back(static_cast<std::uint8_t>(body.size() >> 8U));
    }
    whole.push_back(static_cast<std::uint8_t>(body.size() & 0xffU));
    for (const std::uint8_t byte : body)
        whole.push_back(byte);
    return whole;
}

Bytes text(std::string_view characters) {
    return {characters.begin(), characters.end()};
}

const Bytes public_key = element(0x30, {{1, 2, 3}});

// The skeleton of a certificate whose subjectAltName holds `names`.
Bytes certificate(const std::vector<Bytes>& names) {
    const Bytes alt_name =
        element(0x30, {element(0x06, {{0x55, 0x1d, 0x11}}), element(0x04, {element(0x30, names)})});
    const Bytes other = element(0x30, {element(0x06, {{0x55, 0x1d, 0x13}}),
                                       {0x01, 0x01, 0xff},
                                       element(0x04, {element(0x30, {})})});
    const Bytes extensions = element(0xa3, {element(0x30, {other, alt_name})});
    const Bytes empty = element(0x30, {});
    const Bytes to_be_signed = element(0x30, {element(0xa0, {{2, 1, 2}}),
                                              {2, 1, 7},
                                              empty,
                                              empty,
                                              empty,
                                              empty,
                                              public_key,
                                              extensions});
    return element(0x30, {to_be_signed, empty, element(0x03, {{0}})});
}

Bytes dns(std::string_view name) {
    return element(0x82, {text(name)});
}

CertificateParts parts_with(const std::vector<Bytes>& names) {
    const auto parts = parse_certificate(certificate(names));
    EXPECT_TRUE(parts.has_value());
    return parts.value_or(CertificateParts());
}

TEST(CertificateTest, the_public_key_and_the_names_are_found) {
    const auto parts = parts_with(
        {dns("rig.test"), element(0x87, {{127, 0, 0, 1}}), element(0x81, {text("mail@rig.test")})});
    EXPECT_EQ(parts.public_key, public_key);
    EXPECT_THAT(parts.dns_names, testing::ElementsAre("rig.test"));
    EXPECT_EQ(parts.names(), "DNS:rig.test, IP:127.0.0.1");
}

TEST(CertificateTest, a_dns_name_matches_whatever_its_case) {
    const auto parts = parts_with({dns("Rig.Test")});
    EXPECT_TRUE(parts.is_for("rig.test"));
    EXPECT_TRUE(parts.is_for("RIG.TEST."));
    EXPECT_FALSE(parts.is_for("rig.test.example"));
    EXPECT_FALSE(parts.is_for("x.rig.test"));
    EXPECT_FALSE(parts.is_for(""));
}

TEST(CertificateTest, a_wildcard_stands_for_exactly_one_label) {
    const auto parts = parts_with({dns("*.lab.test")});
    EXPECT_TRUE(parts.is_for("a.lab.test"));
    EXPECT_FALSE(parts.is_for("lab.test"));
    EXPECT_FALSE(parts.is_for(".lab.test"));
    EXPECT_FALSE(parts.is_for("a.b.lab.test"));
    EXPECT_FALSE(parts_with({dns("*.test")}).is_for("rig.test"));
    EXPECT_FALSE(parts_with({dns("*")}).is_for("rig"));
    EXPECT_FALSE(parts_with({dns("r*.lab.test")}).is_for("rig.lab.test"));
}

TEST(CertificateTest, an_address_matches_an_address_entry_only) {
    EXPECT_FALSE(parts_with({dns("127.0.0.1")}).is_for("127.0.0.1"));
    EXPECT_TRUE(parts_with({element(0x87, {{127, 0, 0, 1}})}).is_for("127.0.0.1"));
    EXPECT_FALSE(parts_with({element(0x87, {{127, 0, 0, 1}})}).is_for("127.0.0.2"));
    Bytes loopback(16);
    loopback[15] = 1;
    EXPECT_TRUE(parts_with({element(0x87, {loopback})}).is_for("::1"));
    EXPECT_TRUE(parts_with({element(0x87, {loopback})}).is_for("0:0:0:0:0:0:0:1"));
    EXPECT_EQ(parts_with({element(0x87, {loopback})}).names(), "IP:::1");
}

TEST(CertificateTest, every_cut_and_every_lying_length_is_no_certificate_or_a_safe_one) {
    const Bytes good = certificate({dns("rig.test"), element(0x87, {{127, 0, 0, 1}})});
    for (std::size_t count = 0; count < good.size(); ++count) {
        const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(count));
        EXPECT_FALSE(parse_certificate(cut).has_value()) << count;
    }
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const std::uint8_t value : Bytes{0x00, 0x7f, 0x80, 0x84, 0xff}) {
            Bytes changed = good;
            changed[at] = value;
            (void)parse_certificate(changed);
        }
    }
}

}  // namespace
}  // namespace harness
