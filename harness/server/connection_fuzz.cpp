// Whatever a peer does to a connection, in the clear and over TLS, with or without a fault: it
// never waits for a deadline that has passed, keeps its books, and is over once its peer is gone.
//
// The first two bytes choose the kind of connection and the fault, the rest is what the peer and
// the time do. The socket is one end of a pair, the clock stands still until the input moves it.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "harness/server/connection.hpp"
#include "harness/tls/tls_library.hpp"
#include "harness/wwep/frame.hpp"
#include "rig/base/errors.hpp"

namespace {

using namespace harness;

constexpr int turns_max = 4096;
constexpr TimestampNs longest_wait_ns = 1300 * rig::ns_per_s;  // a fault's 600 s and an idle peer's

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// Counts what must come once and in order.
class Books final : public EventSink {
  public:
    void take(Event event) override {
        std::visit([this](const auto& value) { add(value); }, event);
    }
    [[nodiscard]] bool has_room() const override { return room; }

    bool room = true;
    int opened = 0;
    int closed = 0;
    int handshakes = 0;
    int frames = 0;
    int replies = 0;
    int fired = 0;

  private:
    void add(const ConnectionOpened&) { ++opened; }
    void add(const HandshakeEnded&) { require(opened == 1 && closed == 0 && ++handshakes == 1); }
    void add(const FrameReceived&) { require(opened == 1 && closed == 0 && ++frames > 0); }
    void add(const ReplySent&) { require(++replies <= frames && closed == 0); }
    void add(const ConnectionClosed&) { require(opened == 1 && ++closed == 1); }
    void add(const FaultFired&) { ++fired; }
    template <class Other>
    void add(const Other&) {}
};

/// The TLS of all runs: making a context takes longer than a run does.
struct Tls {
    TlsLibrary library;
    TlsContext server{library,
                      TlsServerConfig{.certificate_file = WWEP_TEST_CERTS "/server-ecdsa.pem",
                                      .key_file = WWEP_TEST_CERTS "/server-ecdsa.key",
                                      .client_ca_file = {},
                                      .ciphers = {}}};
    TlsContext client{library, TlsClientConfig{.verify_chain = false}};
};

const Tls& tls() {
    static const Tls whole;
    return whole;
}

class Input {
  public:
    explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    [[nodiscard]] bool is_empty() const { return bytes_.empty(); }
    std::uint8_t byte() {
        const auto first = take(1);
        return first.empty() ? std::uint8_t{0} : first.front();
    }
    std::span<const std::uint8_t> take(std::size_t count) {
        const auto taken = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }

