#include "harness/tls/tls_session.hpp"

#include <fmt/format.h>
#include <wolfssl/options.h>
// options.h comes first: it says how the library was built.
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/kdf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "harness/tls/certificate.hpp"
#include "harness/tls/key_log.hpp"
#include "harness/tls/tls_explain.hpp"
#include "harness/tls/tls_names.hpp"
#include "rig/base/errors.hpp"

namespace harness {

namespace {

constexpr std::size_t record_plaintext_max = 1U << 14;
// What TLS adds to one record at most: header, explicit IV, padding, MAC.
constexpr std::size_t record_overhead_max = 5 + 16 + 256 + 64;
constexpr std::uint8_t record_type_change_cipher = 20;
constexpr std::uint8_t record_type_alert = 21;
constexpr std::uint8_t record_type_last = 24;
constexpr std::uint8_t alert_handshake_failure = 40;
constexpr std::uint8_t alert_decode_error = 50;
constexpr std::uint8_t alert_protocol_version = 70;

// wolfSSL derives secrets without saying for which session: the one whose handshake goes on.
thread_local const TlsSession* handshaking_session = nullptr;

struct HandshakingSession {
    explicit HandshakingSession(const TlsSession* session) { handshaking_session = session; }
    HandshakingSession(const HandshakingSession&) = delete;
    HandshakingSession& operator=(const HandshakingSession&) = delete;
    ~HandshakingSession() { handshaking_session = nullptr; }
};

std::array<std::uint8_t, 32> client_random_of(const WOLFSSL* session) {
    std::array<std::uint8_t, 32> random{};
    (void)wolfSSL_get_client_random(session, random.data(), random.size());
    return random;
}

}  // namespace

struct TlsSession::Callbacks {
    static int receive(WOLFSSL*, char* buffer, int size, void* context) {
        auto& session = *static_cast<TlsSession*>(context);
        const std::size_t available = session.input_.size() - session.input_begin_;
        // Also after the FIN: a wolfSSL that knows of it sends no close_notify any more.
        if (available == 0)
            return WOLFSSL_CBIO_ERR_WANT_READ;
        const std::size_t count = std::min(available, static_cast<std::size_t>(size));
        std::memcpy(buffer, session.input_.data() + session.input_begin_, count);
        session.input_begin_ += count;
        if (session.input_begin_ == session.input_.size()) {
            session.input_.clear();
            session.input_begin_ = 0;
        }
        return static_cast<int>(count);
    }

    // Takes everything: a wolfSSL that has to wait for output loses what is written next. A peer
    // that makes us answer without end (key updates) and takes nothing meets the limit.
    static int send(WOLFSSL*, char* buffer, int size, void* context) {
        auto& session = *static_cast<TlsSession*>(context);
        const std::size_t count = static_cast<std::size_t>(size);
        if (session.to_send().size() + count > bytes_queued_max)
            return WOLFSSL_CBIO_ERR_GENERAL;
        const std::span bytes(reinterpret_cast<const std::uint8_t*>(buffer), count);
        session.note_sent_records(bytes);
        session.queue(bytes);
        return size;
    }

    // Derives as wolfSSL itself would, and keeps what a key log holds (TLS 1.3).
    static int derive(byte* secret, word32 secret_size, const byte* from, word32 from_size,
                      const byte* protocol, word32 protocol_size, const byte* label,
                      word32 label_size, const byte* info, word32 info_size, int digest,
                      int /*side*/) {
        const int result =
            wc_Tls13_HKDF_Expand_Label(secret, secret_size, from, from_size, protocol,
                                       protocol_size, label, label_size, info, info_size, digest);
        const std::string_view name =
            key_log_label({reinterpret_cast<const char*>(label), label_size});
        if (result == 0 && !name.empty() && handshaking_session != nullptr) {
            const TlsSession& session = *handshaking_session;
            (void)session.context_.key_log()->add(name, client_random_of(session.session_.get()),
                                                  {secret, secret_size});
        }
        return result;
    }

