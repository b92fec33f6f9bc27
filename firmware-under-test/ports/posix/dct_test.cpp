#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "testing/board.hpp"
#include "wiced.h"

extern "C" {
#include "dct_boot.h"
}

namespace {

class Dct : public testing::Test {
  protected:
    Dct() : world_(board_world()) {
        path_ = std::filesystem::temp_directory_path() /
                ("wwep_dct_" + std::to_string(::getpid()) + ".pem");
    }
    void TearDown() override {
        std::filesystem::remove(path_);
        ASSERT_TRUE(dct_boot(&board_world(), error_, sizeof(error_)));
    }

    void write_file(std::size_t size) { std::ofstream(path_) << std::string(size, 'c'); }

    platform_dct_security_t* security() {
        void* section = nullptr;
        EXPECT_EQ(wiced_dct_read_lock(&section, WICED_FALSE, DCT_SECURITY_SECTION, 0,
                                      sizeof(platform_dct_security_t)),
                  WICED_SUCCESS);
        return static_cast<platform_dct_security_t*>(section);
    }

    world_t world_;
    std::filesystem::path path_;
    std::string name_;
    char error_[512] = "";
};

TEST_F(Dct, WithoutFilesHoldsEmptyTexts) {
    EXPECT_STREQ(security()->certificate, "");
    EXPECT_STREQ(security()->private_key, "");
}

TEST_F(Dct, TakesACertificateUpToItsLimitAndNamesAFileThatIsTooBig) {
    name_ = path_.string();
    world_.dct_certificate = name_.c_str();
    write_file(CERTIFICATE_SIZE - 1);
    ASSERT_TRUE(dct_boot(&world_, error_, sizeof(error_))) << error_;
    EXPECT_EQ(std::strlen(security()->certificate), CERTIFICATE_SIZE - 1u);
    write_file(CERTIFICATE_SIZE);
    ASSERT_FALSE(dct_boot(&world_, error_, sizeof(error_)));
    EXPECT_EQ(error_, "DCT certificate: " + name_ + " is too big, the limit is 4095 bytes");
}

TEST_F(Dct, NamesAKeyThatIsNotThere) {
    world_.dct_private_key = "/nonexistent/board.key";
    ASSERT_FALSE(dct_boot(&world_, error_, sizeof(error_)));
    EXPECT_STREQ(error_, "DCT private key: open /nonexistent/board.key: No such file or directory");
}

TEST_F(Dct, AWritableViewIsACopyAndWritesLast) {
    void* copy = nullptr;
    ASSERT_EQ(wiced_dct_read_lock(&copy, WICED_TRUE, DCT_SECURITY_SECTION, 0, 8), WICED_SUCCESS);
    std::memcpy(copy, "changed", 8);
    EXPECT_STREQ(security()->private_key, "");
    EXPECT_EQ(wiced_dct_write(copy, DCT_SECURITY_SECTION, 0, 8), WICED_SUCCESS);
    EXPECT_EQ(wiced_dct_read_unlock(copy, WICED_TRUE), WICED_SUCCESS);
    EXPECT_STREQ(security()->private_key, "changed");
}

TEST_F(Dct, WithoutAStoredAccessPointAStationGives29) {
    wiced_config_ap_entry_t none{};
    ASSERT_EQ(wiced_dct_write(&none, DCT_WIFI_CONFIG_SECTION,
                              DCT_OFFSET(platform_dct_wifi_config_t, stored_ap_list), sizeof(none)),
              WICED_SUCCESS);
    wiced_network_down(WICED_STA_INTERFACE);
    const auto config = WICED_USE_EXTERNAL_DHCP_SERVER;
    EXPECT_EQ(wiced_network_up(WICED_STA_INTERFACE, config, nullptr), 29);
    EXPECT_EQ(wiced_network_up(WICED_ETHERNET_INTERFACE, config, nullptr), WICED_SUCCESS);
}

TEST_F(Dct, OutOfBoundsAndInternalSectionsGive4) {
    void* part = nullptr;
    EXPECT_EQ(wiced_dct_read_lock(&part, WICED_FALSE, DCT_SECURITY_SECTION, 6000, 1000), 4);
    EXPECT_EQ(wiced_dct_write("x", DCT_INTERNAL_SECTION, 0, 1), 4);
    EXPECT_EQ(wiced_dct_write("x", DCT_VERSION_SECTION, 0, 1), 4);
}

}  // namespace
