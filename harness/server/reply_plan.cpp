#include "harness/server/reply_plan.hpp"

#include <algorithm>
#include <cctype>
#include <random>
#include <string_view>

#include "harness/wwep/frame.hpp"

namespace harness {
namespace {

constexpr std::size_t device_at = 1;
constexpr std::size_t register_at = 5;
constexpr std::size_t value_at = 7;

/// Adds one to the hex digits from `begin` up to `end`, which may become all 0; in upper case. A
/// reply `X` has no such digits and stays what it is: false.
bool count_up(std::string& reply, std::size_t begin, std::size_t end) {
    if (reply.size() < accepted_reply_size) {
        return false;
    }
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (std::size_t at = end; at-- > begin;) {
        const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(reply[at])));
        const std::size_t value = digits.find(upper);
        reply[at] = digits[(value + 1) % digits.size()];
        if (reply[at] != '0') {
            break;
        }
    }
    return true;
}

std::string by_chance(std::int64_t bytes, std::uint64_t seed) {
    std::mt19937_64 dice(seed);
    std::string result(static_cast<std::size_t>(bytes), '\0');
    std::generate(result.begin(), result.end(), [&dice] { return static_cast<char>(dice()); });
    // An answer by chance would be no fault.
    if (result.front() == 'A' || result.front() == 'X') {
        result.front() = '?';
    }
    return result;
}

}  // namespace

bool spoil(ReplyPlan& plan, const FaultSpec& fault, std::int64_t salt) {
    switch (fault.kind) {
        case FaultKind::no_reply:
            plan.bytes.clear();
            plan.end = ReplyPlan::End::silent;
            plan.silence = *fault.delay;
            return true;
        case FaultKind::late:
            plan.delay += *fault.delay;
            return true;
        case FaultKind::answer_x:
            plan.bytes = format_failed();
            return true;
        case FaultKind::wrong_device:
            return count_up(plan.bytes, device_at, register_at);
        case FaultKind::wrong_register:
            return count_up(plan.bytes, register_at, value_at);
        case FaultKind::wrong_value:
            return count_up(plan.bytes, value_at, accepted_reply_size);
        case FaultKind::lower_case:
            std::transform(plan.bytes.begin(), plan.bytes.end(), plan.bytes.begin(), [](char c) {
                return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            });
            return true;
        case FaultKind::bytewise:
            plan.is_bytewise = true;
            plan.gap = *fault.delay;
            return true;
        case FaultKind::two_replies:
            plan.bytes += plan.bytes;
            return true;
        case FaultKind::garbage:
            plan.bytes = by_chance(*fault.number, fault.seed + static_cast<std::uint64_t>(salt));
            return true;
        case FaultKind::text_after_x:
            plan.bytes = format_failed() + *fault.text;
            return true;
        case FaultKind::long_reply:
            while (plan.bytes.size() < static_cast<std::size_t>(*fault.number)) {
                plan.bytes += "0123456789ABCDEF";
            }
            plan.bytes.resize(static_cast<std::size_t>(*fault.number));
            return true;
        case FaultKind::close_in_reply:
            plan.bytes.resize(std::min(plan.bytes.size(), static_cast<std::size_t>(*fault.number)));
            plan.end = ReplyPlan::End::close;
            return true;
        case FaultKind::gone:
        case FaultKind::closed_at_accept:
        case FaultKind::never_read:
        case FaultKind::reset:
        case FaultKind::early_reply:
        default:           // nor are those of TLS
            return false;  // these are no faults of a reply
    }
    return false;
}

}  // namespace harness
