#include "harness/tls/tls_config.hpp"

#include <gtest/gtest.h>

namespace harness {
namespace {

TEST(TlsConfigTest, a_digest_is_told_and_read_back_in_either_case_with_or_without_colons) {
    Sha256 digest{};
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<std::uint8_t>(i * 8);
    const std::string text = to_hex(digest);
    EXPECT_EQ(text, "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8");
    EXPECT_EQ(sha256_from_hex(text), digest);

    std::string upper_with_colons;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i > 0 && i % 2 == 0)
            upper_with_colons += ':';
        upper_with_colons += static_cast<char>(std::toupper(text[i]));
    }
    EXPECT_EQ(sha256_from_hex(upper_with_colons), digest);
}

TEST(TlsConfigTest, what_is_no_digest_is_not_read_as_one) {
    const std::string text(64, 'a');
    EXPECT_FALSE(sha256_from_hex(""));
    EXPECT_FALSE(sha256_from_hex(text.substr(1)));
    EXPECT_FALSE(sha256_from_hex(text + "a"));
    EXPECT_FALSE(sha256_from_hex(text + ":"));
    EXPECT_FALSE(sha256_from_hex(":" + text));
    EXPECT_FALSE(sha256_from_hex(text.substr(1) + "g"));
}

TEST(TlsConfigTest, versions_are_read_as_people_spell_them) {
    EXPECT_EQ(tls_version_from("1.1"), TlsVersion::tls_1_1);
    EXPECT_EQ(tls_version_from("TLSv1.2"), TlsVersion::tls_1_2);
    EXPECT_EQ(tls_version_from("tls1.3"), TlsVersion::tls_1_3);
    EXPECT_FALSE(tls_version_from("1.0"));
    EXPECT_FALSE(tls_version_from("TLSv"));
    EXPECT_FALSE(tls_version_from(""));
}

}  // namespace
}  // namespace harness
