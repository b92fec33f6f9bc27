#include "python/bindings/options.hpp"

#include <fmt/format.h>

#include <cmath>

#include "rig/base/errors.hpp"

namespace bindings {
namespace {

harness::ClientAuth client_auth(const std::string& word) {
    if (word == "none") {
        return harness::ClientAuth::none;
    }
    if (word == "request") {
        return harness::ClientAuth::request;
    }
    if (word == "require") {
        return harness::ClientAuth::require;
    }
    throw rig::NoBench(
        fmt::format("client certificates are none, request or require, not \"{}\"", word));
}

harness::TlsProfile tls_profile(const std::string& word) {
    if (word == "modern") {
        return harness::TlsProfile::modern;
    }
    if (word == "legacy") {
        return harness::TlsProfile::legacy;
    }
    throw rig::NoBench(fmt::format("a TLS profile is modern or legacy, not \"{}\"", word));
}

std::optional<harness::TlsVersion> tls_version(const std::string& word) {
    if (word.empty()) {
        return std::nullopt;
    }
    if (const auto version = harness::tls_version_from(word)) {
        return version;
    }
    throw rig::NoBench(
        fmt::format("a TLS version is TLSv1.1, TLSv1.2 or TLSv1.3, not \"{}\"", word));
}

harness::ServerOptions to_harness(const ServerOptions& options) {
    harness::ServerOptions result;
    result.addresses = options.addresses;
    result.plain_port = options.plain_port;
    result.tls_port = options.tls_port;
    result.tls = {.certificate_file = options.certificate_file,
                  .key_file = options.key_file,
                  .client_ca_file = options.client_ca_file,
                  .client_auth = client_auth(options.client_auth),
                  .profile = tls_profile(options.tls_profile),
                  .version_min = tls_version(options.tls_min),
                  .version_max = tls_version(options.tls_max),
                  .ciphers = {},
                  .key_log_file = options.key_log_file};
    result.limits.mode = options.keep_open ? harness::ConversationMode::keep_open
                                           : harness::ConversationMode::one_transaction;
    result.limits.conversation = {.frame_timeout = from_seconds(options.frame_timeout_s),
                                  .idle_timeout = from_seconds(options.idle_timeout_s)};
    result.limits.handshake_timeout = from_seconds(options.handshake_timeout_s);
    result.connections_max = options.connections_max;
    result.certificates = options.certificates;
    return result;
}

harness::TargetEmulator to_harness(const EmulatorOptions& options) {
    harness::TargetEmulator result{.spec = {.helper = options.helper,
                                            .emulator = options.emulator,
                                            .folder = options.folder,
                                            .image = options.image,
                                            .mac = options.mac},
                                   .ready_text = options.ready_text,
                                   .names = options.names};
    for (const auto& [path, at] : options.loaded) {
        result.spec.loaded.push_back({.path = path, .at = at});
    }
    for (const auto& [address, port, board_port] : options.forwarded) {
        result.spec.forwarded.push_back(
            {.address = address, .port = port, .board_port = board_port});
    }
    result.spec.speed = options.at_mcu_speed ? rig::EmulatorSpeed::mcu : rig::EmulatorSpeed::host;
    return result;
}

}  // namespace

harness::NameLie to_name_lie(const NetworkLieOptions& options) {
    using Kind = harness::NameLie::Kind;
    harness::NameLie lie{.late = from_seconds(options.late_s)};
    if (options.kind == "silence") {
        lie.kind = Kind::silence;
    } else if (options.kind == "no-such-name") {
        lie.kind = Kind::no_such_name;
    } else if (options.kind == "wrong-address") {
        lie.kind = Kind::wrong_address;
        const auto address = harness::ipv4_from(options.address);
        if (!address) {
            throw rig::NoBench(fmt::format("\"{}\" is no IPv4 address", options.address));
        }
        lie.address = *address;
    } else if (!options.kind.empty()) {
        throw rig::NoBench(fmt::format("a name server does not lie by \"{}\"", options.kind));
    }
    return lie;
}

harness::TimeLie to_time_lie(const NetworkLieOptions& options) {
    if (!options.kind.empty() && options.kind != "silence") {
        throw rig::NoBench(fmt::format("a time server does not lie by \"{}\"", options.kind));
    }
    return {.is_silent = options.kind == "silence",
            .ahead = from_seconds(options.ahead_s),
            .late = from_seconds(options.late_s)};
}

rig::LinkFaults to_link_faults(const LinkFaultOptions& options) {
    return {.loss = options.loss,
            .duplicate = options.duplicate,
            .reorder = options.reorder,
            .delay = from_seconds(options.delay_s),
            .seed = options.seed};
}

std::chrono::nanoseconds from_seconds(double seconds) {
    constexpr double seconds_max = 1e9;
    if (!std::isfinite(seconds) || std::abs(seconds) > seconds_max) {
        throw rig::NoBench(fmt::format("{} is no number of seconds", seconds));
    }
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds));
}

harness::BenchOptions to_harness(const BenchOptions& options) {
    harness::BenchOptions result;
    result.bench_file = options.bench_file;
    result.server = to_harness(options.server);
    result.registers_file = options.server.registers_file;
    if (options.target) {
        result.target = {
            .program = options.target->program,
            .arguments = options.target->arguments,
            .environment = {options.target->environment.begin(), options.target->environment.end()},
            .ready_text = options.target->ready_text};
    }
    if (options.emulator) {
        result.emulator = to_harness(*options.emulator);
    }
    result.recording_path = options.recording_path;
    result.overwrite_recording = options.overwrite_recording;
    result.go_on_with_recording = options.go_on_with_recording;
    result.run = {.command = options.run.command,
                  .host = options.run.host,
                  .bench = options.run.bench,
                  .firmware = options.run.firmware,
                  .facts_json = options.run.facts_json};
    return result;
}

}  // namespace bindings
