#include "harness/server/kernel_stamps.hpp"

namespace harness {

ReceiveStamp KernelStamps::convert(std::int64_t kernel_ns, std::int64_t last_kernel_ns) {
    const TimestampNs now_ns = clock_.monotonic_ns();
    const auto at_ns = kernel_ns == 0 ? std::nullopt : offset_.monotonic_of(kernel_ns, now_ns);
    if (!at_ns) {
        return {.at_ns = now_ns, .source = StampSource::read};
    }
    return {
        .at_ns = *at_ns,
        .source = kernel_ns == last_kernel_ns ? StampSource::kernel_stale : StampSource::kernel};
}

}  // namespace harness
