// What TLS is like for the connections of a fault: another identity, other versions, other demands.
// Pure: files are named here, and read by TlsContext.
#pragma once

#include <optional>
#include <string>

#include "harness/server/fault_table.hpp"
#include "harness/tls/tls_config.hpp"

namespace harness {

/// `usual` as a completed fault wants it; nothing for a fault that leaves the configuration alone.
/// `certificates` is the folder of a set of test certificates. Throws rig::NoBench where the fault
/// needs it and it is empty.
[[nodiscard]] std::optional<TlsServerConfig> fault_config(const FaultSpec& fault,
                                                          const TlsServerConfig& usual,
                                                          const std::string& certificates);

}  // namespace harness
