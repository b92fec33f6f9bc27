// What can be said about GPIO chips without having one. chip_lines_chip_test.cpp has the rest.
#include "rig/line/chip_places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "rig/base/errors.hpp"
#include "rig/line/tried_lines.hpp"

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ChipPlacesTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto pattern = (std::filesystem::temp_directory_path() / "chips-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        devices_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(devices_); }

    [[nodiscard]] std::string path_of(const std::string& name) const {
        return (devices_ / name).string();
    }
    void make_file(const std::string& name, const std::string& text = "") const {
        std::filesystem::create_directories((devices_ / name).parent_path());
        std::ofstream(devices_ / name) << text;
    }

    [[nodiscard]] std::string trouble_with(const std::string& chip) const {
        const rig::LineSpec spec{.name = "led0", .chip = chip, .line = "27"};
        try {
            static_cast<void>(rig::find_places({&spec, 1}, devices_.string()));
        } catch (const rig::NoBench& error) {
            return error.what();
        }
        return "";
    }

    std::filesystem::path devices_;
};

TEST_F(ChipPlacesTest, a_machine_without_chips_is_told_what_has_some) {
    EXPECT_THAT(trouble_with("rig-lines"),
                AllOf(HasSubstr("line led0: no GPIO chip has the path, name or label "
                                "\"rig-lines\""),
                      HasSubstr("has no GPIO chip at all"), HasSubstr("gpio-sim")));
    EXPECT_THAT(trouble_with(path_of("gpiochip7")),
                AllOf(HasSubstr("line led0: "), HasSubstr("gpiochip7"),
                      HasSubstr("No such file or directory"), HasSubstr("no GPIO chip at all")));
}

TEST_F(ChipPlacesTest, a_device_that_is_no_chip_is_called_that) {
    EXPECT_THAT(trouble_with("/dev/null"), HasSubstr("/dev/null is not a GPIO chip"));
    make_file("gpiochip0");
    EXPECT_THAT(trouble_with("gpiochip0"), HasSubstr("gpiochip0 is not a GPIO chip"));
    EXPECT_THAT(trouble_with("other"),
                HasSubstr("; name one of these in the bench file: " + path_of("gpiochip0") + " ("));
}

TEST_F(ChipPlacesTest, a_device_of_a_group_names_the_group_to_join) {
    make_file("gpiochip0");
    ASSERT_EQ(::chmod(path_of("gpiochip0").c_str(), 0660), 0);
    if (::chown(path_of("gpiochip0").c_str(), static_cast<uid_t>(-1), 20) != 0) {
        GTEST_SKIP() << "only root can give a file to the group dialout";
    }
    EXPECT_THAT(rig::permission_remedy(path_of("gpiochip0")),
                HasSubstr("sudo usermod -aG dialout $USER"));
}

TEST_F(ChipPlacesTest, a_device_that_no_group_may_use_names_the_udev_rule) {
    make_file("gpiochip0");
    ASSERT_EQ(::chmod(path_of("gpiochip0").c_str(), 0600), 0);
    EXPECT_THAT(rig::permission_remedy(path_of("gpiochip0")),
                HasSubstr(R"(SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660")"));
}

TEST_F(ChipPlacesTest, releasing_goes_on_after_a_line_that_is_not_there) {
    const std::array<rig::LineSpec, 4> specs{
        rig::LineSpec{.name = "button0",
                      .chip = path_of("gpiochip0"),
                      .line = "1",
                      .direction = rig::Direction::output},
        rig::LineSpec{.name = "led0", .chip = path_of("gpiochip0"), .line = "2"},
        rig::LineSpec{
            .name = "button1", .chip = "x", .line = "3", .direction = rig::Direction::output},
        rig::LineSpec{
            .name = "simulated", .chip = "", .line = "0", .direction = rig::Direction::output}};
    const auto released = rig::release_lines(specs, {.device_folder = devices_.string()});
    ASSERT_EQ(released.size(), 2U) << "inputs and simulated lines have nothing to release";
    EXPECT_EQ(released[0].name, "button0");
    EXPECT_THAT(released[0].trouble, HasSubstr("No such file or directory"));
    EXPECT_THAT(released[0].remedy, HasSubstr("has no GPIO chip at all"));
    EXPECT_THAT(released[0].trouble, Not(HasSubstr("has no GPIO chip at all")));
    EXPECT_EQ(released[1].name, "button1");
    EXPECT_THAT(released[1].trouble, HasSubstr("\"x\""));
}

TEST_F(ChipPlacesTest, probing_says_of_each_line_what_keeps_it_from_being_used) {
    const std::array<rig::LineSpec, 3> specs{
        rig::LineSpec{.name = "led0", .chip = path_of("gpiochip0"), .line = "2"},
        rig::LineSpec{.name = "simulated", .chip = "", .line = "0"},
        rig::LineSpec{
            .name = "button0", .chip = "x", .line = "3", .direction = rig::Direction::output}};
    const rig::SystemClock clock;
    const auto probed = rig::probe_lines(specs, clock, {.device_folder = devices_.string()});
    ASSERT_EQ(probed.size(), 2U) << "a simulated line cannot be probed";
    EXPECT_EQ(probed[0].name, "led0");
    EXPECT_THAT(probed[0].trouble, HasSubstr("No such file or directory"));
    EXPECT_THAT(probed[0].remedy, HasSubstr("has no GPIO chip at all"));
    EXPECT_EQ(probed[1].name, "button0");
    EXPECT_THAT(probed[1].trouble, HasSubstr("\"x\""));
}

TEST_F(ChipPlacesTest, a_driver_that_keeps_its_outputs_is_known_by_its_parameter) {
    EXPECT_FALSE(rig::keeps_outputs(devices_.string()));
    make_file("pinctrl_bcm2835/parameters/persist_gpio_outputs", "N\n");
    EXPECT_FALSE(rig::keeps_outputs(devices_.string()));
    make_file("pinctrl_rp1/parameters/persist_gpio_outputs", "Y\n");
    EXPECT_TRUE(rig::keeps_outputs(devices_.string()));
}

}  // namespace
