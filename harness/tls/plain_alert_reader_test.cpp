#include "harness/tls/plain_alert_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace harness {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A change of cipher, then unknown_ca.
const Bytes refusal = {20, 3, 3, 0, 1, 1, 21, 3, 3, 0, 2, 2, 48};

TEST(PlainAlertReaderTest, an_alert_behind_another_record_is_found_however_it_is_cut) {
    for (std::size_t step = 1; step <= refusal.size(); ++step) {
        PlainAlertReader reader;
        for (std::size_t at = 0; at < refusal.size(); at += step) {
            EXPECT_FALSE(reader.alert());
            reader.feed(std::span(refusal).subspan(at, std::min(step, refusal.size() - at)));
        }
        EXPECT_EQ(reader.alert(), 48);
    }
}

TEST(PlainAlertReaderTest, close_notify_and_encrypted_alerts_and_other_bodies_are_no_alert) {
    PlainAlertReader reader;
    reader.feed(Bytes{21, 3, 3, 0, 2, 1, 0});
    reader.feed(Bytes{21, 3, 3, 0, 3, 2, 48, 7});
    reader.feed(Bytes{22, 3, 3, 0, 7, 21, 3, 3, 0, 2, 2, 48});
    reader.feed(Bytes{22, 3, 3, 0, 0});
    EXPECT_FALSE(reader.alert());
    reader.feed(refusal);
    EXPECT_EQ(reader.alert(), 48);
}

}  // namespace
}  // namespace harness
