// What the server does when the machine or a peer gives it trouble.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cstddef>

#include "harness/server/server_fixture.hpp"

namespace harness {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Leaves this process room for `spare` more descriptors while it lives.
class FewDescriptors {
  public:
    explicit FewDescriptors(rlim_t spare) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rig::UniqueFd lowest(::dup(0));
        rlimit few = before_;
        few.rlim_cur = static_cast<rlim_t>(lowest.get()) + spare;
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    FewDescriptors(const FewDescriptors&) = delete;
    FewDescriptors& operator=(const FewDescriptors&) = delete;

  private:
    rlimit before_{};
};

TEST_F(ServerTest, out_of_descriptors_new_connections_wait_and_the_rig_says_so) {
    start();
    const Peer old(endpoint_);
    wait_for<ConnectionOpened>();
    // The loop looks once more for a peer, and takes a descriptor for it before it finds none.
    in_loop([] {});
    std::unique_ptr<Peer> waiting;
    {
        const FewDescriptors limit(1);  // the peer's own
        waiting = std::make_unique<Peer>(endpoint_);
        ASSERT_EQ(waiting->connect_error(), 0);
        waiting->say("R000000");
        const auto note = wait_for<RigNote>();
        EXPECT_TRUE(note.is_error);
        EXPECT_THAT(note.what, HasSubstr("accept a connection on " + endpoint_));
        EXPECT_THAT(note.what, HasSubstr("Too many open files"));
        old.say("R000000");
        EXPECT_EQ(old.hear(1), "X");
        EXPECT_TRUE(waiting->hears_nothing(350ms));  // three tries and more
    }
    EXPECT_EQ(waiting->hear_until_end(), "X");
    const auto is_error = [](const RigNote& note) { return note.is_error; };
    const auto notes = all<RigNote>();
    EXPECT_EQ(std::count_if(notes.begin(), notes.end(), is_error), 1) << "once, not each time";
    const auto end = wait_for<RigNote>([](const RigNote& note) { return !note.is_error; });
    EXPECT_THAT(end.what, HasSubstr("connections are accepted again: "));
    EXPECT_THAT(end.what, HasSubstr(" tries failed within 0."));
}

/// From now on epoll refuses new descriptors to the calling thread, as it does when the user's
/// share of watches is used up. Whether this machine lets a thread be treated so.
bool refuse_new_watches() {
    constexpr std::uint32_t add = 1;  // EPOLL_CTL_ADD: this module knows no epoll
    std::array<sock_filter, 6> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, add, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_F(ServerTest, a_connection_that_cannot_be_watched_is_closed_and_on_record) {
    auto options = plain_options();
    options.limits.mode = ConversationMode::keep_open;
    start(std::move(options));
    const Peer old(endpoint_);
    wait_for<ConnectionOpened>();
    if (!in_loop(refuse_new_watches)) {
        GTEST_SKIP() << "this machine has no seccomp filters";
    }
    const Peer refused(endpoint_);
    EXPECT_EQ(refused.hear_until_end(), "");
    const auto closed = wait_for<ConnectionClosed>();
    EXPECT_EQ(closed.id, 2);
    EXPECT_THAT(closed.end_reason, HasSubstr("the rig failed: watch descriptor"));
    const auto note = wait_for<RigNote>();
    EXPECT_TRUE(note.is_error);
    EXPECT_THAT(note.what, HasSubstr("connection 2: watch descriptor"));

    old.say("R000000");
    EXPECT_EQ(old.hear(1), "X");
    EXPECT_EQ(in_loop([this] { return server_->connections_open(); }), 1U);
}

// Peers that read late ---------------------------------------------------------------------------

constexpr std::string_view frame = "W000500AA01";
constexpr std::string_view reply = "A000500AA01";

/// Sends frames until neither the server nor the kernels between take any more; how many bytes.
std::int64_t send_until_stuck(const Peer& peer) {
    std::string frames;
    for (int i = 0; i < 1000; ++i) {
        frames += frame;
    }
    std::int64_t sent = 0;
    for (int stuck = 0; stuck < 10;) {
        const auto place = static_cast<std::size_t>(sent) % frame.size();
        const auto outcome = peer.send_some(frames.substr(place), sent);
        stuck = outcome == Peer::Sent::none_for_now ? stuck + 1 : 0;
    }
    return sent;
}

/// Reads the replies to `sent` bytes of frames, and sends what the last frame still lacks.
std::string send_rest_and_hear(const Peer& peer, std::int64_t sent) {
    const auto size = static_cast<std::int64_t>(frame.size());
    const auto frames = static_cast<std::size_t>((sent + size - 1) / size);
    const std::int64_t end = static_cast<std::int64_t>(frames) * size;
    std::string heard;
    while (sent < end) {
        heard += peer.hear_some();
        const auto left = static_cast<std::size_t>(end - sent);
        if (peer.send_some(std::string(frame.substr(frame.size() - left)), sent) ==
            Peer::Sent::closed) {
            return heard + "(closed)";
        }
    }
    return heard + peer.hear(frames * reply.size() - heard.size());
}

TEST_F(ServerTest, a_frame_cut_where_the_server_stopped_reading_is_not_late) {
    auto options = plain_options();
    options.limits.mode = ConversationMode::keep_open;
    options.limits.conversation.frame_timeout = 500ms;
    start(std::move(options));
    // Where the server stops is chance: one of four it surely does in the middle of a frame.
    std::vector<std::unique_ptr<Peer>> peers;
    std::vector<std::int64_t> sent;
    for (int i = 0; i < 4; ++i) {
        peers.push_back(std::make_unique<Peer>(endpoint_, Peer::Window::small));
        sent.push_back(send_until_stuck(*peers.back()));
    }
    const auto is_truncated = [](const Event& event) {
        const auto* const received = std::get_if<FrameReceived>(&event);
        return received != nullptr && received->verdict == FrameVerdict::truncated;
    };
    EXPECT_FALSE(timeline_.wait(timeline_.end(), rig::Deadline::after(clock_, 1200ms), is_truncated,
                                nullptr))
        << "late with what the server did not read";

    for (std::size_t i = 0; i < peers.size(); ++i) {
        const std::string heard = send_rest_and_hear(*peers[i], sent[i]);
        EXPECT_GT(heard.size(), Outbox::bytes_max);
        EXPECT_EQ(heard.find_first_not_of(reply), std::string::npos);
        EXPECT_EQ(heard.size() % reply.size(), 0U);
    }
}

TEST_F(ServerTest, many_that_come_at_once_leave_others_their_turn) {
    start();
    const Peer first(endpoint_);
    wait_for<ConnectionOpened>();
    std::vector<Peer> crowd;
    // In the loop, so that all of them wait before it looks, and they before the frame.
    in_loop([&] {
        for (int i = 0; i < 2 * Server::accepted_per_call_max; ++i) {
            crowd.emplace_back(endpoint_);
        }
        first.say("R000000");
    });
    EXPECT_EQ(first.hear_until_end(), "X");
    std::size_t accepted_before = 0;
    for (const Event& event : timeline_.since(0, 100'000).events) {
        accepted_before += std::holds_alternative<ConnectionOpened>(event) ? 1U : 0U;
        if (std::holds_alternative<FrameReceived>(event)) {
            break;
        }
    }
    EXPECT_LE(accepted_before, 1U + Server::accepted_per_call_max);
}

// Want of room -----------------------------------------------------------------------------------

TEST_F(ServerTest, without_room_peers_wait_and_nothing_is_lost) {
    start();
    sink_.room = false;
    const Peer peer(endpoint_);
    peer.say("W000500AA01");
    EXPECT_TRUE(peer.hears_nothing(150ms));
    EXPECT_TRUE(all<FrameReceived>().empty());
    sink_.room = true;
    EXPECT_EQ(peer.hear_until_end(), "A000500AA01");
    const auto note = wait_for<RigNote>();
    EXPECT_TRUE(note.is_error) << note.what;
    EXPECT_THAT(note.what, HasSubstr("for the recorder"));
}

TEST_F(ServerTest, a_frame_whose_timeout_passes_without_room_holds_nobody_up) {
    auto options = plain_options();
    options.limits.conversation.frame_timeout = 500ms;
    start(std::move(options));
    const Peer peer(endpoint_);
    peer.say("W0");
    // In the loop, so that the first bytes have been read and the rest has not.
    in_loop([&] {
        sink_.room = false;
        peer.say("FAC0B1234");
    });
    auto answered = std::async(std::launch::async, [&] {
        EXPECT_TRUE(peer.hears_nothing(700ms));
        in_loop([] {});
    });
    EXPECT_EQ(answered.wait_for(patience), std::future_status::ready)
        << "the loop is busy with itself";
    sink_.room = true;
    // Its end arrived in time, by the kernel's stamp: that the server could not read it is no fault
    // of the peer.
    EXPECT_EQ(peer.hear_until_end(), "A0FAC0B1234");
}

TEST_F(ServerTest, the_time_without_room_counts_against_no_frame) {
    auto options = plain_options();
    options.limits.conversation.frame_timeout = 500ms;
    start(std::move(options));
    const Peer peer(endpoint_);
    peer.say("W0");
    in_loop([&] {
        sink_.room = false;
        peer.say("F");  // wakes the server, which finds the sink full
    });
    EXPECT_TRUE(peer.hears_nothing(700ms));
    peer.say("AC0B1234");  // too late by the kernel's stamp; a full window would have kept it here
    sink_.room = true;
    EXPECT_EQ(peer.hear_until_end(), "A0FAC0B1234");
    EXPECT_EQ(all<FrameReceived>().size(), 1U);
}

TEST_F(ServerTest, room_that_comes_and_goes_leaves_no_connection_unheard) {
    auto options = plain_options();
    options.limits.mode = ConversationMode::keep_open;
    start(std::move(options));
    const Peer peer(endpoint_);
    std::atomic<bool> is_over = false;
    std::thread gate([&] {
        while (!is_over) {
            sink_.room = !sink_.room;
        }
        sink_.room = true;
    });
    std::string heard;
    for (int i = 0; i < 300; ++i) {
        peer.say("R000000");
        heard = peer.hear(1);
        if (heard != "X") {
            break;
        }
    }
    is_over = true;
    gate.join();
    EXPECT_EQ(heard, "X");
}

}  // namespace
}  // namespace harness
