#include "harness/names/dns_message.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::string_literals;

const std::string query =
    "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"s  // recursion desired, one question
    "\x04wWep\x05ww101\x00\x00\x01\x00\x01"s;

TEST(DnsMessage, a_question_is_read_and_its_name_made_lower_case) {
    const auto question = harness::parse_dns_query(query);
    ASSERT_TRUE(question);
    EXPECT_EQ(question->id, 0x1234);
    EXPECT_TRUE(question->wants_recursion);
    EXPECT_EQ(question->name, "wwep.ww101");
    EXPECT_EQ(question->type, 1);
    EXPECT_EQ(question->klass, 1);
}

TEST(DnsMessage, an_answer_repeats_the_question_and_gives_one_address) {
    const auto answer =
        harness::dns_answer(*harness::parse_dns_query(query), harness::Ipv4{198, 51, 100, 3});
    EXPECT_EQ(answer, "\x12\x34\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00"s + query.substr(12) +
                          "\xC0\x0C\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04\xC6\x33\x64\x03"s);
}

TEST(DnsMessage, a_name_that_is_not_there_is_said_to_be_so) {
    const auto answer = harness::dns_answer(*harness::parse_dns_query(query), std::nullopt);
    EXPECT_EQ(answer, "\x12\x34\x85\x83\x00\x01\x00\x00\x00\x00\x00\x00"s + query.substr(12));
}

TEST(DnsMessage, a_question_for_another_type_has_no_record) {
    auto other = query;
    other[query.size() - 3] = 28;  // AAAA
    const auto answer =
        harness::dns_answer(*harness::parse_dns_query(other), harness::Ipv4{198, 51, 100, 3});
    EXPECT_EQ(answer, "\x12\x34\x85\x80\x00\x01\x00\x00\x00\x00\x00\x00"s + other.substr(12));
}

TEST(DnsMessage, what_is_cut_anywhere_or_no_query_is_refused) {
    for (std::size_t length = 0; length < query.size(); ++length) {
        EXPECT_FALSE(harness::parse_dns_query(query.substr(0, length))) << length;
    }
    auto response = query;
    response[2] = '\x81';
    EXPECT_FALSE(harness::parse_dns_query(response));
    auto two = query;
    two[5] = 2;
    EXPECT_FALSE(harness::parse_dns_query(two));
    auto pointer = query;
    pointer[12] = '\xC0';
    EXPECT_FALSE(harness::parse_dns_query(pointer));
    std::string endless = query.substr(0, 12);
    for (int i = 0; i < 8; ++i) {
        endless += '\x3F' + std::string(63, 'x');
    }
    EXPECT_FALSE(harness::parse_dns_query(endless + query.substr(22)));
}

}  // namespace
