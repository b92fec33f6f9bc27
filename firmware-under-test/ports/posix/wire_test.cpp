#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "testing/peer.hpp"
#include "wiced.h"

extern "C" {
#include "gpio.h"
#include "kernel.h"
#include "wire.h"
}

namespace {

using Record = std::array<std::uint8_t, WIRE_RECORD_SIZE>;

wiced_semaphore_t wire_over;
wire_end_t wire_end_seen;

void remember_end(wire_end_t end) {
    wire_end_seen = end;
    wiced_rtos_set_semaphore(&wire_over);
}

std::uint64_t at_ns(const Record& record) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        value |= std::uint64_t{record[16 + i]} << (8 * i);
    }
    return value;
}

class Wire : public testing::Test {
  protected:
    void SetUp() override {
        std::array<int, 2> ends{};
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        rig_ = ends[0];
        log_ = std::filesystem::temp_directory_path() /
               ("wwep_board_" + std::to_string(::getpid()) + ".log");
        std::filesystem::remove(log_);
        wiced_rtos_init_semaphore(&wire_over);
        wiced_rtos_init_semaphore(&interrupts_);
        gpio_boot();
        ASSERT_TRUE(wire_boot(ends[1], log_.c_str(), remember_end));
        is_booted_ = true;
    }

    void TearDown() override {
        if (is_booted_ && rig_ >= 0) {
            cut();
        }
        std::filesystem::remove(log_);
    }

    void cut() {
        ::close(std::exchange(rig_, -1));
        ASSERT_EQ(wiced_rtos_get_semaphore(&wire_over, 5000), WICED_SUCCESS);
    }

    Record read_record() {
        Record record{};
        EXPECT_EQ(::recv(rig_, record.data(), record.size(), MSG_WAITALL),
                  static_cast<ssize_t>(record.size()));
        return record;
    }

    void skip_greeting() {
        for (int i = 0; i < 3; ++i) {
            (void)read_record();
        }
    }

    void send_record(const Record& record) {
        ASSERT_EQ(::send(rig_, record.data(), record.size(), 0),
                  static_cast<ssize_t>(record.size()));
    }

    void drive(std::uint8_t pin, std::uint8_t level) {
        send_record(Record{WIRE_DRIVE, pin, level, WIRE_VERSION});
    }

    /// The board's log without its timestamps.
    std::string log_text() {
        std::ifstream log(log_);
        std::string text;
        for (std::string at, line; log >> at && std::getline(log >> std::ws, line);) {
            EXPECT_GT(std::stoull(at), 0u);
            text += line + "\n";
        }
        return text;
    }

    int rig_ = -1;
    bool is_booted_ = false;
    std::filesystem::path log_;
    static inline wiced_semaphore_t interrupts_;
};

void count_interrupt(void* semaphore) {
    wiced_rtos_set_semaphore(static_cast<wiced_semaphore_t*>(semaphore));
}

TEST_F(Wire, StartsWithTheLedsLowAndHello) {
    for (const auto& expected : {Record{WIRE_INITIAL, 2, 0, 1}, Record{WIRE_INITIAL, 3, 0, 1},
                                 Record{WIRE_HELLO, 0, 0, 1}}) {
        Record record = read_record();
        EXPECT_GT(at_ns(record), 0u);
        std::fill(record.begin() + 16, record.end(), std::uint8_t{0});
        EXPECT_EQ(record, expected);
    }
}

TEST_F(Wire, AnLedsEdgesAreCountedAndStampedAndRepeatsAreSilent) {
    skip_greeting();
    const std::uint64_t before = kernel_now_ns();
    wiced_gpio_output_high(WICED_LED2);
    wiced_gpio_output_high(WICED_LED2);
    wiced_gpio_output_low(WICED_LED2);
    const std::uint64_t after = kernel_now_ns();
    Record first = read_record();
    Record second = read_record();
    EXPECT_GE(at_ns(first), before);
    EXPECT_LE(at_ns(first), at_ns(second));
    EXPECT_LE(at_ns(second), after);
    std::fill(first.begin() + 16, first.end(), std::uint8_t{0});
    std::fill(second.begin() + 16, second.end(), std::uint8_t{0});
    EXPECT_EQ(first, (Record{WIRE_EDGE, 3, 1, 1, 0, 0, 0, 0, 1}));
    EXPECT_EQ(second, (Record{WIRE_EDGE, 3, 0, 1, 0, 0, 0, 0, 2}));
    EXPECT_FALSE(testing_peer::wait_readable(rig_, 20));
}

TEST_F(Wire, TheLedFunctionDrivesTheSamePins) {
    skip_greeting();
    EXPECT_EQ(wiced_led_set_state(WICED_LED_INDEX_1, WICED_LED_ON), WICED_SUCCESS);
    EXPECT_EQ(read_record()[1], 2);
    EXPECT_EQ(wiced_gpio_input_get(WICED_LED1), WICED_TRUE);
    EXPECT_EQ(wiced_led_set_state(WICED_LED_INDEX_3, WICED_LED_ON), WICED_BADARG);
}

