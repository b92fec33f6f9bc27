#include "rig/button/bounce_profile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "rig/base/errors.hpp"

namespace rig {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds hold_min = 1us;
constexpr nanoseconds hold_max = 10min;
constexpr nanoseconds glitch_default = 500us;
constexpr nanoseconds glitch_max = 100ms;
constexpr std::uint64_t seed_default = 1;

/// How a contact bounces on one of its two ways.
struct Chatter {
    std::uint64_t bounces_min;
    std::uint64_t bounces_max;
    nanoseconds gap_min;  // between two edges
    nanoseconds gap_max;

    [[nodiscard]] constexpr nanoseconds lasts_at_most() const {
        return 2 * static_cast<std::int64_t>(bounces_max) * gap_max;
    }
};

struct Contact {
    std::string_view name;
    Chatter closing;
    Chatter opening;
};

// Ganssle's "A Guide to Debouncing" measured eighteen kinds of switches: most settle within 2 ms,
// nearly all within 7 ms, a few bad ones take far longer.
constexpr std::array<Contact, 2> contacts{{
    {.name = "tactile",
     .closing = {.bounces_min = 1, .bounces_max = 4, .gap_min = 20us, .gap_max = 200us},
     .opening = {.bounces_min = 1, .bounces_max = 3, .gap_min = 20us, .gap_max = 150us}},
    {.name = "worn",
     .closing = {.bounces_min = 8, .bounces_max = 20, .gap_min = 50us, .gap_max = 500us},
     .opening = {.bounces_min = 6, .bounces_max = 14, .gap_min = 50us, .gap_max = 500us}},
}};

/// SplitMix64: the standard's distributions differ between libraries, this does not.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    /// From `min` to `max`, both included.
    [[nodiscard]] std::uint64_t roll(std::uint64_t min, std::uint64_t max) {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t bits = state_;
        bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
        bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
        bits ^= bits >> 31U;
        return min + bits % (max - min + 1);
    }

  private:
    std::uint64_t state_;
};

/// Appends the contact becoming `closed` at `at_ns`, and its bounces after that.
void append_chatter(std::vector<PressStep>& steps, std::int64_t at_ns, bool closed,
                    const Chatter& chatter, Dice& dice) {
    steps.push_back({.after_ns = at_ns, .closed = closed});
    const std::uint64_t edges = 2 * dice.roll(chatter.bounces_min, chatter.bounces_max);
    for (std::uint64_t edge = 0; edge < edges; ++edge) {
        at_ns += static_cast<std::int64_t>(
            dice.roll(static_cast<std::uint64_t>(chatter.gap_min.count()),
                      static_cast<std::uint64_t>(chatter.gap_max.count())));
        steps.push_back({.after_ns = at_ns, .closed = !steps.back().closed});
    }
}

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

std::uint64_t seed_in(std::string_view name, std::string_view argument) {
    constexpr std::string_view key = "seed=";
    const auto seed = argument.starts_with(key)
                          ? number_in<std::uint64_t>(argument.substr(key.size()))
                          : std::nullopt;
    if (!seed) {
        throw NoBench(fmt::format(
            "bounce profile {}: \"{}\" is no seed; expected a whole number, as in {}:seed=7", name,
            argument, name));
    }
    return *seed;
}

nanoseconds glitch_in(std::string_view argument) {
    std::optional<std::int64_t> number;
    nanoseconds unit{};
    for (const auto& [suffix, value] :
         {std::pair<std::string_view, nanoseconds>{"us", 1us}, {"ms", 1ms}}) {
        if (argument.ends_with(suffix)) {
            number = number_in<std::int64_t>(argument.substr(0, argument.size() - suffix.size()));
            unit = value;
        }
    }
    if (!number || *number < 1 || *number > glitch_max / unit) {
        throw NoBench(
            fmt::format("bounce profile glitch: \"{}\" is no length of a glitch; expected 1us to "
                        "100ms, as in glitch:200us",
                        argument));
    }
    return *number * unit;
}

void check_hold(nanoseconds hold) {
    if (hold < hold_min || hold > hold_max) {
        throw NoBench(
            fmt::format("a press is held for 1 us to 10 minutes, not {} ns", hold.count()));
    }
}

std::vector<PressStep> bouncing_steps(const Contact& contact, nanoseconds hold,
                                      std::uint64_t seed) {
    // Whatever the seed: a soak that counts seeds up must not fail somewhere in the middle.
    if (hold <= contact.closing.lasts_at_most()) {
        throw NoBench(fmt::format(
            "a {} contact bounces for up to {} us as it closes: hold it for longer than that, not "
            "for {} us",
            contact.name, contact.closing.lasts_at_most() / 1us, hold / 1us));
    }
    Dice dice(seed);
    std::vector<PressStep> steps;
    append_chatter(steps, 0, true, contact.closing, dice);
    append_chatter(steps, hold.count(), false, contact.opening, dice);
    return steps;
}

}  // namespace

std::vector<PressStep> press_steps(std::string_view profile, nanoseconds hold) {
    check_hold(hold);
    const auto colon = profile.find(':');
    const std::string_view name = profile.substr(0, colon);
    const bool has_argument = colon != std::string_view::npos;
    const std::string_view argument = has_argument ? profile.substr(colon + 1) : "";
    if (name == "ideal") {
        if (has_argument) {
            throw NoBench(
                fmt::format("bounce profile ideal takes nothing after its name, not "
                            "\"{}\"",
                            argument));
        }
        return {{.after_ns = 0, .closed = true}, {.after_ns = hold.count(), .closed = false}};
    }
    if (name == "glitch") {
        const nanoseconds length = has_argument ? glitch_in(argument) : glitch_default;
        return {{.after_ns = 0, .closed = true}, {.after_ns = length.count(), .closed = false}};
    }
    for (const Contact& contact : contacts) {
        if (contact.name == name) {
            return bouncing_steps(contact, hold,
                                  has_argument ? seed_in(name, argument) : seed_default);
        }
    }
    throw NoBench(fmt::format("no bounce profile is called \"{}\"; there are: {}", name,
                              fmt::join(bounce_profiles(), ", ")));
}

std::vector<std::string> bounce_profiles() {
    return {"ideal", "tactile", "worn", "glitch"};
}

}  // namespace rig
