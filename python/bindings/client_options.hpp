// ClientOptions is what Python says about a server that the rig connects to, as a client or for the
// conformance suite. A plain value.
#pragma once

#include <cstdint>
#include <string>

#include "harness/client/client.hpp"

namespace bindings {

struct ClientOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    bool secure = false;
    std::string ca_file;
    bool verify = true;
    std::string name;
    std::string pin_sha256;
    std::string certificate_file;
    std::string key_file;
    double timeout_s = 2.0;
};

/// What the client makes of it. Throws rig::NoBench for a pin that is none.
[[nodiscard]] harness::ClientTarget client_target(const ClientOptions& options);

}  // namespace bindings
