// ChipLines are lines of the kernel's GPIO chips, over the second version of its interface
// (libgpiod v2). It owns an open descriptor a chip, one request for all inputs of a chip and one
// for each output. Levels are electrical here as everywhere: a line is never requested as active
// low; what a level means is the button's or the LED's business.
//
// One thread at a time; nothing blocks; at most edges_per_read_max edges a chip and call. The
// kernel frees the lines of a process that ends in any way. Freed lines float on most chips; one
// that keeps its outputs driven (keeps_outputs()) needs release_lines() after a SIGKILL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rig/line/lines.hpp"

namespace rig {

struct ChipLinesOptions {
    /// Who holds the lines, for `gpioinfo` and for whoever finds them busy; cut to 31 bytes.
    std::string consumer = "wwep-rig";
    std::string device_folder = "/dev";
    /// Edges that the kernel keeps for the inputs of a chip until they are read; when it is full
    /// the oldest go, and are counted as lost. The kernel allows no more than 1024.
    std::size_t event_buffer_size = 1024;
};

class ChipLines final : public Lines {
  public:
    static constexpr std::size_t edges_per_read_max = 256;

    /// Requests every line; `clock` must outlive this. Outputs begin at high impedance: an
    /// open-drain or open-source line as an output that lets go, a push-pull line as an input until
    /// it is driven. Throws NoBench, with the remedy, for whatever keeps a line from being used.
    ChipLines(std::vector<LineSpec> specs, const Clock& clock, ChipLinesOptions options = {});
    /// Every output to high impedance, then back to the kernel.
    ~ChipLines() override;
    ChipLines(const ChipLines&) = delete;
    ChipLines& operator=(const ChipLines&) = delete;

    [[nodiscard]] std::span<const LineSpec> specs() const override { return specs_; }
    [[nodiscard]] std::vector<int> descriptors() const override;
    /// Throws RigError once for each chip that was unplugged; from then on its descriptors are left
    /// out (they stay open until this goes) and its lines cannot be driven. A chip that is plugged
    /// in again is another chip to the kernel: make a new ChipLines.
    [[nodiscard]] bool read_edges(std::vector<Edge>& edges) override;
    [[nodiscard]] Edge drive(std::uint32_t line, Level level) override;
    void release(std::uint32_t line) noexcept override;
    [[nodiscard]] Level level(std::uint32_t line) const override;
    /// Gaps in the sequence numbers of a line and of all inputs of a chip, and edges to the level
    /// that the line already had: between two of those the chip missed one. A number that is
    /// missing among a chip's alone counts once it is overdue, see lost_edges.hpp: ask again then.
    [[nodiscard]] std::uint64_t edges_lost() const override;
    /// False once a chip was unplugged.
    [[nodiscard]] bool is_connected() const override;

  private:
    struct Chip;
    struct Line;

    void request_output(std::uint32_t line);
    void request_inputs(Chip& chip);
    [[nodiscard]] bool read_chip(Chip& chip, std::vector<Edge>& edges);
    /// Returns how many edges of this line went missing before the event.
    std::uint64_t take_event(std::uint32_t line, Level level, TimestampNs at_ns,
                             std::uint64_t seqno, std::vector<Edge>& edges);
    [[noreturn]] void give_up(Chip& chip, std::string_view verb, int error_number);

    const Clock& clock_;
    const ChipLinesOptions options_;
    std::vector<LineSpec> specs_;
    std::vector<Chip> chips_;
    std::vector<Line> lines_;
};

}  // namespace rig
