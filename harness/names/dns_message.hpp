// DNS, as much of it as answers a board's question for an address (RFC 1035): one question, one A
// record or none. Pure functions on bytes, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace harness {

using Ipv4 = std::array<std::uint8_t, 4>;

struct DnsQuestion {
    std::uint16_t id = 0;
    bool wants_recursion = false;
    std::string name;         ///< lower case, without the dot at its end
    std::uint16_t type = 0;   ///< 1: A
    std::uint16_t klass = 0;  ///< 1: IN
    std::string raw;          ///< the question as it came, to be repeated
};

/// Nothing: it is no query with exactly one question that can be read.
[[nodiscard]] std::optional<DnsQuestion> parse_dns_query(std::string_view message);

/// The answer with that address. Nothing: there is no such name; a question for another type than A
/// is answered with no record.
[[nodiscard]] std::string dns_answer(const DnsQuestion& question, std::optional<Ipv4> address);

/// "198.51.100.3"; nothing for what is no IPv4 address.
[[nodiscard]] std::optional<Ipv4> ipv4_from(const std::string& text);

}  // namespace harness
