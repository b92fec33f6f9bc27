// How the bench file spells its enumerations: one table each, read by the parser, by to_string()
// and by the texts of errors. Private to rig/bench_file.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "rig/bench_file/bench_file.hpp"

namespace rig {

template <typename Enum, std::size_t count>
using Spellings = std::array<std::pair<std::string_view, Enum>, count>;

constexpr Spellings<BenchKind, 4> kind_spellings{{{"sim", BenchKind::sim},
                                                  {"kernel", BenchKind::kernel},
                                                  {"emulator", BenchKind::emulator},
                                                  {"board", BenchKind::board}}};
constexpr Spellings<TargetRole, 2> target_role_spellings{
    {{"client", TargetRole::client}, {"server", TargetRole::server}}};
constexpr Spellings<TargetSpeed, 2> target_speed_spellings{
    {{"host", TargetSpeed::host}, {"mcu", TargetSpeed::mcu}}};
constexpr Spellings<LedBeforeFrame, 3> led_before_frame_spellings{
    {{"yes", LedBeforeFrame::yes}, {"no", LedBeforeFrame::no}, {"either", LedBeforeFrame::either}}};
constexpr Spellings<Verifies, 3> verifies_spellings{
    {{"chain", Verifies::chain}, {"name", Verifies::name}, {"time", Verifies::time}}};
constexpr Spellings<TlsProfile, 2> tls_profile_spellings{
    {{"modern", TlsProfile::modern}, {"legacy", TlsProfile::legacy}}};
constexpr Spellings<Direction, 2> direction_spellings{
    {{"output", Direction::output}, {"input", Direction::input}}};
constexpr Spellings<Active, 2> active_spellings{{{"low", Active::low}, {"high", Active::high}}};
constexpr Spellings<Drive, 3> drive_spellings{{{"open-drain", Drive::open_drain},
                                               {"open-source", Drive::open_source},
                                               {"push-pull", Drive::push_pull}}};
constexpr Spellings<Bias, 4> bias_spellings{{{"as-is", Bias::as_is},
                                             {"disabled", Bias::disabled},
                                             {"pull-up", Bias::pull_up},
                                             {"pull-down", Bias::pull_down}}};

template <typename Enum, std::size_t count>
constexpr std::string_view spelling_of(Enum value, const Spellings<Enum, count>& spellings) {
    for (const auto& [spelling, candidate] : spellings) {
        if (candidate == value) {
            return spelling;
        }
    }
    return "?";
}

}  // namespace rig
