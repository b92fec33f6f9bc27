#include "rig/bench_file/bench_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <system_error>

#include "rig/bench_file/spellings.hpp"

namespace rig {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

[[noreturn]] void throw_unreadable(const std::string& path, const std::string& reason) {
    throw BenchFileError({fmt::format("{}: cannot be read: {}", path, reason)});
}

std::string read_file(const std::string& path) {
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
    if (!file) {
        throw_unreadable(path, std::generic_category().message(errno));
    }
    std::string text(bench_file_bytes_max + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (std::ferror(file.get()) != 0) {
        throw_unreadable(path, std::generic_category().message(errno));
    }
    if (text.size() > bench_file_bytes_max) {
        throw_unreadable(path, fmt::format("it is longer than {} bytes", bench_file_bytes_max));
    }
    return text;
}

void make_absolute(std::string& path, const std::filesystem::path& folder) {
    path = (folder / path).lexically_normal().string();
}

}  // namespace

std::uint16_t BenchFile::device_id() const {
    return std::accumulate(target.mac.begin(), target.mac.end(), std::uint16_t{0},
                           [](std::uint16_t sum, std::uint8_t byte) {
                               return static_cast<std::uint16_t>(sum + byte);
                           });
}

std::optional<std::uint32_t> BenchFile::find_line(std::string_view line_name) const {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].name == line_name) {
            return static_cast<std::uint32_t>(i);
        }
    }
    return std::nullopt;
}

bool BenchFile::controls_target(std::string_view line_name) const {
    return (target.reset && target.reset->line == line_name) ||
           (target.power && target.power->line == line_name);
}

BenchFileError::BenchFileError(std::vector<std::string> problems)
    : NoBench(fmt::format("{}", fmt::join(problems, "\n"))), problems_(std::move(problems)) {}

BenchFile load_bench_file(const std::string& path) {
    BenchFile bench = parse_bench_file(read_file(path), path);
    const auto folder =
        std::filesystem::absolute(std::filesystem::path(path)).lexically_normal().parent_path();
    bench.folder = folder.string();
    if (!bench.target.app.empty()) {
        make_absolute(bench.target.app, folder);
    }
    for (std::string* file : {&bench.target.program, &bench.target.root_certificate}) {
        if (file->find('/') != std::string::npos) {
            make_absolute(*file, folder);
        }
    }
    return bench;
}

std::string mac_text(const std::array<std::uint8_t, 6>& mac) {
    return fmt::format("{:02x}", fmt::join(mac, ":"));
}

std::string_view to_string(BenchKind kind) {
    return spelling_of(kind, kind_spellings);
}
std::string_view to_string(TargetSpeed speed) {
    return spelling_of(speed, target_speed_spellings);
}
std::string_view to_string(LedBeforeFrame order) {
    return spelling_of(order, led_before_frame_spellings);
}
std::string_view to_string(Verifies what) {
    return spelling_of(what, verifies_spellings);
}
std::string_view to_string(TargetRole role) {
    return spelling_of(role, target_role_spellings);
}
std::string_view to_string(TlsProfile profile) {
    return spelling_of(profile, tls_profile_spellings);
}
std::string_view to_string(Direction direction) {
    return spelling_of(direction, direction_spellings);
}
std::string_view to_string(Active active) {
    return spelling_of(active, active_spellings);
}
std::string_view to_string(Drive drive) {
    return spelling_of(drive, drive_spellings);
}
std::string_view to_string(Bias bias) {
    return spelling_of(bias, bias_spellings);
}

std::optional<BenchKind> bench_kind(std::string_view spelling) {
    for (const auto& [candidate, kind] : kind_spellings) {
        if (candidate == spelling) {
            return kind;
        }
    }
    return std::nullopt;
}

}  // namespace rig