    static int verify(int verified, WOLFSSL_X509_STORE_CTX* chain) {
        return static_cast<TlsSession*>(chain->userCtx)->judge_certificate(verified, chain);
    }
};

void TlsSession::Releaser::operator()(WOLFSSL* session) const {
    wolfSSL_free(session);
}

TlsSession::TlsSession(const TlsContext& context)
    : context_(context), session_(wolfSSL_new(context.handle())) {
    WOLFSSL* const session = session_.get();
    if (session == nullptr)
        throw rig::RigError("make a TLS session: out of memory");
    wolfSSL_SSLSetIORecv(session, Callbacks::receive);
    wolfSSL_SSLSetIOSend(session, Callbacks::send);
    wolfSSL_SetIOReadCtx(session, this);
    wolfSSL_SetIOWriteCtx(session, this);
    if (context.key_log() != nullptr)
        wolfSSL_KeepArrays(session);
    if (context.verify_mode() != WOLFSSL_VERIFY_NONE) {
        wolfSSL_set_verify(session, context.verify_mode(), Callbacks::verify);
        wolfSSL_SetCertCbCtx(session, this);
    }
    if (context.role() == TlsRole::server)
        return;

    const std::string& name = context.client_config().server_name;
    if (!name.empty() && !is_ip_address(name)) {
        const int result = wolfSSL_UseSNI(session, WOLFSSL_SNI_HOST_NAME, name.data(),
                                          static_cast<unsigned short>(name.size()));
        if (result != WOLFSSL_SUCCESS) {
            throw rig::RigError(
                fmt::format("set the server name to {}: {}", name, wolfssl_reason(result)));
        }
        facts_.server_name = name;
    }
    advance_handshake();
}

TlsSession::~TlsSession() = default;

void TlsSession::log_keys_of(const TlsContext& context) {
    wolfSSL_CTX_SetHKDFExpandLabelCb(context.handle(), Callbacks::derive);
}

std::size_t TlsSession::receive(std::span<const std::uint8_t> ciphertext) {
    std::size_t taken = 0;
    while (taken < ciphertext.size()) {
        if (state_ != State::handshaking && state_ != State::open)
            return ciphertext.size();
        if (input_begin_ > 0) {
            input_.erase(input_.begin(),
                         input_.begin() + static_cast<std::ptrdiff_t>(input_begin_));
            input_begin_ = 0;
        }
        const std::size_t room = bytes_received_max - input_.size();
        const auto piece = ciphertext.subspan(taken, std::min(room, ciphertext.size() - taken));
        if (piece.empty())
            return taken;
        if (state_ == State::handshaking && !starts_like_tls(piece))
            return ciphertext.size();
        input_.insert(input_.end(), piece.begin(), piece.end());
        taken += piece.size();
        if (state_ == State::handshaking)
            advance_handshake();
    }
    return taken;
}

void TlsSession::receive_end() {
    if (has_ended_)
        return;
    has_ended_ = true;
    if (state_ == State::handshaking)
        advance_handshake();
}

std::span<const std::uint8_t> TlsSession::to_send() const {
    return std::span(output_).subspan(output_begin_);
}

void TlsSession::sent(std::size_t bytes) {
    output_begin_ += std::min(bytes, to_send().size());
    if (output_begin_ == output_.size()) {
        output_.clear();
        output_begin_ = 0;
    }
}

std::size_t TlsSession::read(std::span<std::uint8_t> plaintext) {
    if (state_ != State::open || plaintext.empty())
        return 0;
    constexpr std::size_t size_max = std::numeric_limits<int>::max();
    for (;;) {
        const std::size_t left_before = input_.size() - input_begin_;
        wolfSSL_ERR_clear_error();
        const int result = wolfSSL_read(session_.get(), plaintext.data(),
                                        static_cast<int>(std::min(plaintext.size(), size_max)));
        if (result > 0)
            return static_cast<std::size_t>(result);

        const int error = wolfSSL_get_error(session_.get(), result);
        note_alerts();
        if (error == WOLFSSL_ERROR_WANT_READ) {
            // An empty record, or one that is not data, also ends in want-read.
            const std::size_t left = input_.size() - input_begin_;
            if (left > 0 && left < left_before)
                continue;
            if (has_ended_) {
                state_ = State::truncated;
                failure_ = "the connection ended without close_notify: what came may be cut short";
            }
            return 0;
        }
        if (error == WOLFSSL_ERROR_ZERO_RETURN) {
            state_ = State::closed_by_peer;
        } else {
            fail_from(error);
        }
        return 0;
    }
}

void TlsSession::write(std::span<const std::uint8_t> plaintext) {
    if (state_ == State::handshaking || state_ == State::failed || has_closed_) {
        throw std::logic_error(fmt::format("write to a TLS session that is {}",
                                           has_closed_ ? "closed" : to_string(state_)));
    }
    if (plaintext.empty())
        return;
    const std::size_t records = plaintext.size() / record_plaintext_max + 1;
    const std::size_t room = bytes_queued_max - std::min(bytes_queued_max, to_send().size());
    if (plaintext.size() > room || plaintext.size() + records * record_overhead_max > room) {
        throw std::length_error(
            fmt::format("write {} bytes to a TLS session: {} of at most {} bytes still wait to be "
                        "sent",
                        plaintext.size(), to_send().size(), bytes_queued_max));
    }
    compact_output();
    if (shim_ != nullptr)
        shim_->announce(disguised_.empty() ? TlsMessage::reply : TlsMessage::other);
    wolfSSL_ERR_clear_error();
    const int size = static_cast<int>(plaintext.size());
    const int result = wolfSSL_write(session_.get(), plaintext.data(), size);
    if (result != size)
        fail_from(wolfSSL_get_error(session_.get(), result));
}

void TlsSession::close() {
    if (has_closed_ || state_ == State::handshaking || state_ == State::failed)
        return;
    has_closed_ = true;
    compact_output();
    wolfSSL_ERR_clear_error();
    if (shim_ != nullptr)
        shim_->announce(TlsMessage::close_notify);
    // Its result says whether the peer's close_notify came already, which state() knows.
    (void)wolfSSL_shutdown(session_.get());
}

const ClientHello* TlsSession::client_hello() const {
    const bool complete = hello_reader_.result() == ClientHelloReader::Result::complete;
    return complete ? &hello_reader_.hello() : nullptr;
}

// On the server's side also feeds the reader of the ClientHello. False: the session has failed.
bool TlsSession::starts_like_tls(std::span<const std::uint8_t> piece) {
    const bool is_first = !std::exchange(has_received_, true);
    alert_reader_.feed(piece);
    if (context_.role() == TlsRole::server) {
        const auto result = hello_reader_.feed(piece);
        if (result == ClientHelloReader::Result::not_tls) {
            fail(hello_reader_.problem());
            return false;
        }
        if (client_hello() == nullptr)
            return true;
        facts_.server_name = client_hello()->server_name;
        if (!wolfssl_mistakes(*client_hello()))
            return true;
        fail_from(MATCH_SUITE_ERROR);
        return false;
    }
    const bool is_record = piece[0] >= record_type_change_cipher && piece[0] <= record_type_last;
    if (!is_first || is_record)
        return true;
    fail(fmt::format("the server's first bytes are not TLS: {}", show_bytes(piece)));
    return false;
}

void TlsSession::advance_handshake() {
    compact_output();
    wolfSSL_ERR_clear_error();
    const HandshakingSession marker(this);
    const int result = context_.role() == TlsRole::server ? wolfSSL_accept(session_.get())
                                                          : wolfSSL_connect(session_.get());
    note_alerts();
    if (result == WOLFSSL_SUCCESS) {
        note_open();
        return;
    }
    const int error = wolfSSL_get_error(session_.get(), result);
    if (error != WOLFSSL_ERROR_WANT_READ || has_ended_)
        fail_from(error);
}

void TlsSession::note_open() {
    note_peer();
    // Nobody gets in by a path on which the certificate was not looked at.
    const bool judges =
        context_.role() == TlsRole::client && context_.verify_mode() != WOLFSSL_VERIFY_NONE;
    if (judges && !has_judged_) {
        fail("the server's certificate was never judged");
        return;
    }
    facts_.version = wolfSSL_get_version(session_.get());
    const int suite = wolfSSL_get_current_cipher_suite(session_.get());
    facts_.cipher = cipher_suite_name(static_cast<std::uint16_t>(suite));
    facts_.resumed = wolfSSL_session_reused(session_.get()) == 1;
    state_ = State::open;
    if (context_.key_log() != nullptr)
        log_master_secret();
}

void TlsSession::compact_output() {
    if (output_begin_ == 0)
        return;
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(output_begin_));
    output_begin_ = 0;
}

