#include "harness/wwep/register_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

// The file: a header of 8 bytes, then one record of 8 bytes for each write, oldest first: device,
// register, value (most significant byte first), and a check over those five bytes.
constexpr std::string_view header = "WWEPREG1";
constexpr std::size_t record_size = 8;
constexpr std::size_t header_size = 8;
static_assert(header.size() == header_size);

using Record = std::array<std::uint8_t, record_size>;

/// FNV-1a, its low 24 bits. A record of zeros, which a file system may leave behind at power loss,
/// has a check other than zero.
std::uint32_t check_of(std::span<const std::uint8_t> bytes) {
    std::uint32_t hash = 2'166'136'261U;
    for (const std::uint8_t byte : bytes) {
        hash = (hash ^ byte) * 16'777'619U;
    }
    return hash & 0xFF'FFFFU;
}

Record encode(std::uint16_t device, std::uint8_t reg, std::uint16_t value) {
    Record record{static_cast<std::uint8_t>(device >> 8), static_cast<std::uint8_t>(device & 0xFF),
                  reg, static_cast<std::uint8_t>(value >> 8),
                  static_cast<std::uint8_t>(value & 0xFF)};
    const std::uint32_t check = check_of(std::span(record).first(5));
    record[5] = static_cast<std::uint8_t>(check >> 16);
    record[6] = static_cast<std::uint8_t>((check >> 8) & 0xFF);
    record[7] = static_cast<std::uint8_t>(check & 0xFF);
    return record;
}

std::uint16_t two_bytes(std::span<const std::uint8_t> bytes) {
    return static_cast<std::uint16_t>((bytes[0] << 8) | bytes[1]);
}

bool is_whole(std::span<const std::uint8_t> record) {
    const std::uint32_t stored =
        (std::uint32_t{record[5]} << 16) | (std::uint32_t{record[6]} << 8) | record[7];
    return check_of(record.first(5)) == stored;
}

/// Writes all of `bytes`; on failure the error number, else 0.
int write_all(int fd, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return 0;
}

std::vector<std::uint8_t> read_all(int fd, const std::filesystem::path& path) {
    std::vector<std::uint8_t> bytes;
    std::array<std::uint8_t, 65'536> block{};
    while (true) {
        const ssize_t count = ::read(fd, block.data(), block.size());
        if (count < 0) {
            const int error = errno;
            if (error == EINTR) {
                continue;
            }
            rig::throw_system_error(error, fmt::format("read registers from {}", path.string()));
        }
        if (count == 0) {
            return bytes;
        }
        bytes.insert(bytes.end(), block.begin(), block.begin() + count);
    }
}

bool names_this_file(const std::filesystem::path& path, int fd) {
    struct stat by_name {};
    struct stat by_fd {};
    return ::stat(path.c_str(), &by_name) == 0 && ::fstat(fd, &by_fd) == 0 &&
           by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev;
}

/// Opens and locks. The lock lies on the file itself, and compaction replaces the file, so the
/// name may point elsewhere by the time that the lock is ours: then the new file is tried.
rig::UniqueFd open_locked(const std::filesystem::path& path) {
    while (true) {
        rig::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
        if (!file) {
            rig::throw_system_error(errno, fmt::format("open registers {}", path.string()));
        }
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            if (error == EWOULDBLOCK) {
                throw rig::RigError(fmt::format(
                    "registers {}: another server has this file open; end it, or name another file",
                    path.string()));
            }
            rig::throw_system_error(error, fmt::format("lock registers {}", path.string()));
        }
        if (names_this_file(path, file.get())) {
            return file;
        }
    }
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
    throw rig::RigError(
        fmt::format("registers {}: {}; move it away to start with empty registers, or name another "
                    "file",
                    path.string(), what));
}

std::span<const std::uint8_t> header_bytes() {
    return {reinterpret_cast<const std::uint8_t*>(header.data()), header.size()};
}

/// Looks at the first bytes only: what is not ours may be large.
void refuse_foreign(int fd, const std::filesystem::path& path) {
    std::array<std::uint8_t, header_size> start{};
    const ssize_t count = ::pread(fd, start.data(), start.size(), 0);
    if (count < 0) {
        rig::throw_system_error(errno, fmt::format("read registers from {}", path.string()));
    }
    if (!std::equal(start.begin(), start.begin() + count, header_bytes().begin())) {
        refuse(path, "this is no register file");
    }
}

}  // namespace

