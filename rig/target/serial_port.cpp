#include "rig/target/serial_port.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "rig/base/errors.hpp"

namespace rig {
namespace {

constexpr std::array<std::pair<std::int64_t, speed_t>, 24> rates{{
    {50, B50},           {75, B75},           {110, B110},         {150, B150},
    {200, B200},         {300, B300},         {600, B600},         {1200, B1200},
    {2400, B2400},       {4800, B4800},       {9600, B9600},       {19200, B19200},
    {38400, B38400},     {57600, B57600},     {115200, B115200},   {230400, B230400},
    {460800, B460800},   {500000, B500000},   {921600, B921600},   {1000000, B1000000},
    {1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000}, {4000000, B4000000},
}};

[[noreturn]] void refuse(const SerialPort& port, const std::string& why,
                         const std::string& remedy) {
    throw NoBench(fmt::format("console {}: {}; {}", port.path, why, remedy));
}

std::string text_of(int error_number) {
    return std::generic_category().message(error_number);
}

speed_t speed_of(const SerialPort& port) {
    const auto* const rate = std::find_if(
        rates.begin(), rates.end(), [&](const auto& known) { return known.first == port.baud; });
    if (rate == rates.end()) {
        refuse(port, fmt::format("{} baud is no rate that a serial port knows", port.baud),
               "9600 and 115200 are the usual ones; the board's manual tells");
    }
    return rate->second;
}

UniqueFd open_path(const SerialPort& port) {
    UniqueFd fd(::open(port.path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (fd) {
        return fd;
    }
    const int error_number = errno;
    switch (error_number) {
        case ENOENT:
        case ENXIO:
        case ENODEV:
            refuse(port, "there is no such port",
                   "plug the adapter in; /dev/serial/by-id/ lists those that are there");
        case EACCES:
        case EPERM:
            refuse(port, text_of(error_number),
                   "add yourself to its group (usually: adduser $USER dialout) and log in anew");
        case EBUSY:
            refuse(port, "another program has it",
                   fmt::format("end that program (fuser -v {} names it)", port.path));
        default:
            refuse(port, text_of(error_number), "look at target.console.port in the bench file");
    }
}

}  // namespace

UniqueFd open_serial_port(const SerialPort& port) {
    const speed_t speed = speed_of(port);
    UniqueFd fd = open_path(port);
    termios settings{};
    if (::tcgetattr(fd.get(), &settings) != 0) {
        refuse(port, "it is no serial port", "look at target.console.port in the bench file");
    }
    ::cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    settings.c_cflag &= ~static_cast<tcflag_t>(CRTSCTS | HUPCL);  // DTR resets many a board
    if (::cfsetspeed(&settings, speed) != 0 || ::tcsetattr(fd.get(), TCSANOW, &settings) != 0) {
        refuse(port, fmt::format("set it to {} baud: {}", port.baud, text_of(errno)),
               "look at target.console.baud in the bench file");
    }
    if (::ioctl(fd.get(), TIOCEXCL) != 0) {
        refuse(port, fmt::format("keep others from it: {}", text_of(errno)),
               "unplug the adapter and plug it in again");
    }
    (void)::tcflush(fd.get(), TCIFLUSH);
    return fd;
}

}  // namespace rig
