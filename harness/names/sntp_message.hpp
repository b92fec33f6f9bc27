// SNTP, as much of it as tells a board the time (RFC 4330). Pure functions on bytes, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace harness {

/// The answer that it is `wall_ns`, nanoseconds since 1970. Nothing: that was no client's request.
[[nodiscard]] std::optional<std::string> sntp_answer(std::string_view request,
                                                     std::int64_t wall_ns);

}  // namespace harness
