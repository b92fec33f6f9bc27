// RecordShim stands between a TLS server's library and the wire and spoils what the library sends:
// bytes in, bytes out. It knows where records begin, which message each one bears (by its type as
// long as the handshake is in the clear, by its place in TLS 1.3's order afterwards), and what is
// to go wrong at which. It knows no socket, no clock and no library; encryption is handed in. It
// keeps at most one record. One connection's; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace harness {

/// What a server sends.
enum class TlsMessage : std::uint8_t {
    other,  ///< anything without a name here
    hello_retry_request,
    server_hello,
    encrypted_extensions,
    certificate_request,
    certificate,
    server_key_exchange,
    certificate_verify,
    server_hello_done,
    change_cipher_spec,
    finished,
    reply,
    close_notify,
};

[[nodiscard]] std::string_view to_string(TlsMessage message);
[[nodiscard]] std::optional<TlsMessage> tls_message_from(std::string_view name);

/// One thing to go wrong.
struct ShimFault {
    enum class Act : std::uint8_t {
        stall,        ///< the message and all after it are never sent
        close,        ///< likewise, and the connection is to be closed
        reset,        ///< likewise, and it is to be reset
        alert,        ///< an alert `number` goes out instead, then as close
        oversize,     ///< a record of `number` bytes goes out instead, then as close
        tiny,         ///< each byte of a handshake message in the clear in a record of its own
        set_version,  ///< the ServerHello says version `number`
        set_cipher,   ///< the ServerHello says cipher suite `number`
    };
    Act act = Act::stall;
    TlsMessage at = TlsMessage::server_hello;  ///< not looked at by the last three
    std::uint16_t number = 0;
};

class RecordShim {
  public:
    /// The record that is passed on does not go out; this goes out in its place, under its sequence
    /// number. False, with nothing appended: it cannot be encrypted.
    using Seal = std::function<bool(std::uint8_t type, std::span<const std::uint8_t> plaintext,
                                    std::vector<std::uint8_t>& output)>;
    /// Whether the server asks for a certificate decides how TLS 1.3's messages are counted.
    enum class ClientCertificate : std::uint8_t { not_asked, asked };

    explicit RecordShim(std::vector<ShimFault> faults);

    void set(ClientCertificate asked) { asked_ = asked; }
    /// What application data, or an alert, bears from now on: reply, close_notify or other.
    void announce(TlsMessage message) { announced_ = message; }

    /// Takes what the library sends, cut anywhere, and appends to `output` what goes out.
    void pass(std::span<const std::uint8_t> sent, const Seal& seal,
              std::vector<std::uint8_t>& output);

    /// The fault that has ended all sending, by its place among those given; its act is stall,
    /// close or reset, or what implies close.
    [[nodiscard]] std::optional<std::size_t> ended_by() const { return ended_by_; }
    /// Whether a fault, by its place among those given, has come into effect.
    [[nodiscard]] bool has_fired(std::size_t fault) const { return fired_.at(fault); }
    [[nodiscard]] const ShimFault& fault(std::size_t place) const { return faults_.at(place); }
    [[nodiscard]] std::size_t faults() const { return faults_.size(); }

  private:
    [[nodiscard]] std::vector<TlsMessage> messages_of(std::span<const std::uint8_t> record);
    [[nodiscard]] std::vector<TlsMessage> handshake_messages(std::span<const std::uint8_t> body);
    [[nodiscard]] TlsMessage hello_of(std::span<const std::uint8_t> message);
    [[nodiscard]] TlsMessage next_encrypted();
    void pass_record(std::vector<std::uint8_t> record, const Seal& seal,
                     std::vector<std::uint8_t>& output);
    enum class Cover : std::uint8_t { clear, encrypted };
    [[nodiscard]] bool end_at(std::span<const TlsMessage> messages, Cover cover, const Seal& seal,
                              std::vector<std::uint8_t>& output);

    const std::vector<ShimFault> faults_;
    std::vector<bool> fired_;
    std::optional<std::size_t> ended_by_;
    ClientCertificate asked_ = ClientCertificate::not_asked;
    TlsMessage announced_ = TlsMessage::other;
    std::vector<std::uint8_t> record_;  // the one that is not whole yet
    std::size_t message_left_ = 0;      // of a handshake message cut over records
    TlsMessage message_ = TlsMessage::other;
    bool is_tls_1_3_ = false;
    bool is_encrypted_ = false;  // what is sent from here on
    std::size_t encrypted_records_ = 0;
};

}  // namespace harness
