// Stands in for a firmware in the tests of ProcessTarget: it does the one thing that its first
// argument names. It waits on nothing but signals, and it must be ended by its parent.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

namespace {

constexpr int wire_fd = 3;

void print(std::string_view text) {
    // One write, as a line-buffered stdout makes it.
    if (::write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        std::_Exit(99);
    }
}

[[noreturn]] void hold() {
    for (;;) {
        ::pause();
    }
}

void list_descriptors() {
    DIR* folder = ::opendir("/proc/self/fd");
    for (const dirent* entry = ::readdir(folder); entry != nullptr; entry = ::readdir(folder)) {
        const std::string name = entry->d_name;
        if (name == "." || name == ".." || name == std::to_string(::dirfd(folder))) {
            continue;
        }
        print("fd " + name + "\n");
    }
    ::closedir(folder);
}

void print_lines_of(const char* path, std::string_view prefix) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(prefix)) {
            print(line + "\n");
        }
    }
}

[[noreturn]] void crash() {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(SIGSEGV, SIG_DFL);  // A sanitizer would turn it into an exit status.
    ::raise(SIGSEGV);
    std::_Exit(98);
}

[[noreturn]] void flood() {
    const std::string line = std::string(99, 'x') + "\n";
    for (;;) {
        print(line);
    }
}

void leave_a_child_behind() {
    const char up = 'r';
    if (::fork() == 0) {
        ::signal(SIGTERM, SIG_IGN);
        if (::write(wire_fd, &up, 1) != 1) {
            std::_Exit(97);
        }
        hold();
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "exit") {
        print("one\r\ntwo\n");
        if (::write(STDERR_FILENO, "three\n", 6) != 6) {
            return 99;
        }
        return std::atoi(argv[2]);
    }
    if (what == "count") {
        const int lines = std::atoi(argv[2]);
        for (int i = 0; i < lines; ++i) {
            print("line " + std::to_string(i) + "\n");
        }
        return 0;
    }
    if (what == "crash") {
        print("about to crash\n");
        crash();
    }
    if (what == "hold") {
        print("ready\n");
        hold();
    }
    if (what == "obey") {
        ::signal(SIGTERM, [](int) { std::_Exit(0); });
        print("ready\n");
        hold();
    }
    if (what == "crash-on-term") {
        sigset_t term;
        ::sigemptyset(&term);
        ::sigaddset(&term, SIGTERM);
        ::sigprocmask(SIG_BLOCK, &term, nullptr);
        print("ready\n");
        int number = 0;
        ::sigwait(&term, &number);
        crash();  // Not from a handler: a sanitizer delivers those in its own time.
    }
    if (what == "ignore-term") {
        ::signal(SIGTERM, SIG_IGN);
        print("ready\n");
        hold();
    }
    if (what == "flood") {
        flood();
    }
    if (what == "prompt") {
        print("WICED> ");
        hold();
    }
    if (what == "cut-short") {
        print("begun\nnot fin");
        return 0;
    }
    if (what == "close-output") {
        print("last words\n");
        ::close(STDOUT_FILENO);
        ::close(STDERR_FILENO);
        hold();
    }
    if (what == "descriptors") {
        list_descriptors();
        return 0;
    }
    if (what == "environment") {
        for (char** entry = environ; *entry != nullptr; ++entry) {
            print(std::string(*entry) + "\n");
        }
        return 0;
    }
    if (what == "arguments") {
        for (int i = 1; i < argc; ++i) {
            print(std::string(argv[i]) + "\n");
        }
        return 0;
    }
    if (what == "folder") {
        std::array<char, 4096> path{};
        print(std::string(::getcwd(path.data(), path.size())) + "\n");
        return 0;
    }
    if (what == "signals") {
        print_lines_of("/proc/self/status", "SigIgn:");
        print_lines_of("/proc/self/status", "SigBlk:");
        return 0;
    }
    if (what == "tell-wire-and-hold") {
        ::signal(SIGHUP, SIG_IGN);
        const char up = 'r';
        if (::write(wire_fd, &up, 1) != 1) {
            return 97;
        }
        hold();
    }
    if (what == "leave-child") {
        leave_a_child_behind();
        print("ready\n");
        return 0;
    }
    if (what == "hold-with-child") {
        leave_a_child_behind();
        print("ready\n");
        hold();
    }
    return 96;
}
