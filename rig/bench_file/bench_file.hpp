// BenchFile is what a bench file (TOML) says about one bench: the rig's lines, the target wired to
// them, what that target's firmware promises, the time budgets and the server. The loader checks
// every key and reports every error of a file at once; what it returns is complete and consistent.
// Plain values. Limits: file_bytes_max, lines_max. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rig/base/errors.hpp"
#include "rig/line/lines.hpp"

namespace rig {

constexpr std::size_t bench_file_bytes_max = 1024 * 1024;
constexpr std::size_t bench_lines_max = 64;

/// Where buttons and LEDs are, and what the target is.
enum class BenchKind : std::uint8_t { sim, kernel, emulator, board };

/// Whether the firmware flips its LED before it sends the frame.
enum class LedBeforeFrame : std::uint8_t { yes, no, either };

/// What the firmware checks of the server's certificate.
enum class Verifies : std::uint8_t { chain, name, time };

enum class TlsProfile : std::uint8_t { modern, legacy };

/// A program and its arguments. It runs in the bench file's folder.
using Command = std::vector<std::string>;

struct SerialConsole {
    std::string port;  ///< "/dev/ttyUSB0"
    std::int64_t baud = 115200;
    bool operator==(const SerialConsole&) const = default;
};

/// How fast an emulated processor runs: as fast as this machine can, or about as a real one.
enum class TargetSpeed : std::uint8_t { host, mcu };

/// How long a command for reset or power may take, unless the bench file says else.
constexpr std::int64_t target_step_timeout_ms = 10'000;

/// Either a line that is held active, or a command.
struct ResetSpec {
    std::string line;  ///< name in [lines]; empty: a command resets the board
    std::int64_t hold_ms = 100;
    Command command;
    std::int64_t timeout_ms = target_step_timeout_ms;  ///< of the command
    bool operator==(const ResetSpec&) const = default;
};

/// Either a line that is active while the board has power, or two commands.
struct PowerSpec {
    std::string line;  ///< name in [lines]; empty: commands switch the power
    Command on_command;
    Command off_command;
    std::int64_t off_ms = 500;  ///< how long the board stays without power when it is cycled
    std::int64_t timeout_ms = target_step_timeout_ms;  ///< of each command
    bool operator==(const PowerSpec&) const = default;
};

/// What one button of the firmware does.
struct ButtonContract {
    std::string led;      ///< name of the LED that a press flips; empty: none that the rig watches
    bool secure = false;  ///< its frame travels over TLS
    bool operator==(const ButtonContract&) const = default;
};

/// What the firmware promises. Scenarios judge by it.
struct Contract {
    std::int64_t first_value = 1;  ///< 0 or 1: what the first press after a reset sends
    LedBeforeFrame led_before_frame = LedBeforeFrame::either;
    bool reads_reply = true;
    std::int64_t debounce_ms = 0;    ///< 0: none
    std::int64_t retries = 0;        ///< how often a frame is sent again when no reply comes
    std::vector<Verifies> verifies;  ///< empty: nothing is verified
    /// By the button's name. Filled in for every line whose name begins with "button": button<i>
    /// flips led<i> if there is one, and button1 is the secure one, unless the file says else.
    std::map<std::string, ButtonContract> buttons;
    bool operator==(const Contract&) const = default;
};

/// Which end of the connection the target is.
enum class TargetRole : std::uint8_t { client, server };

/// Where a target that is a server serves, and what is said about it.
struct ServesSpec {
    std::string address;                ///< of a board; empty: the rig gives its target one
    std::uint16_t plain_port = 27708;   ///< 0: it does not serve in the clear
    std::uint16_t tls_port = 0;         ///< 0: it does not serve over TLS
    std::optional<bool> one_at_a_time;  ///< one connection; absent: found out by probing
    std::optional<bool> keep_open;      ///< many frames a connection; absent: likewise
    /// What the rig shows a server that demands a client's certificate: the name of one of the
    /// identities that certs/ makes. Empty: nothing.
    std::string client_identity;
};

struct TargetSpec {
    TargetRole role = TargetRole::client;
    ServesSpec serves;                     ///< of a server
    std::array<std::uint8_t, 6> mac{};     ///< key `device`
    std::optional<SerialConsole> console;  ///< none: not read, or the process's own output
    std::optional<ResetSpec> reset;
    std::optional<PowerSpec> power;
    Command flash;  ///< "{image}" stands for the image; empty: the rig cannot flash
    std::int64_t flash_timeout_ms = 120'000;
    /// Folder of the WICED application that runs there; a target that is a process runs what is
    /// built of it. Empty: not said.
    std::string app;
    std::map<std::string, std::string> app_settings;  ///< variables of its makefile
    bool app_lab_names = false;  ///< it uses names that only the lab's text has
    std::string program;  ///< firmware to run: with a slash a path, without the name of one of ours
    std::vector<std::string> arguments;              ///< of the program
    std::map<std::string, std::string> environment;  ///< of the program, beside the rig's own
    TargetSpeed speed = TargetSpeed::host;           ///< of an emulated board
    std::string root_certificate = "ca";  ///< "ca": the bench's own root; "none"; else a path
    std::string ready;                    ///< text of the console that says it is up; empty: none
    std::int64_t ready_timeout_ms = 10000;
    Contract contract;
};

/// A button wired to an LED for good, so that the rig can measure itself; names in [lines].
struct LoopbackSpec {
    std::string button;
    std::string led;
    bool operator==(const LoopbackSpec&) const = default;
};

/// How long the firmware gives each step, in milliseconds.
struct Budgets {
    std::int64_t dns_ms = 10000;
    std::int64_t connect_ms = 2000;
    std::int64_t reply_ms = 500;
    /// How long a press may take to show, from just before the line is set; nothing: not judged.
    std::optional<std::int64_t> press_to_led_ms = {};
    std::optional<std::int64_t> press_to_frame_ms = {};
    bool operator==(const Budgets&) const = default;
};

struct ServerSpec {
    std::string address;  ///< IPv4 or IPv6; empty: the bench takes a loopback address of its own
    std::vector<std::string> names;
    std::uint16_t plain_port = 27708;
    std::uint16_t tls_port = 40508;
    std::string identity = "server-ecdsa";  ///< name among the identities that certs/ makes
    TlsProfile tls_profile = TlsProfile::modern;
    bool operator==(const ServerSpec&) const = default;
};

struct BenchFile {
    std::string name;
    BenchKind kind = BenchKind::sim;
    std::string folder;           ///< where the file lies, absolute; empty: it is not from a file
    std::vector<LineSpec> lines;  ///< in the order of the file
    std::optional<LoopbackSpec> loopback;
    TargetSpec target;
    Budgets budgets;
    ServerSpec server;

