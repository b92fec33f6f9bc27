#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <limits>

#include "rig/bench_file/bench_draft.hpp"

namespace rig {
namespace {

bool is_address(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> binary{};
    return ::inet_pton(AF_INET, text.c_str(), binary.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), binary.data()) == 1;
}

}  // namespace

void parse_identity(TomlSection& section, std::string_view key, std::string& value) {
    const auto identity = section.text(key);
    if (!identity) {
        return;
    }
    value = *identity;
    if (!is_name(*identity, "-_.")) {
        section.wrong(key, fmt::format("\"{}\" is not the name of an identity, as in "
                                       "\"server-rsa\"",
                                       *identity));
    }
}

void parse_server(BenchDraft& draft, TomlSection section) {
    ServerSpec& server = draft.bench.server;
    if (draft.is_surely({BenchKind::board})) {
        section.require("address", "the address of this machine that the board connects to");
    }
    if (const auto address = section.text("address")) {
        server.address = *address;
        if (!is_address(*address)) {
            section.wrong("address",
                          fmt::format("\"{}\" is not an IPv4 or IPv6 address", *address));
        } else if (draft.is_surely({BenchKind::sim}) && !address->starts_with("127.")) {
            section.wrong("address", fmt::format("{} is not a loopback address; expected one in "
                                                 "127.0.0.0/8 on a bench of kind sim",
                                                 *address));
        }
    }
    if (auto names = section.texts("names")) {
        if (names->empty()) {
            section.wrong("names", "must not be empty; expected host names");
        }
        for (const std::string& name : *names) {
            if (!is_name(name, "-.")) {
                section.wrong("names", fmt::format("\"{}\" is not a host name", name));
            }
        }
        server.names = std::move(*names);
    }
    constexpr std::int64_t port_max = std::numeric_limits<std::uint16_t>::max();
    if (const auto port = section.integer("plain_port", 1, port_max)) {
        server.plain_port = static_cast<std::uint16_t>(*port);
    }
    if (const auto port = section.integer("tls_port", 1, port_max)) {
        server.tls_port = static_cast<std::uint16_t>(*port);
    }
    if (server.plain_port == server.tls_port) {
        section.wrong(section.find("tls_port") != nullptr ? "tls_port" : "plain_port",
                      fmt::format("{} is the plain port and the TLS port", server.tls_port));
    }
    parse_identity(section, "identity", server.identity);
    set_if(server.tls_profile, section.choice("tls_profile", tls_profile_spellings));
    section.finish();
}

}  // namespace rig
