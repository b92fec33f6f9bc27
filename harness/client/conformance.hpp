// Conformance tries a WWEP server, anyone's, against the protocol's description and its rulings,
// case by case. It owns nothing but what it knows about the server; the TLS library and the clock
// must outlive it. One thread at a time. It writes some 300 registers, of devices that follow from
// the seed and of the description's own 0FAC.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "harness/client/conform_case.hpp"

namespace harness {

class Conformance {
  public:
    Conformance(const TlsLibrary& library, const rig::Clock& clock, ConformSubject subject);

    /// All cases, in the order in which they should run: the rough ones come last.
    [[nodiscard]] static std::span<const ConformCase> cases();

    /// Finds out what the server is like, as far as its owner did not say. Throws NoConnection when
    /// there is nobody at the address, and ConformInterrupted.
    void probe();
    /// What probe() found.
    [[nodiscard]] const ConformTraits& traits() const { return traits_; }

    /// Runs one case; probe() comes first. Throws std::invalid_argument for an unknown name, and
    /// ConformInterrupted. After a case that lost the server, others are skipped until it is back.
    [[nodiscard]] ConformResult run(std::string_view name);

  private:
    [[nodiscard]] bool is_lost();

    const TlsLibrary& library_;
    const rig::Clock& clock_;
    ConformSubject subject_;
    ConformTraits traits_;
    std::string lost_in_;  // the case after which nobody was there any more
};

}  // namespace harness
