// Faults says what the server does wrong on purpose, and when. A fault is armed under an id, asked
// about each chance it has to fire, and counts how often it did. Nothing here does any harm by
// itself: the server asks and acts. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace harness {

enum class FaultKind : std::uint8_t {
    gone,      ///< nobody listens: connections are refused
    late,      ///< the reply goes out `delay` later
    answer_x,  ///< the frame is taken (a write is stored) but the reply is `X`
};

/// "gone", "late", "answer_x".
[[nodiscard]] std::string_view to_string(FaultKind kind);
/// Throws rig::NoBench naming the kinds that there are.
[[nodiscard]] FaultKind fault_kind(std::string_view name);

struct FaultSpec {
    FaultKind kind = FaultKind::late;
    std::chrono::nanoseconds delay{0};         ///< late: how much later
    std::int64_t nth = 0;                      ///< fires on the nth chance only, from 1; 0: on each
    std::optional<std::uint16_t> device = {};  ///< fires for frames of this device only
    double probability = 1.0;                  ///< 0 to 1
    std::uint64_t seed = 0;                    ///< of the dice for `probability`
};

/// What befalls one frame.
struct FrameFault {
    std::chrono::nanoseconds delay{0};
    bool answers_x = false;
};

class Faults {
  public:
    using Id = std::int64_t;
    using Fired = std::function<void(FaultKind)>;

    /// Throws rig::NoBench for values out of range.
    Id add(const FaultSpec& spec);
    /// How often it fired; 0 for an unknown id.
    std::int64_t remove(Id id);

    /// Whether a `gone` fault is armed. It counts as fired by mark_gone(), once.
    [[nodiscard]] bool is_gone() const;
    /// Counts the armed `gone` faults that have not fired yet as fired.
    void mark_gone(const Fired& fired);

    /// A frame is about to be answered. `fired` hears of each fault that fires.
    [[nodiscard]] FrameFault frame(std::optional<std::uint16_t> device, const Fired& fired);

  private:
    struct Armed {
        FaultSpec spec;
        std::mt19937_64 dice;
        std::int64_t chances = 0;
        std::int64_t fired = 0;
    };
    [[nodiscard]] static bool fires(Armed& fault, std::optional<std::uint16_t> device);

    std::map<Id, Armed> armed_;
    Id last_id_ = 0;
};

}  // namespace harness
