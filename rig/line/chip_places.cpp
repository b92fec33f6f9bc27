#include "rig/line/chip_places.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <grp.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "rig/base/errors.hpp"

namespace rig {
namespace {

constexpr std::string_view device_prefix = "gpiochip";
constexpr std::size_t names_listed_max = 32;
constexpr const char* kernel_log_remedy = "the kernel's log may say why: sudo dmesg | tail";
constexpr mode_t group_may_use = S_IRGRP | S_IWGRP;

/// One device in the device folder. `trouble` is the errno of opening it, 0 if it opened.
struct Candidate {
    std::string path;
    std::optional<OpenChip> chip;
    int trouble = 0;
};

OpenChip open_chip(const std::string& path) {
    gpiod::chip chip(path);
    const gpiod::chip_info info = chip.get_info();
    return {.chip = std::move(chip),
            .path = path,
            .name = info.name(),
            .label = info.label(),
            .lines_count = static_cast<unsigned>(info.num_lines())};
}

std::vector<Candidate> all_chips(const std::string& device_folder) {
    std::vector<Candidate> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(device_folder, none)) {
        if (!entry.path().filename().string().starts_with(device_prefix) || entry.is_symlink()) {
            continue;  // a link is another name of a chip that is listed anyway
        }
        Candidate candidate{.path = entry.path().string(), .chip = std::nullopt};
        try {
            candidate.chip = open_chip(candidate.path);
        } catch (const std::exception& error) {
            candidate.trouble = errno_of(error);
        }
        found.push_back(std::move(candidate));
    }
    std::sort(found.begin(), found.end(),
              [](const Candidate& a, const Candidate& b) { return a.path < b.path; });
    return found;
}

/// For a bench file that names a chip which is not there: those that are.
std::string remedy_of(const std::vector<Candidate>& candidates, const std::string& device_folder) {
    if (candidates.empty()) {
        return fmt::format(
            "{} has no GPIO chip at all: this needs a Raspberry Pi or another machine with GPIO, "
            "or the kernel's gpio-sim",
            device_folder);
    }
    std::vector<std::string> texts;
    for (const Candidate& candidate : candidates) {
        texts.push_back(
            candidate.chip
                ? fmt::format("{} \"{}\"", candidate.path, candidate.chip->label)
                : fmt::format("{} ({})", candidate.path, std::strerror(candidate.trouble)));
    }
    return fmt::format("name one of these in the bench file: {}", fmt::join(texts, ", "));
}

OpenChip chip_at(const std::string& path, const LineSpec& spec, const std::string& device_folder) {
    try {
        return open_chip(path);
    } catch (const std::exception& error) {
        const int trouble = errno_of(error);
        if (trouble == EACCES || trouble == EPERM) {
            throw Remedied<NoBench>(fmt::format("line {}: may not open {}", spec.name, path),
                                    permission_remedy(path));
        }
        const char* const what = trouble == ENODEV || trouble == ENOTTY
                                     ? "is not a GPIO chip"
                                     : "cannot be opened as a GPIO chip";
        throw Remedied<NoBench>(
            fmt::format("line {}: {} {} ({})", spec.name, path, what, std::strerror(trouble)),
            remedy_of(all_chips(device_folder), device_folder));
    }
}

OpenChip chip_called(const LineSpec& spec, const std::string& device_folder) {
    std::vector<Candidate> candidates = all_chips(device_folder);
    std::vector<Candidate*> matching;
    for (Candidate& candidate : candidates) {
        const bool matches =
            candidate.chip ? candidate.chip->name == spec.chip || candidate.chip->label == spec.chip
                           : candidate.path.ends_with("/" + spec.chip);
        if (matches) {
            matching.push_back(&candidate);
        }
    }
    const auto forbidden =
        std::find_if(candidates.begin(), candidates.end(), [](const Candidate& candidate) {
            return candidate.trouble == EACCES || candidate.trouble == EPERM;
        });
    if (matching.empty() && forbidden != candidates.end()) {
        throw Remedied<NoBench>(
            fmt::format("line {}: no chip that may be opened is called \"{}\", and {} may not be",
                        spec.name, spec.chip, forbidden->path),
            permission_remedy(forbidden->path));
    }
    if (matching.empty()) {
        throw Remedied<NoBench>(
            fmt::format("line {}: no GPIO chip has the path, name or label \"{}\"", spec.name,
                        spec.chip),
            remedy_of(candidates, device_folder));
    }
    if (matching.size() > 1) {
        std::vector<std::string> paths;
        for (const Candidate* const candidate : matching) {
            paths.push_back(candidate->path);
        }
        throw Remedied<NoBench>(fmt::format("line {}: {} chips are called \"{}\"", spec.name,
                                            matching.size(), spec.chip),
                                fmt::format("say which by its path: {}", fmt::join(paths, ", ")));
    }
    if (!matching.front()->chip) {
        return chip_at(matching.front()->path, spec, device_folder);  // for its text
    }
    return std::move(*matching.front()->chip);
}

std::optional<unsigned> number_in(const std::string& text) {
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

std::string line_name(const OpenChip& chip, unsigned offset) {
    try {
        return chip.chip.get_line_info(offset).name();
    } catch (const std::exception& error) {
        const int trouble = errno_of(error);
        if (trouble == EINVAL || trouble == ENOTTY) {
            throw Remedied<NoBench>(
                fmt::format("{} does not know the second version of the kernel's GPIO interface",
                            chip.path),
                "boot Linux 5.10 or newer");
        }
        throw Remedied<NoBench>(
            fmt::format("read line {} of {}: {}", offset, chip.path, std::strerror(trouble)),
            kernel_log_remedy);
    }
}

unsigned offset_of(const LineSpec& spec, const OpenChip& chip) {
    if (const auto offset = number_in(spec.line)) {
        if (*offset < chip.lines_count) {
            static_cast<void>(line_name(chip, *offset));
            return *offset;
        }
        throw Remedied<NoBench>(
            fmt::format("line {}: {} \"{}\" has lines 0 to {}, not {}", spec.name, chip.name,
                        chip.label, chip.lines_count - 1, spec.line),
            "correct `line` in the bench file");
    }
    std::vector<unsigned> matching;
    std::vector<std::string> names;
    for (unsigned offset = 0; offset < chip.lines_count; ++offset) {
        const std::string name = line_name(chip, offset);
        if (name == spec.line) {
            matching.push_back(offset);
        }
        if (!name.empty() && names.size() < names_listed_max) {
            names.push_back(name);
        }
    }
    if (matching.size() > 1) {
        throw Remedied<NoBench>(
            fmt::format("line {}: lines {} of {} are all called \"{}\"", spec.name,
                        fmt::join(matching, ", "), chip.name, spec.line),
            "say in the bench file which by its number");
    }
    if (matching.empty()) {
        throw Remedied<NoBench>(
            fmt::format("line {}: no line of {} \"{}\" is called \"{}\"", spec.name, chip.name,
                        chip.label, spec.line),
            names.empty() ? fmt::format("its lines have no names: say a number from 0 to {}",
                                        chip.lines_count - 1)
                          : fmt::format("there are: {}", fmt::join(names, ", ")));
    }
    return matching.front();
}

std::string group_name(gid_t gid) {
    std::array<char, 4096> buffer{};
    group entry{};
    group* found = nullptr;
    const int trouble = ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
    return trouble == 0 && found != nullptr ? entry.gr_name : fmt::format("{}", gid);
}

}  // namespace

int errno_of(const std::exception& error) noexcept {
    if (const auto* const failed = dynamic_cast<const std::system_error*>(&error)) {
        return failed->code().value();
    }
    return dynamic_cast<const std::invalid_argument*>(&error) != nullptr ? EINVAL : EIO;
}

std::string permission_remedy(const std::string& path) {
    struct stat about {};
    const bool is_known = ::stat(path.c_str(), &about) == 0;
    if (is_known && about.st_gid != 0 && (about.st_mode & group_may_use) == group_may_use) {
        return fmt::format(
            "it belongs to the group {0}: run \"sudo usermod -aG {0} $USER\" and "
            "log in again",
            group_name(about.st_gid));
    }
    return "no group may use it: add the udev rule SUBSYSTEM==\"gpio\", KERNEL==\"gpiochip*\", "
           "GROUP=\"gpio\", MODE=\"0660\" and become a member of the group gpio";
}

std::string describe_line(const LineSpec& spec, const OpenChip& chip, unsigned offset) {
    return fmt::format("line {} (line {} of {} \"{}\")", spec.name, offset, chip.name, chip.label);
}

Remedied<NoBench> request_trouble(int error_number, const LineSpec& spec, const OpenChip& chip,
                                  unsigned offset) {
    const std::string line = describe_line(spec, chip, offset);
    if (error_number == EBUSY) {
        std::string consumer;
        try {
            consumer = chip.chip.get_line_info(offset).consumer();
        } catch (const std::exception&) {
            consumer.clear();  // the chip goes just now: say what is known
        }
        return Remedied<NoBench>(fmt::format("{} is held by {}", line,
                                             consumer.empty() ? "somebody who gives no name"
                                                              : fmt::format("\"{}\"", consumer)),
                                 "end that program, or take another line");
    }
    if (error_number == EACCES || error_number == EPERM) {
        return Remedied<NoBench>(fmt::format("{} may not be used", line),
                                 permission_remedy(chip.path));
    }
    if (error_number == ENODEV) {
        return Remedied<NoBench>(
            fmt::format("{}: the chip was unplugged while the rig asked for the line", line),
            "plug it in again");
    }
    if (error_number == EINVAL || error_number == EOPNOTSUPP) {
        return Remedied<NoBench>(
            fmt::format("{}: the chip cannot do what the bench file asks of it ({})", line,
                        std::strerror(error_number)),
            "look at `drive`, `bias` and `debounce_us`");
    }
    return Remedied<NoBench>(
        fmt::format("{} cannot be requested: {}", line, std::strerror(error_number)),
        kernel_log_remedy);
}

ChipPlaces find_places(std::span<const LineSpec> specs, const std::string& device_folder) {
    ChipPlaces found;
    for (const LineSpec& spec : specs) {
        OpenChip chip = spec.chip.find('/') != std::string::npos
                            ? chip_at(spec.chip, spec, device_folder)
                            : chip_called(spec, device_folder);
        const unsigned offset = offset_of(spec, chip);
        const auto known =
            std::find_if(found.chips.begin(), found.chips.end(),
                         [&](const OpenChip& other) { return other.name == chip.name; });
        const auto index = static_cast<std::size_t>(known - found.chips.begin());
        for (std::size_t line = 0; line < found.places.size(); ++line) {
            if (found.places[line].chip == index && found.places[line].offset == offset) {
                throw Remedied<NoBench>(
                    fmt::format("lines {} and {} are both on line {} of {} \"{}\"",
                                specs[line].name, spec.name, offset, chip.name, chip.label),
                    "give each a line of its own in the bench file");
            }
        }
        if (known == found.chips.end()) {
            found.chips.push_back(std::move(chip));
        }
        found.places.push_back({.chip = index, .offset = offset});
    }
    return found;
}

}  // namespace rig
