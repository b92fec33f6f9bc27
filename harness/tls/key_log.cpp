#include "harness/tls/key_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

void append_hex(std::string& text, std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes)
        text += fmt::format("{:02x}", byte);
}

}  // namespace

KeyLog::KeyLog(const std::string& path)
    // Without O_NONBLOCK a pipe that nobody reads would be waited for.
    : file_(::open(path.c_str(),
                   O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)) {
    const int error = errno;
    if (!file_) {
        throw rig::RigError(fmt::format("make key log {}: {}", path, std::strerror(error)));
    }
    struct stat facts {};
    if (::fstat(file_.get(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
        facts.st_uid != ::geteuid() || (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        throw rig::RigError(fmt::format(
            "key log {}: others could read the keys: it must be a file of your own with mode 0600, "
            "or not be there yet",
            path));
    }
}

bool KeyLog::add(std::string_view label, std::span<const std::uint8_t> client_random,
                 std::span<const std::uint8_t> secret) const {
    std::string line(label);
    line += ' ';
    append_hex(line, client_random);
    line += ' ';
    append_hex(line, secret);
    line += '\n';
    return ::write(file_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

std::string_view key_log_label(std::string_view derivation) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> labels{{
        {"c hs traffic", "CLIENT_HANDSHAKE_TRAFFIC_SECRET"},
        {"s hs traffic", "SERVER_HANDSHAKE_TRAFFIC_SECRET"},
        {"c ap traffic", "CLIENT_TRAFFIC_SECRET_0"},
        {"s ap traffic", "SERVER_TRAFFIC_SECRET_0"},
        {"exp master", "EXPORTER_SECRET"},
    }};
    for (const auto& [name, label] : labels) {
        if (name == derivation)
            return label;
    }
    return {};
}

}  // namespace harness
