#include "harness/wwep/register_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "rig/base/errors.hpp"

namespace {

using harness::RegisterFile;
using testing::HasSubstr;

/// A folder of the test's own, gone with it.
class RegisterFileOnDisk : public testing::Test {
  protected:
    RegisterFileOnDisk() {
        std::string name = testing::TempDir() + "registers-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        path_ = folder_ / "registers";
    }
    ~RegisterFileOnDisk() override { std::filesystem::remove_all(folder_); }

    std::string content() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void put(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

    std::string refusal() const {
        try {
            static_cast<void>(RegisterFile::open(path_));
        } catch (const rig::RigError& error) {
            return error.what();
        }
        return "not refused";
    }

    std::filesystem::path folder_;
    std::filesystem::path path_;
};

TEST(RegisterFile, has_nothing_where_nothing_was_written) {
    RegisterFile registers;
    EXPECT_EQ(registers.read(0x0FAC, 0x0B), std::nullopt);
    registers.write(0x0FAC, 0x0B, 0);
    EXPECT_EQ(registers.read(0x0FAC, 0x0B), 0);
    EXPECT_EQ(registers.read(0x0FAC, 0x0C), std::nullopt);
    EXPECT_EQ(registers.read(0x0FAD, 0x0B), std::nullopt);
    EXPECT_EQ(registers.device_count(), 1U);
}

TEST(RegisterFile, keeps_each_device_apart_for_all_65536) {
    RegisterFile registers;
    for (std::uint32_t device = 0; device < RegisterFile::devices_max; ++device) {
        registers.write(static_cast<std::uint16_t>(device), 5,
                        static_cast<std::uint16_t>(0xFFFF - device));
    }
    EXPECT_EQ(registers.device_count(), RegisterFile::devices_max);
    for (std::uint32_t device = 0; device < RegisterFile::devices_max; ++device) {
        ASSERT_EQ(registers.read(static_cast<std::uint16_t>(device), 5), 0xFFFF - device);
        ASSERT_EQ(registers.read(static_cast<std::uint16_t>(device), 6), std::nullopt);
    }
}

TEST(RegisterFile, keeps_all_256_registers_of_a_device_apart) {
    RegisterFile registers;
    for (std::uint16_t reg = 0; reg < 256; ++reg) {
        registers.write(1, static_cast<std::uint8_t>(reg), static_cast<std::uint16_t>(reg * 3));
    }
    for (std::uint16_t reg = 0; reg < 256; ++reg) {
        EXPECT_EQ(registers.read(1, static_cast<std::uint8_t>(reg)), reg * 3);
    }
    EXPECT_EQ(registers.device_count(), 1U);
}

TEST(RegisterFile, forgets_everything_when_cleared) {
    RegisterFile registers;
    registers.write(1, 2, 3);
    registers.clear();
    EXPECT_EQ(registers.read(1, 2), std::nullopt);
    EXPECT_EQ(registers.device_count(), 0U);
}

TEST_F(RegisterFileOnDisk, keeps_its_values_across_a_restart) {
    {
        auto registers = RegisterFile::open(path_);
        registers.write(0x0FAC, 0x0B, 0x1234);
        registers.write(0xFFFF, 0xFF, 0xFFFF);
        registers.write(0x0FAC, 0x0B, 0x5678);
    }
    const auto registers = RegisterFile::open(path_);
    EXPECT_EQ(registers.read(0x0FAC, 0x0B), 0x5678);
    EXPECT_EQ(registers.read(0xFFFF, 0xFF), 0xFFFF);
    EXPECT_EQ(registers.read(0x0FAC, 0x0C), std::nullopt);
    EXPECT_EQ(registers.device_count(), 2U);
}

TEST_F(RegisterFileOnDisk, keeps_all_65536_devices_across_a_restart) {
    {
        auto registers = RegisterFile::open(path_);
        for (std::uint32_t device = 0; device < RegisterFile::devices_max; ++device) {
            registers.write(static_cast<std::uint16_t>(device), 5,
                            static_cast<std::uint16_t>(device ^ 0x5A5A));
        }
    }
    const auto registers = RegisterFile::open(path_);
    ASSERT_EQ(registers.device_count(), RegisterFile::devices_max);
    for (std::uint32_t device = 0; device < RegisterFile::devices_max; ++device) {
        ASSERT_EQ(registers.read(static_cast<std::uint16_t>(device), 5), device ^ 0x5A5A);
    }
}

TEST_F(RegisterFileOnDisk, stays_cleared_across_a_restart) {
    {
        auto registers = RegisterFile::open(path_);
        registers.write(1, 2, 3);
        registers.clear();
        registers.write(4, 5, 6);
    }
    const auto registers = RegisterFile::open(path_);
    EXPECT_EQ(registers.read(1, 2), std::nullopt);
    EXPECT_EQ(registers.read(4, 5), 6);
}

TEST_F(RegisterFileOnDisk, starts_empty_with_an_empty_file) {
    put("");
    auto registers = RegisterFile::open(path_);
    EXPECT_EQ(registers.device_count(), 0U);
    registers.write(1, 2, 3);
    EXPECT_EQ(registers.read(1, 2), 3);
}

TEST_F(RegisterFileOnDisk, does_not_grow_with_the_number_of_writes) {
    auto registers = RegisterFile::open(path_);
    for (std::uint32_t turn = 0; turn < 50'000; ++turn) {
        registers.write(1, static_cast<std::uint8_t>(turn % 4), static_cast<std::uint16_t>(turn));
        ASSERT_LE(registers.read(1, static_cast<std::uint8_t>(turn % 4)), turn);
    }
    EXPECT_LE(std::filesystem::file_size(path_), 8 * (1 + 2 * 4 + RegisterFile::dead_records_max));
    EXPECT_FALSE(std::filesystem::exists(path_.string() + ".new"));
    registers = RegisterFile();
    const auto reopened = RegisterFile::open(path_);
    for (std::uint32_t turn = 49'996; turn < 50'000; ++turn) {
        EXPECT_EQ(reopened.read(1, static_cast<std::uint8_t>(turn % 4)), turn);
    }
}

TEST_F(RegisterFileOnDisk, keeps_a_link_to_it_a_link) {
    const auto link = folder_ / "link";
    std::filesystem::create_symlink(path_, link);
    auto registers = RegisterFile::open(link);
    for (std::uint32_t turn = 0; turn < 10'000; ++turn) {  // At least one compaction.
        registers.write(1, 1, static_cast<std::uint16_t>(turn));
    }
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(RegisterFileOnDisk, refuses_a_second_opener_also_after_a_compaction) {
    auto registers = RegisterFile::open(path_);
    EXPECT_THAT(refusal(), HasSubstr("another server has this file open"));
    for (std::uint32_t turn = 0; turn < 10'000; ++turn) {
        registers.write(1, 1, static_cast<std::uint16_t>(turn));
    }
    EXPECT_THAT(refusal(), HasSubstr("another server has this file open"));
    EXPECT_THAT(refusal(), HasSubstr(path_.string()));
    registers = RegisterFile();
    EXPECT_EQ(refusal(), "not refused");
}

TEST_F(RegisterFileOnDisk, refuses_a_foreign_file_and_leaves_it_alone) {
    for (const std::string& foreign : {std::string("hello, this is a letter\n"), std::string("x"),
                                       std::string(100, '\0'), std::string("WWEPREG2")}) {
        put(foreign);
        EXPECT_THAT(refusal(), HasSubstr(path_.string()));
        EXPECT_THAT(refusal(), HasSubstr("this is no register file; move it away"));
        EXPECT_EQ(content(), foreign);
    }
}

TEST_F(RegisterFileOnDisk, drops_a_last_record_that_was_cut_off_anywhere) {
    {
        auto registers = RegisterFile::open(path_);
        registers.write(1, 1, 1);
        registers.write(2, 2, 2);
    }
    const std::string whole = content();
    ASSERT_EQ(whole.size(), 24U);
    for (std::size_t size = 16; size < whole.size(); ++size) {
        put(whole.substr(0, size));
        {
            auto registers = RegisterFile::open(path_);
            EXPECT_EQ(registers.read(1, 1), 1) << size;
            EXPECT_EQ(registers.read(2, 2), std::nullopt) << size;
            registers.write(3, 3, 3);
        }
        const auto registers = RegisterFile::open(path_);
        EXPECT_EQ(registers.read(1, 1), 1) << size;
        EXPECT_EQ(registers.read(3, 3), 3) << size;
    }
}

TEST_F(RegisterFileOnDisk, completes_a_header_that_was_cut_off) {
    for (std::size_t size = 0; size < 8; ++size) {
        put(std::string("WWEPREG1").substr(0, size));
        {
            auto registers = RegisterFile::open(path_);
            registers.write(3, 3, 3);
        }
        EXPECT_EQ(RegisterFile::open(path_).read(3, 3), 3) << size;
    }
}

TEST_F(RegisterFileOnDisk, drops_zeros_that_power_loss_left_at_the_end) {
    {
        auto registers = RegisterFile::open(path_);
        registers.write(1, 1, 1);
    }
    put(content() + std::string(4096, '\0'));
    const auto registers = RegisterFile::open(path_);
    EXPECT_EQ(registers.read(1, 1), 1);
    EXPECT_EQ(registers.device_count(), 1U);
    EXPECT_EQ(std::filesystem::file_size(path_), 16U);
}

TEST_F(RegisterFileOnDisk, refuses_damage_in_the_middle_and_says_where) {
    {
        auto registers = RegisterFile::open(path_);
        for (std::uint16_t each = 0; each < 10; ++each) {
            registers.write(each, 1, each);
        }
    }
    std::string damaged = content();
    damaged[8 + 3 * 8 + 4] ^= 0x40;
    put(damaged);
    EXPECT_THAT(refusal(), HasSubstr("damaged at byte 32"));
    EXPECT_THAT(refusal(), HasSubstr("move it away"));
    EXPECT_EQ(content(), damaged);
}

TEST_F(RegisterFileOnDisk, names_a_path_that_cannot_be_opened) {
    try {
        static_cast<void>(RegisterFile::open(folder_ / "missing" / "registers"));
        FAIL() << "opened a file in a folder that is not there";
    } catch (const std::system_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("open registers"));
        EXPECT_THAT(error.what(), HasSubstr("missing/registers"));
    }
}

/// Files of this process may not grow beyond `bytes` while it lives: a full disk.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    rlimit before_{};
};

TEST_F(RegisterFileOnDisk, changes_nothing_when_a_write_finds_the_disk_full) {
    auto registers = RegisterFile::open(path_);
    registers.write(1, 1, 1);
    {
        const FileSizeLimit full(20);  // Half of the next record fits.
        EXPECT_THROW(registers.write(1, 1, 2), std::system_error);
        EXPECT_EQ(registers.read(1, 1), 1);
    }
    registers.write(1, 1, 3);
    registers = RegisterFile();
    EXPECT_EQ(RegisterFile::open(path_).read(1, 1), 3);
}

/// Writes to two registers of device 1 until the file has been compacted, and once more.
void write_until_compacted(RegisterFile& registers, const std::filesystem::path& path) {
    std::uint16_t turn = 0;
    for (std::uintmax_t size = 0; std::filesystem::file_size(path) >= size; ++turn) {
        size = std::filesystem::file_size(path);
        registers.write(1, static_cast<std::uint8_t>(turn % 2), turn);
        ASSERT_LT(turn, 20'000);
    }
}

TEST_F(RegisterFileOnDisk, changes_nothing_when_the_disk_is_full_right_after_a_compaction) {
    auto registers = RegisterFile::open(path_);
    write_until_compacted(registers, path_);
    const auto first = registers.read(1, 0);
    const auto second = registers.read(1, 1);
    {
        const FileSizeLimit full(std::filesystem::file_size(path_) + 4);
        EXPECT_THROW(registers.write(1, 2, 2), std::system_error);
    }
    registers = RegisterFile();
    registers = RegisterFile::open(path_);
    EXPECT_EQ(registers.read(1, 0), first);
    EXPECT_EQ(registers.read(1, 1), second);
    EXPECT_EQ(registers.read(1, 2), std::nullopt);
}

TEST_F(RegisterFileOnDisk, goes_on_in_the_old_file_when_it_cannot_be_compacted) {
    const std::filesystem::path in_the_way = path_.string() + ".new";
    std::filesystem::create_directory(in_the_way);
    auto registers = RegisterFile::open(path_);
    for (std::uint16_t turn = 0; turn < 30'000; ++turn) {
        registers.write(1, 1, turn);
    }
    EXPECT_EQ(std::filesystem::file_size(path_), 8U * (1 + 30'000));
    std::filesystem::remove(in_the_way);
    write_until_compacted(registers, path_);
    const auto last = registers.read(1, 1);
    registers = RegisterFile();
    EXPECT_EQ(RegisterFile::open(path_).read(1, 1), last);
}

}  // namespace
