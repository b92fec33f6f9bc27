#include "rig/target/target.hpp"

#include <fmt/format.h>

namespace rig {
namespace {

struct Describer {
    std::string operator()(const ConsoleText& console) const { return console.text; }
    std::string operator()(const TargetStarted& started) const {
        return started.pid > 0 ? fmt::format("started as process {}", started.pid) : "started";
    }
    std::string operator()(const TargetEnded& ended) const { return ended.how; }
    std::string operator()(const ConsoleChanged& change) const { return change.what; }
    std::string operator()(const CarrierFailed& failure) const { return failure.what; }
};

}  // namespace

std::string describe(const TargetEvent& event) {
    return std::visit(Describer{}, event);
}

}  // namespace rig
