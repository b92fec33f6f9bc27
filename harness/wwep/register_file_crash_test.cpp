#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <string>

#include "harness/wwep/register_file.hpp"
#include "rig/base/unique_fd.hpp"

namespace {

using harness::RegisterFile;

/// The n-th write of the child, so that parent and child agree without sharing anything. Registers
/// repeat, so that compactions happen while the child is killed.
struct NthWrite {
    explicit NthWrite(std::uint32_t n)
        : device(static_cast<std::uint16_t>(n % 7)),
          reg(static_cast<std::uint8_t>(n % 3)),
          value(static_cast<std::uint16_t>(n)) {}
    std::uint16_t device;
    std::uint8_t reg;
    std::uint16_t value;
};

/// Writes for ever, and says after each write that it returned.
[[noreturn]] void write_for_ever(const std::filesystem::path& path, int report_fd) {
    auto registers = RegisterFile::open(path);
    for (std::uint32_t n = 1;; ++n) {
        const NthWrite write(n);
        registers.write(write.device, write.reg, write.value);
        if (::write(report_fd, &n, sizeof n) != sizeof n) {
            ::_exit(1);
        }
    }
}

/// Kills a writing child once it has reported `count` writes; the last write that it reported.
std::uint32_t kill_after(std::uint32_t count, const std::filesystem::path& path) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe2");
    }
    const rig::UniqueFd reader(ends[0]);
    rig::UniqueFd writer(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        write_for_ever(path, writer.get());
    }
    writer.reset();
    std::uint32_t reported = 0;
    bool is_killed = false;
    std::uint32_t next = 0;
    while (::read(reader.get(), &next, sizeof next) == sizeof next) {
        reported = next;
        if (reported >= count && !is_killed) {
            ::kill(child, SIGKILL);
            is_killed = true;  // What is still in the pipe was reported before the kill.
        }
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return reported;
}

TEST(RegisterFileCrash, loses_no_write_that_returned_before_a_kill) {
    std::string name = testing::TempDir() + "registers-crash-XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(name.data());
    // 8,250 is about where the first compaction happens.
    for (const std::uint32_t count : {1U, 2U, 100U, 8'210U, 8'240U, 8'250U, 20'000U}) {
        const auto path = folder / std::to_string(count);
        const std::uint32_t reported = kill_after(count, path);
        ASSERT_GE(reported, count);

        const auto registers = RegisterFile::open(path);
        constexpr std::uint32_t places = 21;  // n % 7 and n % 3 repeat together
        for (std::uint32_t n = reported > places ? reported - places + 1 : 1; n <= reported; ++n) {
            const NthWrite write(n);
            const auto found = registers.read(write.device, write.reg);
            ASSERT_TRUE(found.has_value()) << "write " << n << " of " << reported;
            // The write after the last one reported may have been stored as well.
            const bool is_overwritten = n + places == reported + 1 && *found == reported + 1;
            ASSERT_TRUE(*found == write.value || is_overwritten)
                << "write " << n << " of " << reported << " reads " << *found;
        }
    }
    std::filesystem::remove_all(folder);
}

}  // namespace