    /// The device ID by the lab's convention: the sum of the six bytes of the MAC address.
    [[nodiscard]] std::uint16_t device_id() const;
    /// Index of a line in `lines`, nothing if there is no such line.
    [[nodiscard]] std::optional<std::uint32_t> find_line(std::string_view line_name) const;
    /// Whether it is the target's reset or power line, and no button.
    [[nodiscard]] bool controls_target(std::string_view line_name) const;
};

/// A bench file that cannot be used. what() holds every problem, one a line, in the file's order.
class BenchFileError : public NoBench {
  public:
    explicit BenchFileError(std::vector<std::string> problems);
    /// "bench-1.toml:12: lines.button0.drive: "pushpull" is not one of open-drain, …"
    [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

  private:
    std::vector<std::string> problems_;
};

/// Reads and checks a bench file. Relative paths in it (of `app`, and of `program`,
/// `root_certificate` when they hold a slash) become absolute, from the file's folder.
/// Throws BenchFileError; its texts begin with `path`.
[[nodiscard]] BenchFile load_bench_file(const std::string& path);

/// Checks the text of a bench file; paths stay as they are. Throws BenchFileError.
[[nodiscard]] BenchFile parse_bench_file(std::string_view text, std::string_view name_for_errors);

/// The bench that needs nothing: simulated wires and the lab's firmware as a process.
[[nodiscard]] BenchFile built_in_sim_bench();

/// The bench that needs QEMU: an emulated board with the lab's firmware as its image.
[[nodiscard]] BenchFile built_in_emulator_bench();

/// A bench file of this kind to begin with, with comments. It parses as it is, if `bench_name` is a
/// name that a bench may have.
[[nodiscard]] std::string template_bench_file(BenchKind kind,
                                              std::string_view bench_name = "bench-1");

/// The bench as a JSON object, in the file's own nouns, with what was filled in. Every key is
/// there: null is what the bench does not have.
[[nodiscard]] std::string to_json(const BenchFile& bench);

/// "02:00:00:00:00:01"
[[nodiscard]] std::string mac_text(const std::array<std::uint8_t, 6>& mac);

/// The spellings of the bench file.
[[nodiscard]] std::string_view to_string(BenchKind kind);
[[nodiscard]] std::string_view to_string(TargetRole role);
[[nodiscard]] std::string_view to_string(TargetSpeed speed);
[[nodiscard]] std::string_view to_string(LedBeforeFrame order);
[[nodiscard]] std::string_view to_string(Verifies what);
[[nodiscard]] std::string_view to_string(TlsProfile profile);
[[nodiscard]] std::string_view to_string(Direction direction);
[[nodiscard]] std::string_view to_string(Active active);
[[nodiscard]] std::string_view to_string(Drive drive);
[[nodiscard]] std::string_view to_string(Bias bias);

/// The kind with that spelling, nothing if there is none.
[[nodiscard]] std::optional<BenchKind> bench_kind(std::string_view spelling);

}  // namespace rig