void TlsSession::fail(std::string sentence) {
    state_ = State::failed;
    failure_ = std::move(sentence);
    input_.clear();
    input_begin_ = 0;
}

void TlsSession::fail_from(int wolfssl_error) {
    const bool ended = wolfssl_error == WOLFSSL_ERROR_WANT_READ;
    const bool in_handshake = state_ == State::handshaking;
    if (!ended && in_handshake && !facts_.alert_received) {
        queue_alert_if_none_was_sent(wolfssl_error == VERSION_ERROR  ? alert_protocol_version
                                     : wolfssl_error == BUFFER_ERROR ? alert_decode_error
                                                                     : alert_handshake_failure);
    }
    using Stage = HandshakeTrouble::Stage;
    const Stage handshake_stage = has_received_ ? Stage::handshaking : Stage::nothing_received;
    fail(explain({.context = context_,
                  .hello_reader = hello_reader_,
                  .facts = facts_,
                  .certificate_problem = certificate_problem_,
                  .wolfssl_error = wolfssl_error,
                  .peer_ended = ended,
                  .stage = in_handshake ? handshake_stage : Stage::open}));
}

// wolfSSL closes some handshakes without a word (TLS 1.2, no client certificate), which a board's
// firmware cannot tell from a network fault.
void TlsSession::queue_alert_if_none_was_sent(std::uint8_t description) {
    if (facts_.alert_sent || has_sent_ciphertext_ || (shim_ != nullptr && shim_->ended_by()))
        return;
    constexpr std::uint8_t fatal = 2;
    for (const std::uint8_t byte : {record_type_alert, std::uint8_t{3}, std::uint8_t{3},
                                    std::uint8_t{0}, std::uint8_t{2}, fatal, description}) {
        output_.push_back(byte);
    }
    facts_.alert_sent = description;
}

std::string_view to_string(TlsSession::State state) {
    switch (state) {
        case TlsSession::State::handshaking:
            return "handshaking";
        case TlsSession::State::open:
            return "open";
        case TlsSession::State::closed_by_peer:
            return "closed by peer";
        case TlsSession::State::truncated:
            return "truncated";
        case TlsSession::State::failed:
            return "failed";
    }
    return "unknown";
}

}  // namespace harness
