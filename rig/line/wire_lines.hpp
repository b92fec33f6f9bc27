// WireLines are the lines of a simulated bench: one Unix-domain stream socket to a board's process,
// with the records of WIRE.md on it. A line's `line` field is the number of the board's pin.
// It owns the rig's end of the socket. plug() makes a new socket for each start of a board.
// One thread at a time; nothing blocks; at most edges_per_read_max edges a call.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "rig/base/unique_fd.hpp"
#include "rig/line/lines.hpp"

namespace rig {

class WireLines final : public Lines {
  public:
    static constexpr std::size_t edges_per_read_max = 4096;
    static constexpr unsigned pins_max = 32;

    /// `clock` must outlive this. Throws NoBench for a line that names no pin from 0 to 31, and for
    /// two lines on one pin.
    WireLines(std::vector<LineSpec> specs, const Clock& clock);

    /// Makes a new wire and returns the board's end, for its process to inherit. An old wire is
    /// cut.
    [[nodiscard]] UniqueFd plug();
    /// Cuts the wire: the board sees end of file, releases its pins and ends.
    void unplug();

    /// Whether the board has said hello since it was plugged in.
    [[nodiscard]] bool said_hello() const { return said_hello_; }
    /// Why the wire was cut from this side, for people; empty if it was not.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

    [[nodiscard]] std::span<const LineSpec> specs() const override { return specs_; }
    [[nodiscard]] std::vector<int> descriptors() const override;
    [[nodiscard]] bool read_edges(std::vector<Edge>& edges) override;
    [[nodiscard]] Edge drive(std::uint32_t line, Level level) override;
    void release(std::uint32_t line) noexcept override;
    [[nodiscard]] Level level(std::uint32_t line) const override;
    [[nodiscard]] std::uint64_t edges_lost() const override { return edges_lost_; }
    [[nodiscard]] bool is_connected() const override { return static_cast<bool>(socket_); }

  private:
    struct LineState {
        Level level = Level::low;
        bool is_driven = false;
        std::uint64_t seqno = 0;       // of edges on this line, over all boards
        std::uint64_t wire_seqno = 0;  // last one seen from, or sent to, the board plugged in now
    };

    void take_record(const std::byte* record, std::vector<Edge>& edges);
    [[nodiscard]] bool send_drive(std::uint32_t line, std::uint8_t wire_level) noexcept;
    void cut(std::string why);

    const Clock& clock_;
    std::vector<LineSpec> specs_;
    std::vector<unsigned> pins_;           // by line
    std::array<int, pins_max> line_of_{};  // by pin, -1: none
    std::vector<LineState> states_;
    UniqueFd socket_;
    std::vector<std::byte> received_;  // at most one incomplete record after a read
    std::uint64_t edges_lost_ = 0;
    bool said_hello_ = false;
    std::string trouble_;
};

}  // namespace rig
