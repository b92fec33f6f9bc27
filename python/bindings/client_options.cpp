#include "python/bindings/client_options.hpp"

#include <arpa/inet.h>

#include <optional>

#include "rig/base/errors.hpp"

namespace bindings {

namespace {

bool is_address(const std::string& host) {
    in6_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

harness::TlsClientConfig tls_config(const ClientOptions& options) {
    harness::TlsClientConfig config;
    config.ca_file = options.ca_file;
    config.verify_chain = options.verify && options.pin_sha256.empty();
    config.server_name = is_address(options.host) ? options.name : options.host;
    if (config.verify_chain) {
        config.name = options.name.empty() ? options.host : options.name;
    }
    if (!options.pin_sha256.empty()) {
        config.pin = harness::sha256_from_hex(options.pin_sha256);
        if (!config.pin) {
            throw rig::NoBench("a pin is the SHA-256 of the server's public key: 64 hex digits");
        }
    }
    config.certificate_file = options.certificate_file;
    config.key_file = options.key_file;
    return config;
}

}  // namespace

harness::ClientTarget client_target(const ClientOptions& options) {
    return {.host = options.host,
            .port = options.port,
            .tls = options.secure ? std::optional(tls_config(options)) : std::nullopt};
}

}  // namespace bindings