  private:
    std::span<const std::uint8_t> bytes_;
};

class Run {
  public:
    Run(std::uint8_t kind, std::uint8_t fault) {
        arm(fault);
        std::array<int, 2> ends{};
        require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) ==
                0);
        peer_.reset(ends[0]);
        is_secure_ = (kind & 1U) != 0;
        if ((kind & 2U) != 0) {
            context_.limits.mode = ConversationMode::keep_open;
        }
        if (is_secure_ && (kind & 4U) != 0) {
            client_ = std::make_unique<TlsSession>(tls().client);
        }
        connection_ = std::make_unique<Connection>(
            context_, 1,
            Accepted{.socket = rig::UniqueFd(ends[1]), .peer = "peer", .local = "local"},
            is_secure_ ? &tls().server : nullptr);
        settle();
    }

    void step(Input& input) {
        const std::uint8_t what = input.byte();
        switch (what >> 4U) {
            case 15:
                clock_.advance_ns((what & 15U) * 50 * rig::ns_per_ms);
                break;
            case 14:
                ::shutdown(peer_.get(), SHUT_WR);
                break;
            case 13:
                books_.room = !books_.room;
                context_.is_held_back = !books_.room;
                if (books_.room && !connection_->is_over()) {
                    connection_->on_heard_again();
                }
                break;
            case 12:
                if (!connection_->is_over()) {
                    connection_->shut_down();
                }
                break;
            case 11:
                spoilt_ = static_cast<std::uint8_t>(what | 1U);  // of the client's next bytes
                break;
            case 10:
                reads_ = !reads_;
                break;
            default:
                say(input.take(what + 1U));
        }
        settle();
    }

    /// The peer goes, and all the time there is goes by.
    void end() {
        books_.room = true;
        if (context_.is_held_back && !connection_->is_over()) {
            context_.is_held_back = false;
            connection_->on_heard_again();
        }
        settle();
        peer_.reset();
        settle();
        clock_.advance_ns(longest_wait_ns);
        settle();
        require(connection_->is_over());
        require(books_.opened == 1 && books_.closed == 1);
        require(books_.handshakes <= (is_secure_ ? 1 : 0) || books_.fired > 0);
        connection_.reset();
    }

  private:
    void arm(std::uint8_t chosen) {
        const auto table = fault_table();
        if (chosen >= table.size()) {
            return;
        }
        try {
            faults_.add({.kind = table[chosen].kind, .delay = std::chrono::seconds(1)});
        } catch (const rig::NoBench&) {
            faults_.remove(1);  // it wants more than a kind, or no time
        }
    }

    void say(std::span<const std::uint8_t> bytes) {
        if (client_ == nullptr) {
            send(bytes);
            return;
        }
        if (client_->state() == TlsSession::State::open &&
            client_->to_send().size() + bytes.size() < TlsSession::bytes_queued_max / 2) {
            client_->write(bytes);
        }
        talk_tls();
    }

    void send(std::span<const std::uint8_t> bytes) const {
        // What does not fit is lost, like much else in this life.
        static_cast<void>(::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }

    void talk_tls() {
        std::vector<std::uint8_t> bytes(client_->to_send().begin(), client_->to_send().end());
        client_->sent(bytes.size());
        if (spoilt_ != 0 && !bytes.empty()) {
            bytes[(spoilt_ * bytes.size()) / 256U] ^= spoilt_;
            spoilt_ = 0;
        }
        send(bytes);
    }

    void hear() {
        std::array<std::uint8_t, 4096> buffer{};
        const auto got = peer_ && reads_ ? ::recv(peer_.get(), buffer.data(), buffer.size(), 0) : 0;
        if (got <= 0 || client_ == nullptr) {
            return;
        }
        static_cast<void>(client_->receive({buffer.data(), static_cast<std::size_t>(got)}));
        while (client_->read(buffer) > 0) {
        }
        talk_tls();
    }

    /// What the server's loop does until nothing is left to do.
    void settle() {
        int turns = 0;
        while (!connection_->is_over()) {
            require(++turns < turns_max);
            if (client_ != nullptr && client_->state() == TlsSession::State::handshaking) {
                talk_tls();
            }
            hear();
            const Interest interest = connection_->interest();
            pollfd ready{.fd = connection_->fd(),
                         .events = static_cast<short>((interest.readable ? POLLIN : 0) |
                                                      (interest.writable ? POLLOUT : 0)),
                         .revents = 0};
            require(::poll(&ready, 1, 0) >= 0);
            const bool may_read = interest.readable && books_.room &&
                                  (ready.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
            const bool may_write = interest.writable && (ready.revents & (POLLOUT | POLLERR)) != 0;
            const auto deadline_ns = connection_->deadline_ns();
            const bool is_late = deadline_ns && *deadline_ns <= clock_.monotonic_ns();
            if (may_read) {
                connection_->on_readable();
            }
            if (may_write && !connection_->is_over()) {
                connection_->on_writable();
            }
            if (is_late && !connection_->is_over()) {
                connection_->on_time();
            }
            if (!may_read && !may_write && !is_late) {
                return;
            }
        }
    }

    rig::ManualClock clock_;
    Books books_;
    RegisterFile registers_;
    KernelStamps stamps_{clock_};
    Faults faults_;
    DeviceIdWatch device_ids_;
    FrameId last_frame_id_ = 0;
    ConnectionContext context_{clock_,  books_,      registers_,     stamps_,
                               faults_, device_ids_, last_frame_id_, {}};
    rig::UniqueFd peer_;
    std::unique_ptr<TlsSession> client_;
    std::unique_ptr<Connection> connection_;
    bool is_secure_ = false;
    bool reads_ = true;
    std::uint8_t spoilt_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input({data, size});
    const std::uint8_t kind = input.byte();
    const std::uint8_t fault = input.byte();
    Run run(kind, fault);
    while (!input.is_empty()) {
        run.step(input);
    }
    run.end();
    return 0;
}
