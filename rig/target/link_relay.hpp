// LinkRelay stands in the Ethernet link of an emulated board: QEMU hands it each frame (a
// filter-redirector for each direction: a length of four bytes, then the frame) and takes back what
// a FaultyLink leaves of it. It owns the rig's ends of both sockets, and says when it must be
// called again; whoever owns it plugs it in, and tells QEMU to go through it. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/base/unique_fd.hpp"
#include "rig/target/faulty_link.hpp"

namespace rig {

class LinkRelay {
  public:
    /// The queue of QEMU's network back end that a direction is: from the board, to the board.
    static constexpr std::array<const char*, 2> queues{"rx", "tx"};
    /// More is no frame: whoever sends it is not QEMU.
    static constexpr std::size_t frame_bytes_max = 65'536;

    LinkRelay();

    /// New sockets for both directions, non-blocking. Returns QEMU's ends.
    [[nodiscard]] std::array<UniqueFd, 2> plug_in();
    /// QEMU has gone: its sockets are watched no more, and closed at the next plug_in().
    void unplug();

    /// From now on; what is under way goes on at once. The counts begin anew.
    void set_faults(const LinkFaults& faults, TimestampNs now_ns);
    [[nodiscard]] LinkCounts counts() const;

    [[nodiscard]] std::vector<int> descriptors() const;
    /// Passes on what has come and what is due, a bounded amount a call. Returns whether there may
    /// be more. Throws RigError when that is no frame.
    bool pass_on(TimestampNs now_ns);
    /// When pass_on() must be called even if no descriptor is readable. 0: never.
    [[nodiscard]] TimestampNs next_deadline_ns() const;

  private:
    struct Direction {
        UniqueFd socket;
        std::string received;  // of a frame that is not whole yet
        std::string unsent;    // QEMU did not take it
        FaultyLink link;
    };

    [[nodiscard]] bool receive(Direction& direction, TimestampNs now_ns);
    void send(Direction& direction, const std::vector<std::string>& frames, TimestampNs now_ns);

    std::array<Direction, 2> directions_;
    bool is_plugged_in_ = false;
    TimestampNs again_at_ns_ = 0;  // for what is unsent
};

}  // namespace rig
