// TlsSession is the TLS of one connection, server or client by its context, without any I/O: the
// caller brings received ciphertext and takes away what is to be sent, and keeps every socket and
// timestamp to itself. It owns a WOLFSSL and two bounded buffers; wolfSSL only ever asks for more
// input and never waits for output. The context must outlive it. One thread at a time.
//
// The caller's turn, after anything was received:
// - receive(bytes), perhaps in several calls, as it takes what fits; on FIN receive_end();
// - read(plaintext) until it returns 0: only then is state() the whole truth, because a
//   close_notify, an alert or the FIN counts where it stands in the stream;
// - write() and close() as the state allows;
// - to_send() and sent(n) always, also in states failed and closed: alerts must get out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/tls/client_hello.hpp"
#include "harness/tls/plain_alert_reader.hpp"
#include "harness/tls/record_shim.hpp"
#include "harness/tls/tls_config.hpp"
#include "harness/tls/tls_context.hpp"

struct WOLFSSL;
struct WOLFSSL_X509_STORE_CTX;

namespace harness {

/// What is known about a session. Empty where nothing is known yet.
struct TlsFacts {
    std::string version;       ///< "TLSv1.3"; empty until a handshake succeeded
    std::string cipher;        ///< IANA name: "TLS_AES_128_GCM_SHA256"
    std::string server_name;   ///< SNI that the client sent
    std::string peer_subject;  ///< of the peer's certificate: "/O=Lab/CN=board 7"; empty: none came
    std::optional<Sha256> peer_key;  ///< SHA-256 of the peer's public key; nothing: no certificate
    bool resumed = false;
    std::optional<std::uint8_t> alert_sent;      ///< the last one but close_notify
    std::optional<std::uint8_t> alert_received;  ///< the last one but close_notify
};

class TlsSession {
  public:
    /// Ciphertext that waits for wolfSSL: one record of the greatest legal size always fits.
    static constexpr std::size_t bytes_received_max = 5 + (1U << 14) + 2048;
    /// Ciphertext that waits for the caller to send it. Handshakes take less than 16 KiB of it.
    static constexpr std::size_t bytes_queued_max = 256U * 1024;

    enum class State : std::uint8_t {
        handshaking,     ///< neither read nor write
        open,            ///< read and write
        closed_by_peer,  ///< close_notify came; one may still write: it half-closes only
        truncated,       ///< FIN came without close_notify; one may still write
        failed,          ///< failure() says why; an alert may wait in to_send(). Nothing else goes
    };

    /// A client's session has its ClientHello in to_send() at once.
    explicit TlsSession(const TlsContext& context);
    /// Lets the sessions of a context that has a key log write to it. TlsContext calls it.
    static void log_keys_of(const TlsContext& context);
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;
    ~TlsSession();

    /// Of a server, before anything was received: lets a shim spoil what is sent. It must outlive
    /// the session.
    void use_shim(RecordShim& shim);

    /// Takes received bytes, as many as fit, and drives the handshake. Returns how many it took;
    /// fewer than given only while state() is open and read() has not returned 0 yet. In the other
    /// states everything is taken, and dropped.
    [[nodiscard]] std::size_t receive(std::span<const std::uint8_t> ciphertext);
    /// The peer's FIN was seen (or a reset). During the handshake this fails it.
    void receive_end();

    /// What waits to be sent. Valid until the next call of anything but a const function.
    [[nodiscard]] std::span<const std::uint8_t> to_send() const;
    /// The first `bytes` of to_send() went out.
    void sent(std::size_t bytes);

    /// Copies decrypted bytes; how many. 0: nothing now, and perhaps never: see state().
    [[nodiscard]] std::size_t read(std::span<std::uint8_t> plaintext);

    /// Encrypts all of `plaintext` into to_send(). Throws std::logic_error in states handshaking
    /// and failed and after close(), and std::length_error, with nothing queued, if to_send()
    /// might grow past bytes_queued_max.
    void write(std::span<const std::uint8_t> plaintext);

    /// Queues close_notify, once; later calls do nothing. Reading goes on until the peer's end. In
    /// states handshaking and failed nothing is queued.
    void close();

    /// Of a server that is open: asks the client to renegotiate (TLS 1.2), or for new keys (TLS
    /// 1.3). False, and nothing is queued, where version or cipher suite do not allow it.
    [[nodiscard]] bool request_renegotiation();
    [[nodiscard]] bool request_key_update();

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] const TlsFacts& facts() const { return facts_; }
    /// One sentence for people, naming what the peer did or offered; empty unless failed or
    /// truncated. The caller puts the peer's address before it.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    /// What the client offered, once all of it came; nullptr before, and always on a client's side.
    [[nodiscard]] const ClientHello* client_hello() const;

  private:
    struct Releaser {
        void operator()(WOLFSSL* session) const;
    };
    struct Callbacks;  // C functions that wolfSSL calls

    [[nodiscard]] bool starts_like_tls(std::span<const std::uint8_t> piece);
    void advance_handshake();
    void note_open();
    void note_peer();
    void log_master_secret();
    void note_alerts();
    void note_sent_records(std::span<const std::uint8_t> bytes);
    void queue(std::span<const std::uint8_t> bytes);
    [[nodiscard]] bool seal(std::uint8_t type, std::span<const std::uint8_t> plaintext,
                            std::vector<std::uint8_t>& output) const;
    void compact_output();
    void fail(std::string sentence);
    // Want-read means that the peer's FIN came in the middle of the handshake.
    void fail_from(int wolfssl_error);
    void queue_alert_if_none_was_sent(std::uint8_t description);
    [[nodiscard]] int judge_certificate(int verified, WOLFSSL_X509_STORE_CTX* chain);

    const TlsContext& context_;
    State state_ = State::handshaking;
    TlsFacts facts_;
    std::string failure_;
    std::string certificate_problem_;
    ClientHelloReader hello_reader_;
    PlainAlertReader alert_reader_;
    std::vector<std::uint8_t> input_;  // ciphertext; input_begin_ of it is consumed
    std::size_t input_begin_ = 0;
    std::vector<std::uint8_t> output_;
    std::size_t output_begin_ = 0;
    RecordShim* shim_ = nullptr;
    std::vector<std::uint8_t> disguised_;  // handshake message that goes out as the next record
    bool has_received_ = false;            // at least one byte
    bool has_judged_ = false;              // a client found the peer's certificate good
    bool has_ended_ = false;               // FIN seen
    bool has_closed_ = false;              // close_notify queued
    bool has_sent_ciphertext_ = false;     // an alert of ours could no longer go in the clear
    std::unique_ptr<WOLFSSL, Releaser> session_;
};

/// "handshaking", "open", "closed by peer", "truncated", "failed".
[[nodiscard]] std::string_view to_string(TlsSession::State state);

}  // namespace harness
