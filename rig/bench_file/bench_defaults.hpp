// What a bench file leaves unsaid, by kind of bench. Private to rig/bench_file.
#pragma once

#include <cstddef>
#include <string_view>

#include "rig/bench_file/bench_file.hpp"

namespace rig {

/// A bench of this kind as a file with nothing but [bench] describes it, so far as that goes.
[[nodiscard]] BenchFile default_bench(BenchKind kind);

/// Says what each button does, from the names of the lines: button<i> flips led<i> if there is one,
/// and button1 is the secure one.
void pair_buttons(BenchFile& bench);

}  // namespace rig
