#include "harness/names/sntp_message.hpp"

#include <gtest/gtest.h>

namespace {

std::string request() {
    std::string text(48, '\0');
    text[0] = 0x23;  // version 4, a client
    text.replace(40, 8, "transmit");
    return text;
}

TEST(SntpMessage, the_time_comes_in_seconds_since_1900_with_their_fraction) {
    // 2000-01-01 00:00:00.5 is 3155673600 s after 1900-01-01.
    const auto answer = harness::sntp_answer(request(), 946'684'800'500'000'000);
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->size(), 48U);
    EXPECT_EQ((*answer)[0], 0x24);  // version 4, a server
    EXPECT_EQ((*answer)[1], 1);
    EXPECT_EQ(answer->substr(24, 8), "transmit");
    EXPECT_EQ(answer->substr(40), std::string("\xBC\x17\xC2\x00\x80\x00\x00\x00", 8));
    EXPECT_EQ(answer->substr(32, 8), answer->substr(40));
}

TEST(SntpMessage, what_is_no_clients_request_is_not_answered) {
    EXPECT_FALSE(harness::sntp_answer("", 0));
    EXPECT_FALSE(harness::sntp_answer(request().substr(0, 47), 0));
    auto server = request();
    server[0] = 0x24;
    EXPECT_FALSE(harness::sntp_answer(server, 0));
}

}  // namespace
