// What Python hands over to open a bench, in Python's own terms (seconds, words), and how it
// becomes what the C++ side takes. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/bench/bench.hpp"

namespace bindings {

struct ServerOptions {
    std::vector<std::string> addresses{"127.0.0.1"};
    std::optional<std::uint16_t> plain_port;
    std::optional<std::uint16_t> tls_port;
    std::string certificate_file;
    std::string key_file;
    std::string client_ca_file;
    std::string client_auth = "none";
    std::string tls_profile = "modern";
    std::string tls_min;
    std::string tls_max;
    std::string key_log_file;
    bool keep_open = false;
    std::string registers_file;
    double frame_timeout_s = 0.2;
    double idle_timeout_s = 30.0;
    double handshake_timeout_s = 10.0;
    std::size_t connections_max = harness::ServerOptions().connections_max;
    std::string certificates;
};

struct TargetOptions {
    std::string program;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    std::string ready_text;
};

struct EmulatorOptions {
    std::string helper;
    std::string emulator;
    std::string folder;
    std::string image;
    std::string mac;
    std::vector<std::pair<std::string, std::uint32_t>> loaded;
    std::vector<std::tuple<std::string, std::uint16_t, std::uint16_t>> forwarded;
    bool at_mcu_speed = false;
    std::string ready_text;
    std::vector<std::string> names;
};

struct NetworkLieOptions {
    std::string kind;     ///< of the name server; empty: the truth
    std::string address;  ///< that it names
    double late_s = 0.0;
    double ahead_s = 0.0;  ///< of the time server
};

struct LinkFaultOptions {
    double loss = 0.0;
    double duplicate = 0.0;
    double reorder = 0.0;
    double delay_s = 0.0;
    std::uint64_t seed = 0;
};

struct RunOptions {
    std::string command;
    std::string host;
    std::string bench;
    std::string firmware;
    std::string facts_json = "{}";
};

struct BenchOptions {
    std::optional<rig::BenchFile> bench_file;
    ServerOptions server;
    std::optional<TargetOptions> target;
    std::optional<EmulatorOptions> emulator;
    std::string recording_path;
    bool overwrite_recording = false;
    bool go_on_with_recording = false;
    RunOptions run;
};

/// Throws rig::NoBench for a word or a number that means nothing.
[[nodiscard]] harness::BenchOptions to_harness(const BenchOptions& options);
[[nodiscard]] harness::NameLie to_name_lie(const NetworkLieOptions& options);
[[nodiscard]] harness::TimeLie to_time_lie(const NetworkLieOptions& options);
[[nodiscard]] rig::LinkFaults to_link_faults(const LinkFaultOptions& options);
[[nodiscard]] std::chrono::nanoseconds from_seconds(double seconds);

}  // namespace bindings
