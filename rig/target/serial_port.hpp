// A serial port as a console is read from it: raw bytes, no echo, no modem lines, nobody else's.
// open_serial_port() returns a non-blocking descriptor, which the caller owns. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "rig/base/unique_fd.hpp"

namespace rig {

struct SerialPort {
    std::string path;            ///< "/dev/ttyUSB0"
    std::int64_t baud = 115200;  ///< one of the rates that termios(3) knows, 50 to 4000000
    bool operator==(const SerialPort&) const = default;
};

/// Opens it for this process alone (TIOCEXCL) and drops what it had received before. Throws
/// NoBench, with the remedy, when it is not there, is no terminal, is in use, may not be opened or
/// does not know the rate.
[[nodiscard]] UniqueFd open_serial_port(const SerialPort& port);

}  // namespace rig
