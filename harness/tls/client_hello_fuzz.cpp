// Whatever the bytes and however they are cut: the reader keeps its limits, comes to the same
// result, and what it understood can be told.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "harness/tls/client_hello.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> bytes(data, size);

    harness::ClientHelloReader whole;
    (void)whole.feed(bytes);

    harness::ClientHelloReader cut;
    std::size_t at = 0;
    while (at < size) {
        const std::size_t step = std::min<std::size_t>(size - at, 1U + (data[at] & 7U));
        (void)cut.feed(bytes.subspan(at, step));
        at += step;
    }
    if (whole.result() != cut.result())
        std::abort();
    if (whole.result() == harness::ClientHelloReader::Result::complete) {
        if (whole.hello() != cut.hello())
            std::abort();
        if (harness::to_json(whole.hello()).empty())
            std::abort();
    }
    return 0;
}
