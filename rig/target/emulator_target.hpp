// EmulatorTarget is an emulated board: QEMU's lm3s6965evb, a Cortex-M3 with Ethernet, as a process
// that wwep-enclosure starts in an Enclosure. Its UART0 is the console. It owns the process, which
// dies with it and with the rig, and the rig's ends of the console and of a QMP socket. The clock
// must outlive it, and so must the enclosure whose namespaces it names.
//
// QEMU's own end, when nobody asked for it, is a rig error with what it wrote to standard error;
// unless the firmware has locked the processor up, which is the target's doing.
//
// Thread rule: as ProcessTarget's. reset(), pause(), go_on(), set_link() and set_link_faults()
// wait for QEMU's answer, typically a millisecond, answer_within at most. While the guest runs at
// an MCU's speed its clock keeps pace with the wall's, so far as this machine is fast enough; that
// is an approximation: 16 ns for each instruction whatever it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/base/unique_fd.hpp"
#include "rig/line/qemu_lines.hpp"
#include "rig/line/qmp_client.hpp"
#include "rig/target/console.hpp"
#include "rig/target/link_relay.hpp"
#include "rig/target/process_target.hpp"
#include "rig/target/target.hpp"

namespace rig {

/// How fast the emulated processor runs.
enum class EmulatorSpeed : std::uint8_t {
    host,  ///< as fast as this machine emulates it
    mcu,   ///< 16 ns an instruction, in wall time: about a 60 MHz part
};

/// A port of the board's that this machine's programs reach.
struct ForwardedPort {
    std::string address;  ///< where QEMU listens for it, IPv4
    std::uint16_t port = 0;
    std::uint16_t board_port = 0;
};

/// A file that is in the board's memory when it starts: certificates, say.
struct LoadedFile {
    std::string path;
    std::uint32_t at = 0;
};

struct EmulatorSpec {
    std::string helper;          ///< the program wwep-enclosure
    std::string emulator;        ///< the program qemu-system-arm
    std::string folder;          ///< for the console's pipes; private to the target, and there
    std::string image;           ///< ELF
    std::string mac;             ///< "02:00:00:00:00:01"
    int user_namespace = -1;     ///< of an Enclosure; -1: none, and the board reaches nobody
    int network_namespace = -1;  ///< likewise
    std::vector<ForwardedPort> forwarded;
    std::vector<LoadedFile> loaded;
    EmulatorSpeed speed = EmulatorSpeed::host;
};

class EmulatorTarget final : public Target {
  public:
    using PlugLines = std::function<QemuPlug()>;

    /// Bytes of console taken by one call of read(), at most.
    static constexpr std::size_t read_bytes_max = 65'536;
    static constexpr std::chrono::seconds answer_within{5};
    /// Bytes of seed at the beginning of the board's RAM, new for each start of QEMU. A reset
    /// starts the firmware with the same ones.
    static constexpr std::size_t seed_bytes = 64;

    /// Starts nothing. `plug_lines` is called by every start.
    EmulatorTarget(const Clock& clock, EmulatorSpec spec, PlugLines plug_lines);
    EmulatorTarget(const EmulatorTarget&) = delete;
    EmulatorTarget& operator=(const EmulatorTarget&) = delete;
    ~EmulatorTarget() override = default;

    /// Throws NoBench, with the remedy, when QEMU or the image is missing.
    void start() override;
    void stop() override;
    /// As abruptly as a board loses its power.
    void stop_now() noexcept override;
    /// The reset pin. Throws RigError when QEMU does not obey.
    void reset() override;
    [[nodiscard]] bool is_running() const override { return process_.is_running(); }
    [[nodiscard]] bool may_restart_unseen() const override { return true; }
    [[nodiscard]] std::vector<int> descriptors() const override;
    [[nodiscard]] bool read(std::vector<TargetEvent>& events) override;
    [[nodiscard]] TimestampNs next_deadline_ns() const override;

    /// Process ID; 0 when it does not run.
    [[nodiscard]] int pid() const { return process_.pid(); }

    /// The processor and its clocks stand still until go_on(). Throws RigError, also when it does
    /// not run; so do the others.
    void pause();
    void go_on();
    /// Plugs the network cable in, or pulls it.
    void set_link(bool is_up);
    /// What its link does to frames from now on, also after a start. The frames go through the rig
    /// from the first call on, until QEMU is started anew without faults in force.
    void set_link_faults(const LinkFaults& faults);
    /// They end; returns what they have done since they began.
    LinkCounts end_link_faults();
    [[nodiscard]] LinkCounts link_counts() const { return relay_.counts(); }
    /// Types a line on the console.
    void type(const std::string& line);

  private:
    [[nodiscard]] UniqueFd plug_in();
    /// Of its pipes, to which QEMU adds `.in` and `.out`.
    [[nodiscard]] std::string console_path() const;
    [[nodiscard]] std::vector<std::string> arguments() const;
    void command(const std::string& json);
    void send_frames_through_relay();
    [[nodiscard]] bool read_console(std::size_t bytes_max);
    void take(TargetEvent event);
    void take_end(TargetEnded ended);

    const Clock& clock_;
    const EmulatorSpec spec_;
    const PlugLines plug_lines_;
    ProcessTarget process_;
    std::optional<QmpClient> monitor_;
    LinkRelay relay_;
    bool has_link_faults_ = false;
    bool is_relayed_ = false;  // QEMU was told to hand its frames over
    Console console_;
    UniqueFd typed_;  // what is written to it is typed on the console
    bool is_paused_ = false;
    std::vector<std::string> complaints_;  // the first and last lines of QEMU's standard error
    std::vector<TargetEvent> waiting_;     // for the next read()
};

}  // namespace rig
