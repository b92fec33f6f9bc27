#include "harness/tls/record_seal.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

using namespace harness;
using Bytes = std::vector<std::uint8_t>;

Bytes from_hex(std::string_view hex) {
    Bytes bytes;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
        bytes.push_back(
            static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16)));
    }
    return bytes;
}

TEST(RecordSealTest, a_record_of_rfc_8448_comes_out_byte_for_byte) {
    // Section 3, "Simple 1-RTT Handshake": the server's alert close_notify.
    const RecordKeys keys{.version = RecordKeys::Version::tls_1_3,
                          .cipher = RecordKeys::Cipher::aes_gcm,
                          .key = from_hex("9f02283b6c9c07efc26bb9f2ac92e356"),
                          .iv = from_hex("cf782b88dd83549aadf1e984"),
                          .sequence = 2};
    const auto sealed = seal_record(keys, 21, Bytes{1, 0});
    ASSERT_TRUE(sealed.has_value());
    EXPECT_EQ(*sealed, from_hex("1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9"));
}

TEST(RecordSealTest, a_record_of_tls_1_2_bears_its_nonce_or_none) {
    RecordKeys keys{.version = RecordKeys::Version::tls_1_2,
                    .cipher = RecordKeys::Cipher::aes_gcm,
                    .key = Bytes(16, 1),
                    .iv = Bytes(4, 2),
                    .sequence = 3};
    const auto gcm = seal_record(keys, 22, Bytes{0, 0, 0, 0});
    ASSERT_TRUE(gcm.has_value());
    EXPECT_EQ(Bytes(gcm->begin(), gcm->begin() + 13),
              (Bytes{22, 3, 3, 0, 28, 0, 0, 0, 0, 0, 0, 0, 3}));
    EXPECT_EQ(gcm->size(), 5U + 28U);

    keys.cipher = RecordKeys::Cipher::chacha20_poly1305;
    keys.key = Bytes(32, 1);
    keys.iv = Bytes(12, 2);
    const auto chacha = seal_record(keys, 22, Bytes{0, 0, 0, 0});
    ASSERT_TRUE(chacha.has_value());
    EXPECT_EQ(chacha->size(), 5U + 4U + 16U);
}

TEST(RecordSealTest, keys_that_do_not_fit_seal_nothing) {
    RecordKeys keys{.key = Bytes(16), .iv = Bytes(4)};
    EXPECT_FALSE(seal_record(keys, 21, Bytes{1, 0}).has_value());
    keys.iv = Bytes(12);
    keys.key = Bytes(15);
    EXPECT_FALSE(seal_record(keys, 21, Bytes{1, 0}).has_value());
    keys.cipher = RecordKeys::Cipher::chacha20_poly1305;
    EXPECT_FALSE(seal_record(keys, 21, Bytes{1, 0}).has_value());
}

}  // namespace
