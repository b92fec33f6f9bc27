#include "harness/tls/plain_alert_reader.hpp"

#include <algorithm>

namespace harness {

void PlainAlertReader::feed(std::span<const std::uint8_t> bytes) {
    constexpr std::size_t header_bytes = 5;
    constexpr std::uint8_t record_type_alert = 21;
    constexpr std::size_t alert_bytes = 2;
    while (!bytes.empty()) {
        if (skip_bytes_ > 0) {
            const std::size_t count = std::min(skip_bytes_, bytes.size());
            skip_bytes_ -= count;
            bytes = bytes.subspan(count);
            continue;
        }
        kept_[kept_bytes_++] = bytes[0];
        bytes = bytes.subspan(1);
        if (kept_bytes_ < header_bytes)
            continue;

        const std::size_t length = static_cast<std::size_t>(kept_[3] << 8U) | kept_[4];
        if (kept_[0] != record_type_alert || length != alert_bytes) {
            skip_bytes_ = length;
            kept_bytes_ = 0;
        } else if (kept_bytes_ == kept_.size()) {
            if (kept_.back() != 0)
                alert_ = kept_.back();
            kept_bytes_ = 0;
        }
    }
}

}  // namespace harness
