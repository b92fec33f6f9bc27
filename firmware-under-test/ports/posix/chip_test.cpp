// The board's pins on a chip of the kernel's gpio-sim. A program of its own, which runs in a
// virtual machine with --require-gpio-sim and skips elsewhere.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "testing/sim_pins.hpp"
#include "wiced.h"

extern "C" {
#include "chip.h"
#include "gpio.h"
#include "kernel.h"
}

namespace {

using testing_pins::SimPins;

constexpr std::uint32_t kPatienceMs = 5000;
constexpr std::uint32_t kQuietMs = 100;
// The lines of these pins where WWEP_GPIO_PINS says nothing.
constexpr int kButton = 0;
constexpr int kLed = 2;

bool gpio_sim_is_required = false;
wiced_semaphore_t chip_is_lost;
wiced_semaphore_t interrupts;

void remember_loss() {
    wiced_rtos_set_semaphore(&chip_is_lost);
}

void count_interrupt(void* arg) {
    wiced_rtos_set_semaphore(static_cast<wiced_semaphore_t*>(arg));
}

class ChipPins : public testing::Test {
  protected:
    void SetUp() override {
        if (!SimPins::exists()) {
            ASSERT_FALSE(gpio_sim_is_required) << "no gpio-sim that this user may set up";
            GTEST_SKIP() << "no gpio-sim that this user may set up";
        }
        wiced_rtos_init_semaphore(&chip_is_lost);
        wiced_rtos_init_semaphore(&interrupts);
        sim_.emplace("firmware-pins");
        gpio_boot();
    }

    // The board's thread ends with the chip. Only then can there be another board.
    void TearDown() override {
        if (is_booted_) {
            sim_->unplug();
            EXPECT_EQ(wiced_rtos_get_semaphore(&chip_is_lost, kPatienceMs), WICED_SUCCESS);
        }
    }

    void boot(const std::string& chip = "firmware-pins") {
        world_t world = world_empty();
        world.gpio_chip = chip.c_str();
        is_booted_ = chip_boot(&world, remember_loss);
        ASSERT_TRUE(is_booted_);
    }

    /// In a process of its own: what a board that cannot boot says, and whether it says that.
    static void boot_in_vain(const char* chip, const char* pins) {
        world_t world = world_empty();
        char error[256];
        world.gpio_chip = chip;
        if (!world_set_pins(&world, pins, error, sizeof(error))) {
            std::fputs(error, stderr);
            std::exit(2);
        }
        std::exit(chip_boot(&world, remember_loss) ? 0 : 1);
    }

    static bool interrupt_comes(std::uint32_t within_ms = kPatienceMs) {
        return wiced_rtos_get_semaphore(&interrupts, within_ms) == WICED_SUCCESS;
    }

    std::optional<SimPins> sim_;
    bool is_booted_ = false;
};
using ChipPinsDeathTest = ChipPins;

TEST_F(ChipPins, an_edge_on_a_line_changes_its_pin_and_interrupts) {
    boot();
    ASSERT_EQ(wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, count_interrupt,
                                          &interrupts),
              WICED_SUCCESS);
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_TRUE);
    sim_->pull(kButton, false);
    ASSERT_TRUE(interrupt_comes());
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_FALSE);
    sim_->pull(kButton, true);
    EXPECT_FALSE(interrupt_comes(kQuietMs)) << "nobody asked for the rising edge";
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_TRUE);
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON2), WICED_TRUE) << "the other pin has its own line";
}

TEST_F(ChipPins, a_chip_is_found_by_its_path_as_well) {
    boot(sim_->path());
    ASSERT_EQ(wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, count_interrupt,
                                          &interrupts),
              WICED_SUCCESS);
    sim_->pull(kButton, false);
    EXPECT_TRUE(interrupt_comes());
}

TEST_F(ChipPins, a_pull_is_asked_of_the_chip) {
    sim_->pull(kButton, false);
    boot();
    EXPECT_TRUE(sim_->is_high(kButton)) << "a button has a pull-up";
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_TRUE);
    ASSERT_EQ(wiced_gpio_init(WICED_BUTTON1, INPUT_PULL_DOWN), WICED_SUCCESS);
    EXPECT_FALSE(sim_->is_high(kButton));
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_FALSE);
}

