// wwep-enclosure, the rig's small helper for networks of their own: single-threaded, because only
// such a process may move into a user namespace.
//
//   wwep-enclosure open ADDRESS [tcp|udp:ADDRESS:PORT]...
//       makes a user and a network namespace with nothing in it but the loopback interface, gives
//       that ADDRESS too, binds the sockets there and sends over descriptor 3: the two namespaces,
//       then the sockets, in one message. The namespaces live as long as those do.
//   wwep-enclosure run enclosed|open PROGRAM [ARGUMENT]...
//       receives descriptors over descriptor 3, in one message; enters the first two, which are
//       namespaces, if it says `enclosed`; puts the others at 4, 5, ... and becomes PROGRAM.
//   wwep-enclosure lend
//       makes such namespaces too, where this user is root, and for each byte that it reads from
//       descriptor 0 sends back a new TCP socket of theirs. It ends when descriptor 0 does.
//
// Exit status 3: namespaces are not to be had here; 1: anything else. Why is on standard error.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int wire = 3;
constexpr int first_descriptor = 4;
constexpr std::size_t descriptors_max = 32;
constexpr int exit_no_namespace = 3;

[[noreturn]] void fail(const std::string& what, int status = 1) {
    const int error = errno;
    std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(error));
    std::exit(status);
}

[[noreturn]] void refuse(const std::string& what) {
    std::fprintf(stderr, "wwep-enclosure: %s\n", what.c_str());
    std::exit(1);
}

void write_file(const char* path, const std::string& text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        fail(std::string("write ") + path, exit_no_namespace);
    }
    ::close(file);
}

sockaddr_in address_of(const std::string& address, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &result.sin_addr) != 1) {
        refuse("\"" + address + "\" is no IPv4 address");
    }
    return result;
}

int make_socket(int type) {
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fail("make a socket");
    }
    return fd;
}

/// With this user's as the only IDs in there, under these names; and the loopback interface up.
void make_namespaces(const std::string& user_inside, const std::string& group_inside) {
    const std::string user = std::to_string(::geteuid());
    const std::string group = std::to_string(::getegid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        fail("make a user and a network namespace", exit_no_namespace);
    }
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", user_inside + " " + user + " 1");
    write_file("/proc/self/gid_map", group_inside + " " + group + " 1");
    const int control = make_socket(SOCK_DGRAM);
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(control, SIOCSIFFLAGS, &request) != 0) {
        fail("bring the loopback interface up");
    }
    ::close(control);
}

void give_loopback(const std::string& address) {
    const int control = make_socket(SOCK_DGRAM);
    ifreq request{};
    std::strncpy(request.ifr_name, "lo:1", IFNAMSIZ - 1);
    const sockaddr_in wanted = address_of(address, 0);
    std::memcpy(&request.ifr_addr, &wanted, sizeof wanted);
    if (::ioctl(control, SIOCSIFADDR, &request) != 0) {
        fail("give the loopback interface " + address);
    }
    ::close(control);
}

/// "tcp:198.51.100.3:27708", bound and not listening yet.
int bound_socket(std::string_view text) {
    const bool is_tcp = text.starts_with("tcp:");
    const auto colon = text.rfind(':');
    if ((!is_tcp && !text.starts_with("udp:")) || colon < 4) {
        refuse("\"" + std::string(text) + "\" is not like tcp:198.51.100.3:27708");
    }
    std::uint16_t port = 0;
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    const sockaddr_in where = address_of(std::string(text.substr(4, colon - 4)), port);
    const int type = (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK;
    const int fd = make_socket(type);
    const int on = 1;
    if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
        fail("bind " + std::string(text));
    }
    return fd;
}

void send_descriptors(int over, const std::vector<int>& descriptors) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * descriptors_max)> control{};
    char byte = 0;
    iovec data{.iov_base = &byte, .iov_len = 1};
    const std::size_t bytes = sizeof(int) * descriptors.size();
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
    if (::sendmsg(over, &message, MSG_NOSIGNAL) != 1) {
        fail("send descriptors");
    }
}

std::vector<int> receive_descriptors() {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * descriptors_max)> control{};
    char byte = 0;
    iovec data{.iov_base = &byte, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(wire, &message, MSG_CMSG_CLOEXEC) != 1) {
        fail("receive descriptors");
    }
    std::vector<int> descriptors;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
        descriptors.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        std::memcpy(descriptors.data(), CMSG_DATA(header), descriptors.size() * sizeof(int));
    }
    return descriptors;
}

int open_enclosure(std::span<char*> words) {
    if (words.empty() || words.size() + 1 > descriptors_max) {
        refuse("open takes an address, then sockets");
    }
    make_namespaces(std::to_string(::geteuid()), std::to_string(::getegid()));
    give_loopback(words.front());
    std::vector<int> descriptors;
    for (const char* const path : {"/proc/self/ns/user", "/proc/self/ns/net"}) {
        descriptors.push_back(::open(path, O_RDONLY | O_CLOEXEC));
        if (descriptors.back() < 0) {
            fail(std::string("open ") + path);
        }
    }
    for (const char* const word : words.subspan(1)) {
        descriptors.push_back(bound_socket(word));
    }
    send_descriptors(wire, descriptors);
    return 0;
}

int lend_sockets() {
    make_namespaces("0", "0");  // its root, and who enters as such, may run tc in there
    char wish = 0;
    while (::read(STDIN_FILENO, &wish, 1) == 1) {
        const int lent = make_socket(SOCK_STREAM);
        send_descriptors(STDIN_FILENO, {lent});
        ::close(lent);
    }
    return 0;
}

/// Puts each where the program expects it, and keeps it open there.
void place(std::span<const int> descriptors) {
    const int above = first_descriptor + static_cast<int>(descriptors_max);
    std::vector<int> lifted;
    for (const int descriptor : descriptors) {
        lifted.push_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, above));
    }
    for (std::size_t i = 0; i < lifted.size(); ++i) {
        if (::dup2(lifted[i], first_descriptor + static_cast<int>(i)) < 0) {
            fail("place a descriptor");
        }
    }
}

int run_program(std::span<char*> words) {
    if (words.size() < 3 || words.back() != nullptr) {
        refuse("run takes `enclosed` or `open`, then a program");
    }
    const std::string_view where = words.front();
    std::vector<int> descriptors = receive_descriptors();
    if (where == "enclosed") {
        if (descriptors.size() < 2 || ::setns(descriptors[0], CLONE_NEWUSER) != 0 ||
            ::setns(descriptors[1], CLONE_NEWNET) != 0) {
            fail("enter the namespaces");
        }
        descriptors.erase(descriptors.begin(), descriptors.begin() + 2);
    }
    // Entering may have undone what the rig asked the kernel for; and an emulator has no manners to
    // keep when the rig is gone.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        fail("ask to end with the rig");
    }
    place(descriptors);
    ::close(wire);
    ::execv(words[1], &words[1]);
    fail(std::string("start ") + words[1]);
}

}  // namespace

int main(int argc, char** argv) {
    // With the null pointer at the end, which exec needs.
    const std::span<char*> words(argv, static_cast<std::size_t>(argc) + 1);
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (verb == "open") {
        return open_enclosure(words.subspan(2, static_cast<std::size_t>(argc) - 2));
    }
    if (verb == "run") {
        return run_program(words.subspan(2));
    }
    if (verb == "lend") {
        return lend_sockets();
    }
    refuse("it is the rig's own helper; expected open, run or lend");
}
