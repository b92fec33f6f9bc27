// A GPIO chip of the kernel's simulator, gpio-sim, as what the board's pins are wired to: the test
// pulls lines and looks at what the board drives. Needs root, configfs and the module gpio-sim;
// exists() says whether they are there. Comes and goes with the object. Only tests include this.
//
// The simulator runs edges together that follow each other at once: wait for each.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace testing_pins {

class SimPins {
  public:
    static constexpr int kLines = 8;
    static constexpr int kHeldLine = 5;  // by "board-power", of the kernel itself

    static bool exists() { return ::access(kRoot, W_OK) == 0; }

    explicit SimPins(const std::string& label) : config_(kRoot / std::filesystem::path(label)) {
        const auto bank = config_ / "bank0";
        const auto hog = bank / ("line" + std::to_string(kHeldLine)) / "hog";
        for (const auto& folder : {config_, bank, hog.parent_path(), hog}) {
            std::filesystem::create_directory(folder);
        }
        write(bank / "num_lines", std::to_string(kLines));
        write(bank / "label", label);
        write(hog / "name", "board-power");
        write(hog / "direction", "output-high");
        write(config_ / "live", "1");
        name_ = read(bank / "chip_name");
        device_ =
            std::filesystem::path("/sys/devices/platform") / read(config_ / "dev_name") / name_;
    }
    SimPins(const SimPins&) = delete;
    SimPins& operator=(const SimPins&) = delete;
    ~SimPins() {
        try {
            unplug();
        } catch (const std::exception&) {
            return;  // the folders cannot be removed then either
        }
        const auto line = config_ / "bank0" / ("line" + std::to_string(kHeldLine));
        for (const auto& folder : {line / "hog", line, config_ / "bank0", config_}) {
            ::rmdir(folder.c_str());
        }
    }

    [[nodiscard]] std::string path() const { return "/dev/" + name_; }
    void pull(int line, bool is_high) const {
        write(folder_of(line) / "pull", is_high ? "pull-up" : "pull-down");
    }
    [[nodiscard]] bool is_high(int line) const { return read(folder_of(line) / "value") == "1"; }
    /// Takes the chip away from under the board; twice is fine.
    void unplug() const { write(config_ / "live", "0"); }

  private:
    static constexpr const char* kRoot = "/sys/kernel/config/gpio-sim";

    [[nodiscard]] std::filesystem::path folder_of(int line) const {
        return device_ / ("sim_gpio" + std::to_string(line));
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

    std::filesystem::path config_;
    std::filesystem::path device_;
    std::string name_;
};

}  // namespace testing_pins
