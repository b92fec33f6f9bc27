// spawn() makes a child process out of a program: in a session of its own, with a bare environment
// and no descriptors but the named ones, killed by the kernel when the calling thread ends. Only
// ProcessTarget uses it. The calling thread blocks until the program executes or cannot.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rig/base/unique_fd.hpp"

namespace rig {

struct SpawnedProcess {
    int pid = 0;       ///< also the ID of its process group
    UniqueFd process;  ///< a pidfd: readable once it has ended
    UniqueFd console;  ///< read end of its standard output and error, non-blocking
};

struct SpawnOrder {
    const std::string& program;
    const std::vector<std::string>& arguments;
    const std::vector<std::pair<std::string, std::string>>& environment;
    const std::string& folder;  ///< empty: the caller's
    const std::string& remedy;  ///< ends the text of the error when there is nothing to execute
    int wire = -1;              ///< becomes descriptor `wire_at` there; -1: none
    int wire_at = 3;
};

/// Throws NoBench when the program or its folder cannot be used, std::system_error when the
/// machine has no process or descriptor left. No process is left behind either way.
[[nodiscard]] SpawnedProcess spawn(const SpawnOrder& order);

}  // namespace rig
