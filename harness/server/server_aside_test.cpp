// What the server does when somebody is to stand on its port in its stead.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "harness/server/server_fixture.hpp"
#include "rig/base/errors.hpp"

namespace harness {
namespace {

using ::testing::HasSubstr;

/// A port of 127.0.0.1 that is bound by somebody else than the server.
class BoundPort {
  public:
    BoundPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        // One that was asked for: the kernel would take back one that it chose.
        const std::uint16_t port = Listener("127.0.0.1", 0).port();
        endpoint_ = endpoint_text("127.0.0.1", port);
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        where.sin_port = htons(port);
        const int on = 1;
        EXPECT_EQ(::setsockopt(fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
        EXPECT_EQ(::bind(fd(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    }

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const std::string& endpoint() const { return endpoint_; }

  private:
    rig::UniqueFd fd_;
    std::string endpoint_;
};

TEST_F(ServerTest, a_server_that_stepped_aside_leaves_its_port_to_another) {
    start();
    const auto aside = in_loop([this] { return server_->step_aside(FaultPort::clear); });
    ASSERT_EQ(aside.size(), 1U);
    EXPECT_NE(aside.front().server, endpoint_);
    EXPECT_EQ(aside.front().socket, -1) << "nobody has bound one";
    const auto colon = endpoint_.rfind(':');
    auto other = std::make_unique<Listener>(
        endpoint_.substr(0, colon),
        static_cast<std::uint16_t>(std::stoi(endpoint_.substr(colon + 1))));
    const Peer there(aside.front().server);
    there.say("R000000");
    EXPECT_EQ(there.hear_until_end(), "X");

    const auto step_back = [this] {
        return in_loop([this] {
            try {
                server_->step_back(FaultPort::clear);
                return true;
            } catch (const rig::NoBench&) {
                return false;
            }
        });
    };
    EXPECT_FALSE(step_back()) << "the other still has the port";
    other.reset();
    EXPECT_TRUE(step_back());
    const Peer here(endpoint_);
    here.say("R000000");
    EXPECT_EQ(here.hear_until_end(), "X");
    EXPECT_EQ(Peer(aside.front().server).connect_error(), ECONNREFUSED);
}

TEST_F(ServerTest, a_server_that_stepped_aside_lends_a_socket_that_was_bound_for_it) {
    auto options = plain_options();
    const BoundPort bound;
    options.bound_sockets = {{.fd = bound.fd()}};
    start(std::move(options));
    const auto lent = in_loop([this] { return server_->step_aside(FaultPort::clear); });
    ASSERT_EQ(lent.size(), 2U);
    EXPECT_EQ(lent[1].socket, bound.fd());
    EXPECT_EQ(lent[1].server, lent[0].server) << "where it is reached from this network";
    EXPECT_EQ(Peer(bound.endpoint()).connect_error(), ECONNREFUSED) << "nobody listens yet";
    // A server that comes back from elsewhere leaves it alone.
    const auto gone = in_loop([this] { return server_->add_fault({.kind = FaultKind::gone}); });
    in_loop([&] { server_->remove_fault(gone); });
    EXPECT_EQ(Peer(bound.endpoint()).connect_error(), ECONNREFUSED);
    {
        Listener borrower(BoundSocket{.fd = lent[1].socket});
        const Peer peer(bound.endpoint());
        pollfd ready{.fd = borrower.fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&ready, 1, 20'000), 1);
        EXPECT_TRUE(borrower.accept());
    }
    in_loop([this] { server_->step_back(FaultPort::clear); });
    for (const std::string& usual : {endpoint_, bound.endpoint()}) {
        const Peer here(usual);
        here.say("R000000");
        EXPECT_EQ(here.hear_until_end(), "X");
    }
}

TEST_F(ServerTest, nobody_stands_before_a_server_that_is_gone_nor_twice_before_one) {
    start();
    const auto refusal = [this] {
        return in_loop([this]() -> std::string {
            try {
                static_cast<void>(server_->step_aside(FaultPort::clear));
            } catch (const rig::RigError& error) {
                return error.what();
            }
            return "(none)";
        });
    };
    const auto id = in_loop([this] { return server_->add_fault({.kind = FaultKind::gone}); });
    EXPECT_THAT(refusal(), HasSubstr("the server is gone on purpose"));
    in_loop([&] { server_->remove_fault(id); });
    const Peer peer(endpoint_);
    peer.say("R000000");
    EXPECT_EQ(peer.hear_until_end(), "X");
    EXPECT_EQ(refusal(), "(none)");
    EXPECT_THAT(refusal(), HasSubstr("somebody stands before port " +
                                     endpoint_.substr(endpoint_.rfind(':') + 1) + " already"));
}

TEST_F(ServerTest, a_server_that_is_reached_over_bound_sockets_only_does_not_step_aside) {
    auto options = plain_options();
    options.plain_port.reset();
    const BoundPort bound;
    options.bound_sockets = {{.fd = bound.fd()}};
    start(std::move(options));
    const bool is_refused = in_loop([this] {
        try {
            static_cast<void>(server_->step_aside(FaultPort::clear));
            return false;
        } catch (const rig::NoBench&) {
            return true;
        }
    });
    EXPECT_TRUE(is_refused);
    const Peer peer(bound.endpoint());
    peer.say("R000000");
    EXPECT_EQ(peer.hear_until_end(), "X");
}

TEST_F(ServerTest, who_stood_before_a_port_can_do_so_again_and_the_other_port_does_not_matter) {
    start();
    const auto aside = in_loop([this] { return server_->step_aside(FaultPort::clear); });
    in_loop([this] { server_->step_back(FaultPort::secure); });
    EXPECT_EQ(Peer(endpoint_).connect_error(), ECONNREFUSED);
    const Peer there(aside.front().server);
    there.say("R000000");
    EXPECT_EQ(there.hear_until_end(), "X");

    in_loop([this] { server_->step_back(FaultPort::clear); });
    EXPECT_EQ(in_loop([this] { return server_->step_aside(FaultPort::clear); }).size(), 1U);
}

TEST_F(ServerTest, a_server_that_is_stepped_back_while_it_is_gone_stays_gone) {
    start();
    static_cast<void>(in_loop([this] { return server_->step_aside(FaultPort::clear); }));
    const auto gone = in_loop([this] { return server_->add_fault({.kind = FaultKind::gone}); });
    in_loop([this] { server_->step_back(FaultPort::clear); });
    EXPECT_EQ(Peer(endpoint_).connect_error(), ECONNREFUSED);

    in_loop([&] { server_->remove_fault(gone); });
    const Peer here(endpoint_);
    here.say("R000000");
    EXPECT_EQ(here.hear_until_end(), "X");
}

}  // namespace
}  // namespace harness