TEST_F(ChipPins, an_led_is_off_after_boot_and_its_line_driven_both_ways) {
    sim_->pull(kLed, true);
    boot();
    EXPECT_FALSE(sim_->is_high(kLed)) << "driven low against the pull";
    ASSERT_EQ(wiced_gpio_output_high(WICED_LED1), WICED_SUCCESS);
    sim_->pull(kLed, false);
    EXPECT_TRUE(sim_->is_high(kLed)) << "driven high against the pull";
    ASSERT_EQ(wiced_gpio_output_low(WICED_LED1), WICED_SUCCESS);
    EXPECT_FALSE(sim_->is_high(kLed));
}

TEST_F(ChipPins, an_open_drain_pulls_low_and_lets_go) {
    boot();
    ASSERT_EQ(wiced_gpio_init(WICED_LED1, OUTPUT_OPEN_DRAIN_NO_PULL), WICED_SUCCESS);
    sim_->pull(kLed, true);
    EXPECT_FALSE(sim_->is_high(kLed));
    ASSERT_EQ(wiced_gpio_output_high(WICED_LED1), WICED_SUCCESS);
    for (const bool is_high : {true, false}) {
        sim_->pull(kLed, is_high);
        EXPECT_EQ(sim_->is_high(kLed), is_high) << "the pull decides";
    }
}

TEST_F(ChipPins, a_pin_that_is_given_up_lets_go_of_its_line) {
    boot();
    ASSERT_EQ(wiced_gpio_output_high(WICED_LED1), WICED_SUCCESS);
    ASSERT_EQ(wiced_gpio_deinit(WICED_LED1), WICED_SUCCESS);
    sim_->pull(kLed, false);
    EXPECT_FALSE(sim_->is_high(kLed));
}

TEST_F(ChipPins, a_flood_of_edges_ends_at_the_level_of_the_last) {
    boot();
    for (int i = 0; i < 400; ++i) {
        sim_->pull(kButton, i % 2 != 0);
    }
    ASSERT_EQ(wiced_gpio_input_irq_enable(WICED_BUTTON2, IRQ_TRIGGER_FALLING_EDGE, count_interrupt,
                                          &interrupts),
              WICED_SUCCESS);
    sim_->pull(kButton + 1, false);
    ASSERT_TRUE(interrupt_comes()) << "whatever came before";
    sim_->pull(kButton, false);
    const std::uint64_t give_up_ns = kernel_now_ns() + std::uint64_t{kPatienceMs} * 1000000U;
    while (wiced_gpio_input_get(WICED_BUTTON1) == WICED_TRUE && kernel_now_ns() < give_up_ns) {
    }
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_FALSE);
}

TEST_F(ChipPins, a_chip_that_goes_is_told_once_and_lets_go_of_every_pin) {
    boot();
    ASSERT_EQ(wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_BOTH_EDGES, count_interrupt,
                                          &interrupts),
              WICED_SUCCESS);
    sim_->pull(kButton, false);
    ASSERT_TRUE(interrupt_comes());
    sim_->unplug();
    ASSERT_EQ(wiced_rtos_get_semaphore(&chip_is_lost, kPatienceMs), WICED_SUCCESS);
    is_booted_ = false;
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_TRUE) << "its own pull is left";
    EXPECT_FALSE(interrupt_comes(kQuietMs)) << "a board that stops runs no handler";
    EXPECT_EQ(wiced_rtos_get_semaphore(&chip_is_lost, kQuietMs), WICED_TIMEOUT);
    EXPECT_EQ(wiced_gpio_output_high(WICED_LED1), WICED_SUCCESS) << "nothing to drive, no harm";
}

TEST_F(ChipPinsDeathTest, a_chip_or_line_that_cannot_be_had_is_named) {
    EXPECT_EXIT(boot_in_vain("no-such-chip", "0:0"), testing::ExitedWithCode(1),
                "WWEP_GPIO_CHIP: open chip \"no-such-chip\": No such device");
    EXPECT_EXIT(boot_in_vain("/dev/null", "0:0"), testing::ExitedWithCode(1),
                "open chip \"/dev/null\": ");
    EXPECT_EXIT(boot_in_vain("firmware-pins", "0:8"), testing::ExitedWithCode(1),
                "request line 8 of /dev/gpiochip[0-9]+ for pin 0: Invalid argument");
    EXPECT_EXIT(boot_in_vain("firmware-pins", "0:0,2:5"), testing::ExitedWithCode(1),
                "request line 5 of /dev/gpiochip[0-9]+ for pin 2: Device or resource busy");
}

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) != "--require-gpio-sim") {
            std::cerr << argv[0] << ": unknown argument " << argv[i]
                      << "; expected --require-gpio-sim\n";
            return 2;
        }
        gpio_sim_is_required = true;
    }
    return RUN_ALL_TESTS();
}
