// The cases of the conformance suite, by chapter, in the order in which they run: each function
// gives those of one file. They hold no state; everything goes through CaseRun.
#pragma once

#include <vector>

#include "harness/client/conform_case.hpp"

namespace harness {

/// The description's own examples, registers, values, digits.
[[nodiscard]] std::vector<ConformCase> description_cases();
/// Frames cut into segments, line ends, frames that never end.
[[nodiscard]] std::vector<ConformCase> framing_cases();
/// Bytes that no frame has.
[[nodiscard]] std::vector<ConformCase> illegal_cases();
/// Connections: one, several, reused, half-closed, silent.
[[nodiscard]] std::vector<ConformCase> connection_cases();
/// TLS versions, the certificate, what is no TLS.
[[nodiscard]] std::vector<ConformCase> tls_cases();
/// What may bring a server down.
[[nodiscard]] std::vector<ConformCase> rough_cases();

}  // namespace harness
