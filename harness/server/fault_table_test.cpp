#include "harness/server/fault_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "rig/base/errors.hpp"

namespace {

using namespace std::chrono_literals;
using namespace harness;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Words = std::vector<std::pair<std::string, std::string>>;

FaultSpec make(std::string_view name, const Words& words = {}) {
    return make_fault(name, words);
}

std::string refusal(std::string_view name, const Words& words) {
    try {
        static_cast<void>(make_fault(name, words));
    } catch (const rig::NoBench& error) {
        return error.what();
    }
    return "(taken)";
}

/// What a parameter can be given, if nothing is known but the table.
std::string sample(const FaultParameter& parameter) {
    if (!parameter.is_required()) {
        return std::string(parameter.usual);
    }
    switch (parameter.type) {
        case ParameterType::duration:
            return "5ms";
        case ParameterType::number:
            return std::to_string(parameter.max);
        case ParameterType::text:
            return std::string(parameter.words.substr(0, parameter.words.find('|')));
    }
    return "";
}

TEST(FaultTableTest, every_fault_can_be_made_by_its_name_and_told_again) {
    std::set<std::string_view> names;
    for (const FaultInfo& info : fault_table()) {
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
        EXPECT_THAT(info.help, ::testing::EndsWith("."));
        EXPECT_EQ(info_of(info.kind).name, info.name);
        Words words;
        std::set<ParameterType> types;
        for (const FaultParameter& parameter : info.parameters) {
            EXPECT_TRUE(types.insert(parameter.type).second) << "two of one type: " << info.name;
            words.emplace_back(parameter.name, sample(parameter));
        }
        const FaultSpec spec = make(info.name, words);
        EXPECT_EQ(spec.kind, info.kind);
        EXPECT_THAT(describe(spec), ::testing::StartsWith(std::string(info.name)));
        for (const FaultParameter& parameter : info.parameters) {
            if (parameter.usual == "0s") {
                continue;
            }
            EXPECT_THAT(describe(spec), HasSubstr(std::string(parameter.name) + "="));
        }
    }
}

TEST(FaultTableTest, parameters_and_matches_are_read_from_words) {
    const FaultSpec late = make("late", {{"by", "1.5s"},
                                         {"nth", "2"},
                                         {"device", "0fac"},
                                         {"port", "secure"},
                                         {"probability", "0.25"},
                                         {"seed", "7"}});
    EXPECT_EQ(late.delay, 1500ms);
    EXPECT_EQ(late.nth, 2);
    EXPECT_EQ(late.device, 0x0FAC);
    EXPECT_EQ(late.port, FaultPort::secure);
    EXPECT_EQ(late.probability, 0.25);
    EXPECT_EQ(late.seed, 7U);
    EXPECT_EQ(describe(late), "late by=1500ms");
    EXPECT_EQ(make("reset", {{"bytes", "0x10"}}).number, 16);
    EXPECT_EQ(make("late", {{"by", "2min"}}).delay, 2min);
    EXPECT_EQ(describe(make("late", {{"by", "250us"}})), "late by=250us");
    EXPECT_EQ(describe(make("late", {{"by", "1ns"}})), "late by=1ns");
}

TEST(FaultTableTest, what_is_left_out_is_as_usual) {
    EXPECT_EQ(make("gone").delay, 0ns);
    EXPECT_EQ(describe(make("gone")), "gone") << "no time stands for no end";
    EXPECT_EQ(describe(make("reset")), "reset bytes=0 of=received");
    EXPECT_EQ(describe(make("text_after_x")), "text_after_x text=\" Not Found\"");
    EXPECT_EQ(describe(make("early_reply", {{"text", "\"\n"}})), "early_reply text=\"\\\"\\x0a\"");
}

TEST(FaultTableTest, what_cannot_be_is_refused_by_name_with_what_there_is) {
    EXPECT_THAT(refusal("absent", {}), AllOf(HasSubstr("\"absent\""), HasSubstr("late")));
    EXPECT_THAT(refusal("late", {}), HasSubstr("by must be given"));
    EXPECT_THAT(refusal("late", {{"by", "300"}}), HasSubstr("300ms"));
    EXPECT_THAT(refusal("late", {{"by", "-1s"}}), HasSubstr("0 to 600 s"));
    EXPECT_THAT(refusal("late", {{"by", "1e300s"}}), HasSubstr("duration"));
    EXPECT_THAT(refusal("late", {{"by", "601s"}}), HasSubstr("not 601s"));
    EXPECT_THAT(refusal("late", {{"gap", "1s"}}),
                AllOf(HasSubstr("\"gap\""), HasSubstr("by, nth, device")));
    EXPECT_THAT(refusal("reset", {{"bytes", "many"}}), HasSubstr("whole number"));
    EXPECT_THAT(refusal("reset", {{"bytes", "-1"}}), HasSubstr("0 to 65536"));
    EXPECT_THAT(refusal("reset", {{"of", "lost"}}), HasSubstr("received|sent"));
    EXPECT_THAT(refusal("answer_x", {{"probability", "1.5"}}), HasSubstr("0 to 1"));
    EXPECT_THAT(refusal("answer_x", {{"probability", "nan"}}), HasSubstr("0 to 1"));
    EXPECT_THAT(refusal("answer_x", {{"nth", "-1"}}), HasSubstr("counts from 1"));
    EXPECT_THAT(refusal("answer_x", {{"device", "fred"}}), HasSubstr("four hex digits"));
    EXPECT_THAT(refusal("answer_x", {{"port", "serial"}}), HasSubstr("any, clear or secure"));
    EXPECT_THAT(refusal("reset", {{"device", "0FAC"}}), HasSubstr("leave it out"));
    EXPECT_THAT(refusal("gone", {{"nth", "2"}}), HasSubstr("leave out nth"));
}

}  // namespace
