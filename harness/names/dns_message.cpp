#include "harness/names/dns_message.hpp"

#include <arpa/inet.h>

#include <cctype>
#include <cstddef>

namespace harness {
namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t name_bytes_max = 255;
constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t class_in = 1;
constexpr std::uint32_t ttl_s = 1;  // a board that asks again is answered as things are then

std::uint16_t number_at(std::string_view message, std::size_t at) {
    return static_cast<std::uint16_t>(static_cast<std::uint8_t>(message[at]) << 8U |
                                      static_cast<std::uint8_t>(message[at + 1]));
}

void append(std::string& message, std::uint16_t number) {
    message += static_cast<char>(number >> 8U);
    message += static_cast<char>(number & 0xFFU);
}

}  // namespace

std::optional<DnsQuestion> parse_dns_query(std::string_view message) {
    constexpr std::uint16_t is_response_or_opcode = 0xF800;
    constexpr std::uint16_t recursion_desired = 0x0100;
    if (message.size() < header_bytes || (number_at(message, 2) & is_response_or_opcode) != 0 ||
        number_at(message, 4) != 1) {
        return std::nullopt;
    }
    DnsQuestion question{.id = number_at(message, 0),
                         .wants_recursion = (number_at(message, 2) & recursion_desired) != 0};
    std::size_t at = header_bytes;
    while (at < message.size() && message[at] != '\0') {
        const auto length = static_cast<std::uint8_t>(message[at]);
        if (length > label_bytes_max || at + 1 + length >= message.size() ||
            question.name.size() + length > name_bytes_max) {
            return std::nullopt;
        }
        question.name += question.name.empty() ? "" : ".";
        for (const char c : message.substr(at + 1, length)) {
            question.name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        at += 1U + length;
    }
    constexpr std::size_t end_type_and_class = 5;
    if (at + end_type_and_class > message.size()) {
        return std::nullopt;
    }
    question.type = number_at(message, at + 1);
    question.klass = number_at(message, at + 3);
    question.raw = message.substr(header_bytes, at + end_type_and_class - header_bytes);
    return question;
}

std::string dns_answer(const DnsQuestion& question, std::optional<Ipv4> address) {
    constexpr std::uint16_t response = 0x8480;  // authoritative, recursion available
    constexpr std::uint16_t recursion_desired = 0x0100;
    constexpr std::uint16_t no_such_name = 3;
    const bool has_record = address && question.type == type_a && question.klass == class_in;
    std::string message;
    append(message, question.id);
    append(message, static_cast<std::uint16_t>(response |
                                               (question.wants_recursion ? recursion_desired : 0U) |
                                               (address ? 0U : no_such_name)));
    append(message, 1);
    append(message, has_record ? 1 : 0);
    append(message, 0);
    append(message, 0);
    message += question.raw;
    if (has_record) {
        append(message, 0xC000U | header_bytes);  // the name is the question's
        append(message, type_a);
        append(message, class_in);
        append(message, 0);
        append(message, ttl_s);
        append(message, static_cast<std::uint16_t>(address->size()));
        message.append(address->begin(), address->end());
    }
    return message;
}

std::optional<Ipv4> ipv4_from(const std::string& text) {
    Ipv4 address{};
    if (::inet_pton(AF_INET, text.c_str(), address.data()) != 1) {
        return std::nullopt;
    }
    return address;
}

}  // namespace harness