RegisterFile RegisterFile::open(const std::filesystem::path& path) {
    RegisterFile result;
    result.file_ = open_locked(path);
    // Compaction renames over the path: through a link it must replace the file, not the link.
    result.path_ = std::filesystem::canonical(path);
    result.load();
    return result;
}

void RegisterFile::load() {
    refuse_foreign(file_.get(), path_);
    const std::vector<std::uint8_t> bytes = read_all(file_.get(), path_);
    if (bytes.size() < header_size) {  // New, or its maker was killed while it wrote the header.
        cut_to(0);
        if (const int error = write_all(file_.get(), header_bytes()); error != 0) {
            rig::throw_system_error(error, fmt::format("write registers to {}", path_.string()));
        }
        return;
    }
    auto rest = std::span(bytes).subspan(header_size);
    while (rest.size() >= record_size && is_whole(rest.first(record_size))) {
        store(two_bytes(rest), rest[2], two_bytes(rest.subspan(3)));
        ++records_in_file_;
        rest = rest.subspan(record_size);
    }
    if (rest.empty()) {
        return;
    }
    // One record may have been cut off by a kill, and power loss may leave zeros in place of the
    // newest ones. Anything else that does not check was good once: it is not ours to drop.
    const bool is_zeros =
        std::all_of(rest.begin(), rest.end(), [](auto byte) { return byte == 0; });
    if (rest.size() > record_size && !is_zeros) {
        refuse(path_, fmt::format("damaged at byte {}", bytes.size() - rest.size()));
    }
    cut_to(header_size + records_in_file_ * record_size);
}

void RegisterFile::cut_to(std::size_t size) {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) {
        rig::throw_system_error(errno, fmt::format("cut registers {}", path_.string()));
    }
}

std::optional<std::uint16_t> RegisterFile::read(std::uint16_t device, std::uint8_t reg) const {
    const auto found = devices_.find(device);
    if (found == devices_.end() || !found->second->written[reg]) {
        return std::nullopt;
    }
    return found->second->values[reg];
}

void RegisterFile::write(std::uint16_t device, std::uint8_t reg, std::uint16_t value) {
    if (read(device, reg) == value) {
        return;
    }
    if (file_) {
        append(device, reg, value);
    }
    store(device, reg, value);
    if (file_ && records_in_file_ >
                     std::max(compaction_retry_at_, 2 * registers_written_ + dead_records_max)) {
        // The value is safe in the old file, so a compaction that fails may wait.
        compaction_retry_at_ = compact() ? 0 : 2 * records_in_file_;
    }
}

void RegisterFile::clear() {
    if (file_) {
        cut_to(header_size);
    }
    devices_.clear();
    registers_written_ = 0;
    records_in_file_ = 0;
}

void RegisterFile::append(std::uint16_t device, std::uint8_t reg, std::uint16_t value) {
    if (const int error = write_all(file_.get(), encode(device, reg, value)); error != 0) {
        // Half a record must not lie under the next one. Should this fail too, the next open()
        // finds the damage.
        cut_to(header_size + records_in_file_ * record_size);
        rig::throw_system_error(error, fmt::format("write registers to {}", path_.string()));
    }
    ++records_in_file_;
}

bool RegisterFile::compact() {
    const std::filesystem::path next_path = path_.string() + ".new";
    rig::UniqueFd next(
        ::open(next_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
    if (!next || ::flock(next.get(), LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    std::vector<std::uint8_t> bytes(header.begin(), header.end());
    bytes.reserve(header_size + registers_written_ * record_size);
    for (const auto& [device, registers] : devices_) {
        for (std::size_t reg = 0; reg < registers_per_device; ++reg) {
            if (registers->written[reg]) {
                const Record record =
                    encode(device, static_cast<std::uint8_t>(reg), registers->values[reg]);
                bytes.insert(bytes.end(), record.begin(), record.end());
            }
        }
    }
    // On the disk before it takes the old file's name, so that power loss finds one of the two.
    if (write_all(next.get(), bytes) != 0 || ::fsync(next.get()) != 0 ||
        ::rename(next_path.c_str(), path_.c_str()) != 0) {
        ::unlink(next_path.c_str());
        return false;
    }
    file_ = std::move(next);
    records_in_file_ = registers_written_;
    return true;
}

void RegisterFile::store(std::uint16_t device, std::uint8_t reg, std::uint16_t value) {
    auto& registers = devices_[device];
    if (!registers) {
        registers = std::make_unique<Device>();
    }
    if (!registers->written[reg]) {
        registers->written.set(reg);
        ++registers_written_;
    }
    registers->values[reg] = value;
}

}  // namespace harness
