// What becomes of a server that is gone on purpose, and of its port meanwhile.
#include "harness/server/server_fixture.hpp"

namespace {

using namespace harness;
using ::testing::HasSubstr;

TEST_F(ServerTest, gone_refuses_connections_until_it_is_back_on_the_same_port) {
    start();
    const auto id = in_loop([this] { return server_->add_fault({.kind = FaultKind::gone}); });
    EXPECT_EQ(Peer(endpoint_).connect_error(), ECONNREFUSED);
    EXPECT_EQ(wait_for<FaultFired>().name, "gone");
    EXPECT_EQ(in_loop([&] { return server_->remove_fault(id); }), 1);
    const Peer peer(endpoint_);
    peer.say("R000000");
    EXPECT_EQ(peer.hear_until_end(), "X");
}

TEST_F(ServerTest, gone_leaves_the_connections_that_are_open) {
    start();
    const Peer open(endpoint_);
    wait_for<ConnectionOpened>();
    const auto id = in_loop([this] { return server_->add_fault({.kind = FaultKind::gone}); });
    EXPECT_EQ(Peer(endpoint_).connect_error(), ECONNREFUSED);
    open.say("R000000");
    EXPECT_EQ(open.hear_until_end(), "X");
    in_loop([&] { server_->remove_fault(id); });
    EXPECT_EQ(Peer(endpoint_).connect_error(), 0);
}

TEST_F(ServerTest, gone_comes_back_as_soon_as_another_program_lets_go_of_its_port) {
    start();
    const auto id = in_loop([this] { return server_->add_fault({.kind = FaultKind::gone}); });
    const auto colon = endpoint_.rfind(':');
    auto squatter = std::make_unique<Listener>(
        endpoint_.substr(0, colon),
        static_cast<std::uint16_t>(std::stoi(endpoint_.substr(colon + 1))));
    in_loop([&] { server_->remove_fault(id); });
    const auto trouble = wait_for<RigNote>();
    EXPECT_TRUE(trouble.is_error);
    EXPECT_THAT(trouble.what, HasSubstr("cannot come back"));
    EXPECT_THAT(trouble.what, HasSubstr(endpoint_));

    squatter.reset();
    wait_for<RigNote>([](const RigNote& note) { return note.what == "the server is back"; });
    const Peer peer(endpoint_);
    peer.say("R000000");
    EXPECT_EQ(peer.hear_until_end(), "X");
    EXPECT_EQ(all<RigNote>().size(), 2U) << "one trouble is told once, however often it was tried";
}

TEST_F(ServerTest, gone_again_while_it_tries_to_come_back_stays_gone) {
    start();
    const auto colon = endpoint_.rfind(':');
    const auto first = in_loop([this] { return server_->add_fault({.kind = FaultKind::gone}); });
    auto squatter = std::make_unique<Listener>(
        endpoint_.substr(0, colon),
        static_cast<std::uint16_t>(std::stoi(endpoint_.substr(colon + 1))));
    in_loop([&] { server_->remove_fault(first); });
    wait_for<RigNote>();
    in_loop([this] { return server_->add_fault({.kind = FaultKind::gone}); });
    squatter.reset();
    std::promise<void> later;
    in_loop([&] {
        // After the time at which it would have tried again.
        static_cast<void>(loop_.at(clock_.monotonic_ns() + 200 * rig::ns_per_ms,
                                   [&later] { later.set_value(); }));
    });
    later.get_future().wait();
    EXPECT_EQ(Peer(endpoint_).connect_error(), ECONNREFUSED);
}

}  // namespace
