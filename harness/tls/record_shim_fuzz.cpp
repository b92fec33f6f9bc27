// Whatever a library might send and however it is cut: the shim comes to the same output, keeps no
// more than a record back, and sends nothing more once a fault has ended it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "harness/tls/record_shim.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

bool seal(std::uint8_t type, std::span<const std::uint8_t> plaintext, Bytes& output) {
    output.push_back(type);
    output.insert(output.end(), plaintext.begin(), plaintext.end());
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t settings = 4;
    if (size < settings) {
        return 0;
    }
    // The first bytes choose two faults.
    std::vector<harness::ShimFault> faults;
    for (std::size_t at = 0; at < settings; at += 2) {
        faults.push_back({.act = static_cast<harness::ShimFault::Act>(data[at] % 8U),
                          .at = static_cast<harness::TlsMessage>(data[at + 1] % 13U),
                          .number = 17000});
    }
    const std::span<const std::uint8_t> bytes(data + settings, size - settings);

    harness::RecordShim whole(faults);
    whole.announce(harness::TlsMessage::reply);
    Bytes expected;
    whole.pass(bytes, seal, expected);

    harness::RecordShim cut(faults);
    cut.announce(harness::TlsMessage::reply);
    Bytes output;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t step = std::min<std::size_t>(bytes.size() - at, 1U + (bytes[at] & 7U));
        cut.pass(bytes.subspan(at, step), seal, output);
        at += step;
    }
    if (output != expected || cut.ended_by() != whole.ended_by()) {
        std::abort();
    }
    // Tiny records are six bytes for one; an oversized one comes once.
    if (output.size() > 6 * bytes.size() + 17005) {
        std::abort();
    }
    const std::size_t before = output.size();
    cut.pass(bytes, seal, output);
    if (cut.ended_by() == whole.ended_by() && whole.ended_by() && output.size() != before) {
        std::abort();
    }
    return 0;
}
