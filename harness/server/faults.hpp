// Faults says what the server does wrong on purpose, and when. A fault is armed under an id, asked
// about each chance it has to fire, and counts how often it did. Nothing here does any harm by
// itself: Mischief asks and Connection acts. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "harness/server/fault_table.hpp"
#include "harness/tls/tls_context.hpp"

namespace harness {

/// Where a fault's connections have their TLS from; empty: from where they always have it. What it
/// gives is owned by the fault, perhaps, and by the connections that use it: they may outlive it.
using TlsContextSource = std::function<std::shared_ptr<const TlsContext>()>;

class Faults {
  public:
    using Id = std::int64_t;

    /// A fault whose chance has come.
    struct Struck {
        Id id = 0;
        FaultSpec spec;  ///< completed; a copy, so that the fault may be removed meanwhile
        TlsContextSource context;
        std::int64_t salt = 0;  ///< which chance it was: what goes by chance differs each time
    };

    /// Throws rig::NoBench for values out of range.
    Id add(FaultSpec spec, TlsContextSource context = {});
    /// How often it fired; 0 for an unknown id.
    std::int64_t remove(Id id);
    [[nodiscard]] bool are_armed() const { return !armed_.empty(); }

    /// A chance: the faults that wait for it and are to fire, in the order in which they were
    /// armed. `device` is that of a frame, if it has one.
    [[nodiscard]] std::vector<Struck> strike(FaultPoint point, FaultPort port,
                                             std::optional<std::uint16_t> device = {});
    /// One of them came into effect.
    void count_fired(Id id);

    /// Whether nobody may listen: a `gone` fault is armed and its time is not over.
    [[nodiscard]] bool is_gone(std::int64_t now_ns) const;
    /// When the first `gone` fault's time is over.
    [[nodiscard]] std::optional<std::int64_t> gone_until_ns(std::int64_t now_ns) const;
    /// Counts the armed `gone` faults that have not fired yet as fired, from now on.
    [[nodiscard]] std::vector<FaultSpec> mark_gone(std::int64_t now_ns);

  private:
    struct Armed {
        FaultSpec spec;
        TlsContextSource context;
        std::mt19937_64 dice;
        std::int64_t chances = 0;
        std::int64_t fired = 0;
        std::int64_t over_at_ns = 0;  // gone: 0 for never, or not fired yet
    };
    [[nodiscard]] static bool fires(Armed& fault);
    [[nodiscard]] static bool keeps_gone(const Armed& fault, std::int64_t now_ns);

    std::map<Id, Armed> armed_;
    Id last_id_ = 0;
};

}  // namespace harness
