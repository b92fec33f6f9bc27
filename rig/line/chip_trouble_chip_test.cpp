// What a rig says that may not use a chip of the kernel's gpio-sim, or whose kernel is too old.
// Each rig is a process of its own: it gives up rights and system calls that it cannot have back.
#include <linux/filter.h>
#include <linux/gpio.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cstddef>

#include "rig/line/chip_fixture.hpp"

namespace {

using rig::LineSpec;
using rig::NoBench;
using rig::testing::button_on;
using rig::testing::led_on;
using rig::testing::thrown_by;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr gid_t group_of_the_rule = 20;  // dialout, on every Debian
constexpr uid_t nobody = 65534;

class ChipTroubleTest : public rig::testing::ChipTest {
  protected:
    std::string trouble_opening(LineSpec spec) {
        return thrown_by<NoBench>([&] { open({std::move(spec)}); });
    }

    /// What `look` returns in a child that `prepare` has prepared.
    static std::string in_a_child(const std::function<void()>& prepare,
                                  const std::function<std::string()>& look) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe(ends.data()), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            prepare();
            const std::string text = look();
            static_cast<void>(!::write(ends[1], text.data(), text.size()));
            ::_exit(0);
        }
        ::close(ends[1]);
        std::array<char, 4096> buffer{};
        const ssize_t got = ::read(ends[0], buffer.data(), buffer.size());
        ::close(ends[0]);
        ::waitpid(child, nullptr, 0);
        return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
    }

    static void become_nobody() {
        static_cast<void>(::setgid(nobody));
        static_cast<void>(::setuid(nobody));
    }
};

/// From here on the kernel answers the second version's calls as Linux 5.9 does, which has the
/// first only.
void forget_second_version() {
    constexpr std::uint32_t refusal = SECCOMP_RET_ERRNO | EINVAL;
    std::array<sock_filter, 9> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 5),
        // The low half: every host of the virtual machine is little endian.
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + sizeof(std::uint64_t)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GPIO_V2_GET_LINEINFO_IOCTL, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GPIO_V2_GET_LINEINFO_WATCH_IOCTL, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GPIO_V2_GET_LINE_IOCTL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, refusal),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    static_cast<void>(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    static_cast<void>(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
}

TEST_F(ChipTroubleTest, a_user_who_may_not_is_told_the_rule_that_is_missing) {
    const std::string text = in_a_child(become_nobody, [this] {
        return trouble_opening(led_on(sim_->path(), "3")) + "\n" +
               trouble_opening(led_on("test-lines", "3"));
    });
    EXPECT_THAT(text, AllOf(HasSubstr("line led0: may not open " + sim_->path()),
                            HasSubstr("no chip that may be opened is called \"test-lines\""),
                            HasSubstr("udev rule")));
}

TEST_F(ChipTroubleTest, a_user_outside_the_group_is_told_which_and_one_inside_is_let_in) {
    ASSERT_EQ(::chown(sim_->path().c_str(), 0, group_of_the_rule), 0);
    ASSERT_EQ(::chmod(sim_->path().c_str(), 0660), 0);
    const auto look = [this] { return trouble_opening(led_on(sim_->path(), "3")); };
    EXPECT_THAT(in_a_child(become_nobody, look),
                AllOf(HasSubstr("line led0: may not open " + sim_->path()),
                      HasSubstr("sudo usermod -aG dialout $USER")));
    const auto become_member = [] {
        static_cast<void>(::setgid(group_of_the_rule));
        static_cast<void>(::setuid(nobody));
    };
    EXPECT_EQ(in_a_child(become_member, look), "(nothing)");
}

TEST_F(ChipTroubleTest, a_kernel_without_the_second_version_of_the_interface_is_told_so) {
    for (const std::string line : {"2", "BUTTON0"}) {
        EXPECT_EQ(in_a_child(forget_second_version,
                             [&] { return trouble_opening(button_on(sim_->path(), line)); }),
                  sim_->path() +
                      " does not know the second version of the kernel's GPIO "
                      "interface; boot Linux 5.10 or newer");
    }
}

}  // namespace
