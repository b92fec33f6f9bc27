// RegisterFile is what the server stores: 65,536 devices of 256 registers of 16 bits. A device
// takes memory (about 0.6 KiB) once something is written to it. Made by open() it also keeps its
// values in a file, which it owns and locks until it goes. Used from the loop's thread only.
//
// What the file promises: a write() that returned survives the death of the process, kill -9
// included. It does not wait for the disk: at power loss the last seconds may be lost, and the file
// then opens with an earlier state. The file holds at most about twice what is alive, plus 64 KiB.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <unordered_map>

#include "rig/base/unique_fd.hpp"

namespace harness {

class RegisterFile {
  public:
    static constexpr std::size_t devices_max = 65'536;
    static constexpr std::size_t registers_per_device = 256;
    /// Records in the file that are dead at most, besides as many as are alive.
    static constexpr std::size_t dead_records_max = 8'192;

    /// Kept in memory only.
    RegisterFile() = default;
    /// Kept in `path` as well; an absent or empty file starts empty. Throws std::system_error that
    /// names the path when it cannot be used, and rig::RigError with path and remedy when another
    /// process has it open, or when it is damaged or no register file. A last record that was cut
    /// off in the middle is dropped.
    [[nodiscard]] static RegisterFile open(const std::filesystem::path& path);

    /// The value written last; nothing if that register was never written.
    [[nodiscard]] std::optional<std::uint16_t> read(std::uint16_t device, std::uint8_t reg) const;
    /// Throws std::system_error (disk full, I/O error) and then has changed nothing.
    void write(std::uint16_t device, std::uint8_t reg, std::uint16_t value);
    /// Forgets every register of every device. Throws as write() does.
    void clear();
    /// How many devices have a written register.
    [[nodiscard]] std::size_t device_count() const { return devices_.size(); }

  private:
    struct Device {
        std::array<std::uint16_t, registers_per_device> values{};
        std::bitset<registers_per_device> written;
    };

    void load();
    void cut_to(std::size_t size);
    void append(std::uint16_t device, std::uint8_t reg, std::uint16_t value);
    [[nodiscard]] bool compact();
    void store(std::uint16_t device, std::uint8_t reg, std::uint16_t value);

    std::unordered_map<std::uint16_t, std::unique_ptr<Device>> devices_;
    std::size_t registers_written_ = 0;
    std::filesystem::path path_;  // empty: memory only
    rig::UniqueFd file_;
    std::size_t records_in_file_ = 0;
    std::size_t compaction_retry_at_ = 0;  // records in the file; 0 unless a compaction failed
};

}  // namespace harness
