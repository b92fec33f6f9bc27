// QemuLines are the lines of an emulated board, QEMU's lm3s6965evb. A button is pressed by QMP, as
// a key of the machine's gamepad: those are wired to PE0 to PE3 and PF1 and read 0 while pressed.
// An LED is any pin: QEMU logs each change of an output into a pipe, with its own time. It owns the
// rig's ends of two QMP sockets and of that pipe. plug() makes new ones for each start of QEMU.
// One thread at a time. drive() and release() wait for QEMU's answer, typically some 0.3 ms, so
// that the line has the level when they return; nothing else waits.
//
// An edge's time is QEMU's gettimeofday() right before it logs, in the middle of the guest's
// instruction, converted by WallOffset: exact to 1 us and the error of that conversion. It is host
// time also where the guest's own clock runs at another pace (-icount).
//
// After each reset QEMU's pins read as if all buttons were pressed, and the first press would make
// no edge. So they are primed (pressed and released, which the firmware sees as a release only)
// when the board begins to run: hellos() counts how often that was done.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rig/base/unique_fd.hpp"
#include "rig/base/wall_offset.hpp"
#include "rig/line/lines.hpp"
#include "rig/line/pin_trace.hpp"
#include "rig/line/qmp_client.hpp"

namespace rig {

/// QEMU's ends of what QemuLines listens to.
struct QemuPlug {
    UniqueFd events;  ///< a QMP monitor: `-chardev socket,fd=` and `-mon mode=control`
    UniqueFd keys;    ///< another one
    UniqueFd log;     ///< a pipe: `-D /dev/fd/`, with `-d trace:pl061_set_output -msg timestamp=on`
};

class QemuLines final : public Lines {
  public:
    /// Bytes of QEMU's log taken by one call of read_edges(), at most; QEMU waits for the rig when
    /// the pipe is full, so that no edge is lost.
    static constexpr std::size_t log_bytes_per_read_max = 65'536;
    static constexpr TimestampNs answer_within_ns = 5 * ns_per_s;

    /// `clock` must outlive this. Throws NoBench for a line that names no pin, for a button that no
    /// key of the machine presses, and for two lines on one pin.
    QemuLines(std::vector<LineSpec> specs, const Clock& clock);

    /// Makes new sockets and a new pipe, and returns QEMU's ends. What was before is cut.
    [[nodiscard]] QemuPlug plug();
    /// Cuts them: QEMU is about to end.
    void unplug();

    /// How often the board has begun to run with its buttons released.
    [[nodiscard]] std::uint64_t hellos() const { return hellos_; }

    [[nodiscard]] std::span<const LineSpec> specs() const override { return specs_; }
    [[nodiscard]] std::vector<int> descriptors() const override;
    [[nodiscard]] bool read_edges(std::vector<Edge>& edges) override;
    /// High on a button lets go of it, whatever its drive. Throws RigError too when QEMU refuses
    /// the key, as it does while it is paused.
    [[nodiscard]] Edge drive(std::uint32_t line, Level level) override;
    void release(std::uint32_t line) noexcept override;
    [[nodiscard]] Level level(std::uint32_t line) const override;
    [[nodiscard]] std::uint64_t edges_lost() const override { return edges_lost_; }
    [[nodiscard]] bool is_connected() const override { return events_.has_value(); }

  private:
    struct LineState {
        Level level = Level::low;
        std::uint64_t seqno = 0;           // over all starts of QEMU
        std::int64_t changed_wall_ns = 0;  // of an LED
    };

    void take_messages(std::vector<Edge>& edges);
    void take_reset(std::int64_t wall_ns, std::vector<Edge>& edges);
    bool read_log(std::vector<Edge>& edges);
    void take_log_line(std::string_view line, std::vector<Edge>& edges);
    void look_for_ports();
    void set_all_keys();
    void set_key(std::uint32_t line, Level level);
    [[nodiscard]] std::optional<std::string> call(std::string_view command);
    void cut();

    const Clock& clock_;
    WallOffset wall_offset_;
    std::vector<LineSpec> specs_;
    std::vector<Pin> pins_;  // by line
    std::vector<LineState> states_;
    std::optional<QmpClient> events_;
    std::optional<QmpClient> keys_;
    UniqueFd log_;
    std::string log_text_;               // at most one incomplete line after a read
    std::map<std::string, char> ports_;  // by chip; empty: not asked for yet
    bool is_in_reset_ = true;            // no key was set since: the pins read as pressed
    std::uint64_t hellos_ = 0;
    std::uint64_t edges_lost_ = 0;
};

}  // namespace rig
