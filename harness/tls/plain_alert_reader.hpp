// PlainAlertReader looks for an alert in the clear among the records of a handshake. A TLS 1.3
// client may refuse the server's certificate with one, and wolfSSL then reports a parse error in
// place of the alert, which is what a person has to know. One connection's; keeps seven bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace harness {

class PlainAlertReader {
  public:
    /// Takes the next bytes of the connection, however they were cut.
    void feed(std::span<const std::uint8_t> bytes);

    /// The last alert in the clear but close_notify. Encrypted ones are longer and not taken for
    /// one.
    [[nodiscard]] std::optional<std::uint8_t> alert() const { return alert_; }

  private:
    std::array<std::uint8_t, 7> kept_{};  // header, and the body of an alert
    std::size_t kept_bytes_ = 0;
    std::size_t skip_bytes_ = 0;  // of another record's body
    std::optional<std::uint8_t> alert_;
};

}  // namespace harness
