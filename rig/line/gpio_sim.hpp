// GpioSim is a GPIO chip of the kernel's simulator (gpio-sim, set up over configfs), for tests: it
// comes with the object and goes with it. The test plays the board: it pulls lines up and down and
// looks at what is driven on them. Needs root, configfs and the module gpio-sim; why_absent() says
// what is missing. Only tests include this. Not thread-safe.
//
// The simulator runs two edges on one line together when they come within a few milliseconds: wait
// for each edge before making the next. A line that is let go of keeps its value until it is pulled
// again: pull it, then look.
#pragma once

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

#include "rig/line/level.hpp"

namespace rig::testing {

class GpioSim {
  public:
    struct Shape {
        std::string label = "test-lines";
        unsigned lines = 8;
        std::map<unsigned, std::string> names = {};
        std::map<unsigned, std::string> hogs = {};  ///< lines that the kernel itself holds, and who
    };

    /// Empty: a GpioSim can be made here.
    [[nodiscard]] static std::string why_absent() {
        if (!std::filesystem::is_directory(root())) {
            return "no " + root().string() + ": load gpio-sim and mount configfs, as root";
        }
        return ::access(root().c_str(), W_OK) == 0 ? "" : root().string() + " needs root";
    }

    explicit GpioSim(const Shape& shape) {
        static int made = 0;
        config_ = root() / ("wwep-" + std::to_string(::getpid()) + "-" + std::to_string(++made));
        const auto bank = config_ / "bank0";
        std::filesystem::create_directory(config_);
        std::filesystem::create_directory(bank);
        write(bank / "num_lines", std::to_string(shape.lines));
        write(bank / "label", shape.label);
        for (const auto& [offset, name] : shape.names) {
            const auto line = bank / ("line" + std::to_string(offset));
            std::filesystem::create_directory(line);
            write(line / "name", name);
        }
        for (const auto& [offset, name] : shape.hogs) {
            const auto line = bank / ("line" + std::to_string(offset));
            std::filesystem::create_directory(line);
            std::filesystem::create_directory(line / "hog");
            write(line / "hog" / "name", name);
            write(line / "hog" / "direction", "output-high");
        }
        write(config_ / "live", "1");
        name_ = read(bank / "chip_name");
        device_ =
            std::filesystem::path("/sys/devices/platform") / read(config_ / "dev_name") / name_;
    }
    ~GpioSim() {
        std::error_code none;
        try {
            unplug();
        } catch (const std::exception&) {
            return;  // rmdir would fail as well
        }
        remove_folders(config_);
    }
    GpioSim(const GpioSim&) = delete;
    GpioSim& operator=(const GpioSim&) = delete;

    /// "gpiochip0"
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::string path() const { return "/dev/" + name_; }

    void pull(unsigned offset, Level level) const {
        write(line_folder(offset) / "pull", level == Level::high ? "pull-up" : "pull-down");
    }
    [[nodiscard]] Level pulled(unsigned offset) const {
        return read(line_folder(offset) / "pull") == "pull-up" ? Level::high : Level::low;
    }
    [[nodiscard]] Level value(unsigned offset) const {
        return read(line_folder(offset) / "value") == "1" ? Level::high : Level::low;
    }
    /// Takes the chip away, also from under a program that uses it.
    void unplug() const { write(config_ / "live", "0"); }

  private:
    static std::filesystem::path root() { return "/sys/kernel/config/gpio-sim"; }

    [[nodiscard]] std::filesystem::path line_folder(unsigned offset) const {
        return device_ / ("sim_gpio" + std::to_string(offset));
    }
    static void write(const std::filesystem::path& file, const std::string& text) {
        std::ofstream stream(file);
        stream << text << std::flush;
        if (!stream) {
            throw std::runtime_error("write \"" + text + "\" to " + file.string());
        }
    }
    static std::string read(const std::filesystem::path& file) {
        std::ifstream stream(file);
        std::string text;
        std::getline(stream, text);
        return text;
    }
    /// Innermost first; the kernel's files in them go with them.
    static void remove_folders(const std::filesystem::path& folder) {
        std::error_code none;
        for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
            if (entry.is_directory(none)) {
                remove_folders(entry.path());
            }
        }
        ::rmdir(folder.c_str());
    }

    std::filesystem::path config_;
    std::filesystem::path device_;
    std::string name_;
};

/// Whether the program was told --require-gpio-sim: then a chip that cannot be made is a failure.
inline bool gpio_sim_is_required = false;

}  // namespace rig::testing

/// In SetUp() of a fixture that makes a GpioSim.
#define SKIP_WITHOUT_GPIO_SIM()                                         \
    if (const std::string absent = rig::testing::GpioSim::why_absent(); \
        !absent.empty() && !rig::testing::gpio_sim_is_required) {       \
        GTEST_SKIP() << absent;                                         \
    } else if (!absent.empty()) {                                       \
        FAIL() << "--require-gpio-sim was given, but: " << absent;      \
    }
