// BoardTarget is a real board, as far as the rig sees it: the console on its serial port, if it has
// one. Power and reset are lines or commands of others; start(), stop() and reset() are told when
// one of them has been used, so that the console's lines belong to the right run of the board. A
// console that goes away is looked for again until it is back: boards that power their own USB
// adapter come and go with it. It owns the port's descriptor. The clock must outlive it.
//
// Thread rule: one thread at a time, the loop's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "rig/base/clock.hpp"
#include "rig/base/unique_fd.hpp"
#include "rig/target/console.hpp"
#include "rig/target/serial_port.hpp"
#include "rig/target/target.hpp"

namespace rig {

class BoardTarget final : public Target {
  public:
    /// Bytes of console taken by one call of read(), at most.
    static constexpr std::size_t read_bytes_max = 65536;
    /// How often a console that went away is looked for.
    static constexpr TimestampNs reopen_every_ns = ns_per_s / 10;

    /// Opens nothing.
    BoardTarget(const Clock& clock, std::optional<SerialPort> console);

    /// The board runs from now on. Throws NoBench when its console cannot be opened for the first
    /// time; one that went away since is looked for.
    void start() override;
    /// The board has lost its power; its console may go with it.
    void stop() override;
    /// The rig is done with the board, which may run on.
    void stop_now() noexcept override;
    /// The board begins anew from now on. Throws like start().
    void reset() override;
    [[nodiscard]] bool is_running() const override { return is_running_; }
    [[nodiscard]] bool may_restart_unseen() const override { return true; }
    [[nodiscard]] std::vector<int> descriptors() const override;
    [[nodiscard]] bool read(std::vector<TargetEvent>& events) override;
    [[nodiscard]] TimestampNs next_deadline_ns() const override;

  private:
    void open_console();
    [[nodiscard]] bool read_console();
    void lose_console(const std::string& why);
    void do_what_is_due(TimestampNs now_ns);

    const Clock& clock_;
    const std::optional<SerialPort> port_;
    Console console_;
    bool is_running_ = false;
    TimestampNs reopen_at_ns_ = 0;      // 0: the console is there, or is not wanted
    std::vector<TargetEvent> waiting_;  // for the next read()
};

}  // namespace rig
