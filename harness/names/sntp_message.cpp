#include "harness/names/sntp_message.hpp"

#include <cstddef>

#include "rig/base/clock.hpp"

namespace harness {
namespace {

constexpr std::size_t message_bytes = 48;
constexpr std::int64_t from_1900_to_1970_s = 2'208'988'800;

/// Seconds since 1900 (modulo 2^32, as the protocol has it) and their fraction, big-endian.
std::string stamp(std::int64_t wall_ns) {
    constexpr unsigned bits = 32;
    std::int64_t seconds = wall_ns / rig::ns_per_s;
    std::int64_t rest_ns = wall_ns % rig::ns_per_s;
    if (rest_ns < 0) {
        --seconds;
        rest_ns += rig::ns_per_s;
    }
    const std::uint64_t whole = static_cast<std::uint64_t>(seconds + from_1900_to_1970_s) << bits;
    const std::uint64_t fraction =
        (static_cast<std::uint64_t>(rest_ns) << bits) / static_cast<std::uint64_t>(rig::ns_per_s);
    const std::uint64_t value = whole | fraction;
    std::string bytes;
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        bytes += static_cast<char>(value >> (shift - 8) & 0xFFU);
    }
    return bytes;
}

}  // namespace

std::optional<std::string> sntp_answer(std::string_view request, std::int64_t wall_ns) {
    constexpr unsigned mode_bits = 7;
    constexpr unsigned client = 3;
    constexpr unsigned server = 4;
    constexpr unsigned version_bits = 0x38;
    constexpr std::size_t transmitted_at = 40;
    constexpr std::size_t stamp_bytes = 8;
    if (request.size() < message_bytes ||
        (static_cast<unsigned char>(request[0]) & mode_bits) != client) {
        return std::nullopt;
    }
    const unsigned version = static_cast<unsigned char>(request[0]) & version_bits;
    std::string answer{static_cast<char>(version | server), 1 /* stratum: a clock of its own */,
                       request[2], static_cast<char>(-20) /* precision: a microsecond */};
    answer.append(stamp_bytes, '\0');  // delay and dispersion
    answer += "LOCL";
    const std::string now = stamp(wall_ns);
    answer += now;                                          // set last
    answer += request.substr(transmitted_at, stamp_bytes);  // so that the board knows it is its own
    answer += now;                                          // received
    answer += now;                                          // sent
    return answer;
}

}  // namespace harness
