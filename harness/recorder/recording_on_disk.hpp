// RecordingOnDisk is the fixture of the recorder's tests: a folder of the test's own, gone with it,
// and a second connection's view of the recording in it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "harness/recorder/database.hpp"
#include "harness/recorder/recorder.hpp"

namespace harness {

/// The rows that `sql` yields in the database at `path`: fields joined by '|', NULL as "-".
inline std::vector<std::string> rows_of(const std::filesystem::path& path, std::string_view sql) {
    Database database(path, Database::Access::read_only);
    database.set_busy_timeout_ms(1'000);
    Statement statement(database, sql);
    std::vector<std::string> rows;
    while (statement.step()) {
        std::string row;
        for (int column = 0; column < statement.column_count(); ++column) {
            row += column == 0 ? "" : "|";
            row += statement.is_null(column) ? "-" : statement.text(column);
        }
        rows.push_back(row);
    }
    return rows;
}

class RecordingOnDisk : public testing::Test {
  protected:
    RecordingOnDisk() {
        std::string name = testing::TempDir() + "recording-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        path_ = folder_ / "run.sqlite";
    }
    ~RecordingOnDisk() override { std::filesystem::remove_all(folder_); }

    std::vector<std::string> rows(std::string_view sql) const { return rows_of(path_, sql); }
    std::int64_t count(const std::string& table) const {
        return std::stoll(rows("select count(*) from " + table).at(0));
    }
    rig::Deadline soon() const { return rig::Deadline::after(clock_, std::chrono::seconds(20)); }

    std::filesystem::path folder_;
    std::filesystem::path path_;
    rig::SystemClock clock_;
    RunFacts facts_{"wwep-rig serve", "lab-pi", "sim", "build 7", R"({"python":"3.11"})"};
};

}  // namespace harness
