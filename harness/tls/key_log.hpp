// KeyLog writes the secrets of TLS sessions to a file, in the NSS format that Wireshark reads:
// whoever has it can decrypt a capture of these sessions, so it is made on request only, readable
// by its owner alone. It owns the file. Sessions on any thread may share it: each line is one
// write.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "rig/base/unique_fd.hpp"

namespace harness {

class KeyLog {
  public:
    /// Makes the file, mode 0600, or adds to one that is this user's and nobody else's. Throws
    /// rig::RigError when it cannot, or when others could read it.
    explicit KeyLog(const std::string& path);

    /// Adds one line: `LABEL <client random> <secret>`, in hex. False when it could not be written.
    bool add(std::string_view label, std::span<const std::uint8_t> client_random,
             std::span<const std::uint8_t> secret) const;

  private:
    rig::UniqueFd file_;
};

/// The NSS label of a secret that TLS 1.3 derives under `derivation` ("c hs traffic"); empty for
/// what no key log holds.
[[nodiscard]] std::string_view key_log_label(std::string_view derivation);

}  // namespace harness
