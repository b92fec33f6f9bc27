#include "harness/server/fault_contexts.hpp"

#include <fmt/format.h>

#include "rig/base/errors.hpp"

namespace harness {

std::optional<TlsServerConfig> fault_config(const FaultSpec& fault, const TlsServerConfig& usual,
                                            const std::string& certificates) {
    const auto file = [&](const std::string& name) {
        if (certificates.empty()) {
            throw rig::NoBench(
                fmt::format("fault {}: it needs a folder of test certificates (wwep-rig certs "
                            "make), and the server was given none",
                            info_of(fault.kind).name));
        }
        return certificates + "/" + name;
    };
    TlsServerConfig config = usual;
    switch (fault.kind) {
        case FaultKind::tls_identity:
            config.certificate_file = file(*fault.text + ".pem");
            config.key_file = file(*fault.text + ".key");
            config.checks_key = false;
            return config;
        case FaultKind::tls_only_version:
            config.version_min = config.version_max = tls_version_from(*fault.text);
            if (config.version_max == TlsVersion::tls_1_1) {
                config.profile = TlsProfile::legacy;
            }
            return config;
        case FaultKind::tls_only_cipher:
            config.ciphers = *fault.text;
            return config;
        case FaultKind::tls_unusable_request:
            config.client_auth = ClientAuth::request;
            config.client_ca_file = config.client_ca_names_file = file("unknown-ca.pem");
            return config;
        case FaultKind::tls_refuse_client:
            config.client_auth = ClientAuth::require;
            config.client_ca_file = file("unknown-ca.pem");
            config.client_ca_names_file = file("root-ca.pem");
            return config;
        case FaultKind::tls_refuse_ticket:
            config.issues_tickets = true;
            return config;
        case FaultKind::tls_on_clear:
            return config;
        default:
            return std::nullopt;
    }
}

}  // namespace harness
