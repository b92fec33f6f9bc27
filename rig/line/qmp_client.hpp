// QmpClient speaks QMP, the protocol by which QEMU is told what to do: JSON objects, one a line,
// over a socket that it owns. It asks for the protocol's commands to be unlocked by itself. QEMU
// serves any number of such sockets, so that whoever needs one has one of its own. One thread at a
// time. Only call() waits; limit: message_bytes_max.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rig/base/clock.hpp"
#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"
#include "rig/base/unique_fd.hpp"

namespace rig {

/// One message of QEMU's.
struct QmpMessage {
    enum class Kind : std::uint8_t { greeting, answer, error, event };
    Kind kind = Kind::greeting;
    std::string text;          ///< of an answer: its JSON; of an error: why; of an event: its name
    std::int64_t wall_ns = 0;  ///< of an event: when, CLOCK_REALTIME, to the microsecond
    std::uint64_t id = 0;      ///< of an answer or an error: the command's; 0: it had none
};

/// Nothing: that is no message of QMP.
[[nodiscard]] std::optional<QmpMessage> parse_qmp(std::string_view line);

/// QEMU has understood a command and does not do it.
class QmpRefusal : public RigError {
  public:
    using RigError::RigError;
};

class QmpClient {
  public:
    static constexpr std::size_t message_bytes_max = 1024 * 1024;

    /// Takes a connected socket. It may have been connected before QEMU runs.
    explicit QmpClient(UniqueFd socket);

    /// Readable when something has come.
    [[nodiscard]] int fd() const { return socket_.get(); }
    /// Whether QEMU has closed it, or sent what is no QMP.
    [[nodiscard]] bool is_over() const { return is_over_; }

    /// Sends a command (a JSON object, which is given an `id`); its answer will come out of next().
    /// Returns its ID, counted from 1; 0: QEMU has gone.
    std::uint64_t send(std::string_view command);
    /// The next message that has come, if one has; greeting and unlocking are left out. Does not
    /// wait.
    [[nodiscard]] std::optional<QmpMessage> next();

    /// Sends a command and waits for its answer; events that come meanwhile are dropped. Nothing:
    /// QEMU has gone. Throws QmpRefusal, and RigError when
    /// it does not answer before the deadline.
    std::optional<std::string> call(std::string_view command, const Clock& clock,
                                    Deadline deadline);
    /// Waits for an event of that name; messages before it are dropped. Returns and throws
    /// likewise; what it returns is when that was, CLOCK_REALTIME.
    std::optional<std::int64_t> wait_for_event(std::string_view name, const Clock& clock,
                                               Deadline deadline);

  private:
    [[nodiscard]] std::optional<QmpMessage> wait_for_next(const Clock& clock, Deadline deadline);
    void receive();
    [[nodiscard]] bool write(std::string_view text) noexcept;

    UniqueFd socket_;
    std::string received_;
    std::uint64_t last_id_ = 0;
    bool is_over_ = false;
};

}  // namespace rig