TEST_F(Wire, AFallingTriggerFiresOncePerPress) {
    ASSERT_EQ(wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, count_interrupt,
                                          &interrupts_),
              WICED_SUCCESS);
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_TRUE);
    drive(0, 0);
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 5000), WICED_SUCCESS);
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_FALSE);
    drive(0, 0);
    drive(0, 2);
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 30), WICED_TIMEOUT);
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_TRUE);
}

TEST_F(Wire, ABothEdgesTriggerFiresForPressAndRelease) {
    wiced_gpio_input_irq_enable(WICED_BUTTON2, IRQ_TRIGGER_BOTH_EDGES, count_interrupt,
                                &interrupts_);
    drive(1, 0);
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 5000), WICED_SUCCESS);
    drive(1, 2);
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 5000), WICED_SUCCESS);
    drive(1, 1);
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 30), WICED_TIMEOUT);
}

TEST_F(Wire, ARisingTriggerIgnoresThePress) {
    wiced_gpio_input_irq_enable(WICED_BUTTON2, IRQ_TRIGGER_RISING_EDGE, count_interrupt,
                                &interrupts_);
    drive(1, 0);
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 30), WICED_TIMEOUT);
    drive(1, 2);
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 5000), WICED_SUCCESS);
}

TEST_F(Wire, AnEnabledInterruptKeepsItsHandlerAndGives6010) {
    EXPECT_EQ(wiced_gpio_input_irq_disable(WICED_BUTTON1), 6010);
    EXPECT_EQ(
        wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_LEVEL_LOW, count_interrupt, nullptr),
        WICED_BADARG);
    EXPECT_EQ(wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, count_interrupt,
                                          &interrupts_),
              WICED_SUCCESS);
    EXPECT_EQ(wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_RISING_EDGE, count_interrupt,
                                          &interrupts_),
              6010);
    EXPECT_EQ(wiced_gpio_input_irq_disable(WICED_BUTTON1), WICED_SUCCESS);
    drive(0, 0);
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 30), WICED_TIMEOUT);
}

TEST_F(Wire, AHandlerNeverWaits) {
    static wiced_semaphore_t never;
    static wiced_result_t result;
    wiced_rtos_init_semaphore(&never);
    const auto handler = [](void* done) {
        result = wiced_rtos_get_semaphore(&never, WICED_WAIT_FOREVER);
        count_interrupt(done);
    };
    wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, handler, &interrupts_);
    drive(0, 0);
    ASSERT_EQ(wiced_rtos_get_semaphore(&interrupts_, 5000), WICED_SUCCESS);
    EXPECT_EQ(result, WICED_TIMEOUT);
}

TEST_F(Wire, RecordsCutIntoBytesAreTheSameRecords) {
    wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, count_interrupt,
                                &interrupts_);
    for (const std::uint8_t byte : Record{WIRE_DRIVE, 0, 0, WIRE_VERSION}) {
        ASSERT_EQ(::send(rig_, &byte, 1, 0), 1);
    }
    EXPECT_EQ(wiced_rtos_get_semaphore(&interrupts_, 5000), WICED_SUCCESS);
}

TEST_F(Wire, AFullSocketLosesRecordsButCountsThem) {
    skip_greeting();
    constexpr std::uint64_t kEdges = 20000;
    for (std::uint64_t i = 0; i < kEdges; i += 2) {
        wiced_gpio_output_high(WICED_LED1);
        wiced_gpio_output_low(WICED_LED1);
    }
    std::uint64_t received = 0;
    while (testing_peer::wait_readable(rig_, 20)) {
        const Record record = read_record();
        ASSERT_EQ(record[0], WIRE_EDGE);
        ++received;
    }
    EXPECT_LT(received, kEdges);
    wiced_gpio_output_high(WICED_LED1);
    const Record last = read_record();
    EXPECT_EQ(last[8] + 256u * last[9], kEdges + 1);
}

TEST_F(Wire, EndOfFileReleasesThePinsAndLogsTheCut) {
    drive(0, 0);
    drive(1, 0);
    drive(1, 2);
    cut();
    EXPECT_EQ(wire_end_seen, WIRE_CUT);
    EXPECT_EQ(wiced_gpio_input_get(WICED_BUTTON1), WICED_TRUE);
    EXPECT_EQ(log_text(), "pin 0 low\npin 1 low\npin 1 high\nwire cut\npin 0 high\n");
}

class BrokenRecord : public Wire, public testing::WithParamInterface<Record> {};

TEST_P(BrokenRecord, EndsTheWire) {
    skip_greeting();
    send_record(GetParam());
    ASSERT_EQ(wiced_rtos_get_semaphore(&wire_over, 5000), WICED_SUCCESS);
    EXPECT_EQ(wire_end_seen, WIRE_PROTOCOL_ERROR);
    char byte = 0;
    EXPECT_EQ(::recv(rig_, &byte, 1, 0), 0);
    ::close(std::exchange(rig_, -1));
}

