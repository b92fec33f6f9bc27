#include "rig/target/enclosure.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "rig/base/deadline.hpp"
#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"
#include "rig/target/spawn.hpp"

namespace rig {
namespace {

using namespace std::chrono_literals;

constexpr auto opened_within = 20s;
constexpr std::size_t descriptors_max = 32;
constexpr std::size_t words_max = 4096;
constexpr const char* remedy =
    "the emulated board needs unprivileged user namespaces: allow them with `sysctl "
    "user.max_user_namespaces=15000`, on Debian also `sysctl kernel.unprivileged_userns_clone=1` "
    "where that exists, `sysctl kernel.apparmor_restrict_unprivileged_userns=0` where AppArmor "
    "restricts them; in a container allow unshare in its seccomp profile";

union Control {
    cmsghdr header;  // for the alignment
    std::array<char, CMSG_SPACE(sizeof(int) * descriptors_max)> bytes;
};

msghdr message_of(iovec& data, Control& control, std::size_t control_bytes) {
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control_bytes;
    return message;
}

/// Empty: the other end has gone.
std::vector<UniqueFd> receive_descriptors(int socket) {
    Control control{};
    char byte = 0;
    iovec data{.iov_base = &byte, .iov_len = 1};
    msghdr message = message_of(data, control, control.bytes.size());
    std::vector<UniqueFd> result;
    if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) {
        return result;
    }
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
        std::vector<int> numbers((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        std::memcpy(numbers.data(), CMSG_DATA(header), numbers.size() * sizeof(int));
        for (const int number : numbers) {
            result.emplace_back(number);
        }
    }
    return result;
}

std::string words_of(int console) {
    std::string text(words_max, '\0');
    const ssize_t got = ::read(console, text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text.empty() ? "it said nothing" : text;
}

}  // namespace

void send_descriptors(int socket, const std::vector<int>& descriptors) {
    Control control{};
    char byte = 0;
    iovec data{.iov_base = &byte, .iov_len = 1};
    const std::size_t bytes = sizeof(int) * descriptors.size();
    msghdr message = message_of(data, control, CMSG_SPACE(bytes));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
    if (::sendmsg(socket, &message, MSG_NOSIGNAL) != 1) {
        throw_system_error(errno, "send descriptors to wwep-enclosure");
    }
}

Enclosure::Enclosure(const std::string& helper, const std::string& address,
                     const std::vector<EnclosedPlace>& places, const Clock& clock) {
    std::vector<std::string> arguments{"open", address};
    for (const EnclosedPlace& place : places) {
        arguments.push_back(
            fmt::format("{}:{}:{}", place.is_udp ? "udp" : "tcp", place.address, place.port));
    }
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw_system_error(errno, "make a socket to wwep-enclosure");
    }
    const UniqueFd ours(ends[0]);
    UniqueFd its(ends[1]);
    const SpawnedProcess process = spawn({.program = helper,
                                          .arguments = arguments,
                                          .environment = {},
                                          .folder = {},
                                          .remedy = "build the rig with ci/build",
                                          .wire = its.get()});
    its.reset();
    const auto deadline = Deadline::after(clock, opened_within);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left(clock));
    pollfd waited{.fd = ours.get(), .events = POLLIN, .revents = 0};
    static_cast<void>(::poll(&waited, 1, static_cast<int>(left.count())));
    std::vector<UniqueFd> received;
    if (waited.revents != 0) {
        received = receive_descriptors(ours.get());
    }
    ::kill(process.pid, SIGKILL);  // it has done its work, or hangs
    while (::waitpid(process.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (received.size() != places.size() + 2) {
        throw Remedied<NoBench>(fmt::format("make a network for the emulated board: {}",
                                            words_of(process.console.get())),
                                remedy);
    }
    user_ = std::move(received[0]);
    network_ = std::move(received[1]);
    sockets_.assign(std::make_move_iterator(received.begin() + 2),
                    std::make_move_iterator(received.end()));
}

}  // namespace rig
