// The three things that can be wrong, kept apart everywhere: the target failed, the rig itself
// erred, or the bench is not there. What a system call reports is a std::system_error whose text
// names verb and object; it counts as a rig error at the Python boundary.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>

namespace rig {

/// The rig cannot do its work: nothing is said about the target.
class RigError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The bench that was asked for is missing, busy or wrongly described. The text names the remedy.
class NoBench : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The device under test did not do what it must.
class TargetFailure : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Throws std::system_error for `error_number` (an errno value, saved right after the call).
/// `action` names verb and object: "bind 127.0.0.1:27708".
[[noreturn]] void throw_system_error(int error_number, const std::string& action);

}  // namespace rig