INSTANTIATE_TEST_SUITE_P(Of, BrokenRecord,
                         testing::Values(Record{WIRE_EDGE, 0, 0, 1}, Record{9, 0, 0, 1},
                                         Record{WIRE_DRIVE, 32, 0, 1}, Record{WIRE_DRIVE, 0, 3, 1},
                                         Record{WIRE_DRIVE, 0, 0, 2}));

TEST(Gpio, PullsDecideWhatNobodyDrives) {
    gpio_boot();
    wiced_gpio_init(WICED_GPIO_10, INPUT_PULL_UP);
    EXPECT_EQ(wiced_gpio_input_get(WICED_GPIO_10), WICED_TRUE);
    wiced_gpio_init(WICED_GPIO_10, INPUT_PULL_DOWN);
    EXPECT_EQ(wiced_gpio_input_get(WICED_GPIO_10), WICED_FALSE);
    EXPECT_EQ(wiced_gpio_init(static_cast<wiced_gpio_t>(32), INPUT_PULL_UP), WICED_BADARG);
}

TEST(Gpio, ADeinitialisedPinFloatsWithoutAnInterrupt) {
    gpio_boot();
    wiced_gpio_init(WICED_GPIO_11, OUTPUT_PUSH_PULL);
    EXPECT_EQ(wiced_gpio_output_high(WICED_GPIO_11), WICED_SUCCESS);
    EXPECT_EQ(wiced_gpio_input_get(WICED_GPIO_11), WICED_TRUE);
    const auto nothing = [](void*) {};
    wiced_gpio_input_irq_enable(WICED_GPIO_11, IRQ_TRIGGER_BOTH_EDGES, nothing, nullptr);
    EXPECT_EQ(wiced_gpio_deinit(WICED_GPIO_11), WICED_SUCCESS);
    EXPECT_EQ(wiced_gpio_input_irq_disable(WICED_GPIO_11), 6010);
    gpio_drive(WICED_GPIO_11, GPIO_DRIVE_LOW);
    EXPECT_EQ(wiced_gpio_input_get(WICED_GPIO_11), WICED_FALSE);
}

TEST(Gpio, LevelTriggersAreBadArguments) {
    gpio_boot();
    const auto nothing = [](void*) {};
    EXPECT_EQ(wiced_gpio_input_irq_enable(WICED_BUTTON1, IRQ_TRIGGER_LEVEL_LOW, nothing, nullptr),
              WICED_BADARG);
    EXPECT_EQ(wiced_gpio_input_irq_disable(WICED_BUTTON1), 6010);
}

/// What the callback of the buttons library has seen: pressed and released, in order.
std::string& button_changes() {
    static std::string changes;
    return changes;
}

void note_change(platform_button_t button, wiced_bool_t is_pressed) {
    button_changes() += button == PLATFORM_BUTTON_1 ? '1' : '2';
    button_changes() += is_pressed == WICED_TRUE ? '+' : '-';
}

TEST(Buttons, ReportPressAndReleaseWhileEnabled) {
    gpio_boot();
    button_changes().clear();
    ASSERT_EQ(platform_button_register_state_change_callback(note_change), WICED_SUCCESS);
    EXPECT_EQ(platform_button_init(PLATFORM_BUTTON_1), WICED_SUCCESS);
    gpio_drive(WICED_BUTTON1, GPIO_DRIVE_LOW);
    gpio_drive(WICED_BUTTON1, GPIO_DRIVE_RELEASED);
    EXPECT_EQ(button_changes(), "");
    EXPECT_EQ(platform_button_enable(PLATFORM_BUTTON_1), WICED_SUCCESS);
    EXPECT_EQ(platform_button_enable(PLATFORM_BUTTON_2), WICED_SUCCESS);
    gpio_drive(WICED_BUTTON1, GPIO_DRIVE_LOW);
    EXPECT_EQ(platform_button_get_value(PLATFORM_BUTTON_1), WICED_TRUE);
    EXPECT_EQ(platform_button_get_value(PLATFORM_BUTTON_2), WICED_FALSE);
    gpio_drive(WICED_BUTTON2, GPIO_DRIVE_LOW);
    gpio_drive(WICED_BUTTON1, GPIO_DRIVE_RELEASED);
    EXPECT_EQ(button_changes(), "1+2+1-");
    EXPECT_EQ(platform_button_disable(PLATFORM_BUTTON_2), WICED_SUCCESS);
    gpio_drive(WICED_BUTTON2, GPIO_DRIVE_RELEASED);
    EXPECT_EQ(button_changes(), "1+2+1-");
    EXPECT_EQ(platform_button_init(PLATFORM_BUTTON_MAX), WICED_BADARG);
    EXPECT_EQ(platform_button_deinit(PLATFORM_BUTTON_1), WICED_SUCCESS);
    EXPECT_EQ(platform_button_disable(PLATFORM_BUTTON_1), 6010);
    platform_button_register_state_change_callback(nullptr);
}

}  // namespace
